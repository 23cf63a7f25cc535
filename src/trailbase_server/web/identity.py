"""Who is asking: the claims of a verified token, and the contract of whoever verifies it."""

from dataclasses import dataclass
from typing import Protocol

from trailbase_server.errors import AppError
from trailbase_server.ids import UserId
from trailbase_server.web.request import Request


@dataclass(frozen=True, slots=True)
class Identity:
    """
    A caller with a valid auth token.

    Attributes:
        user_id: 16 raw bytes.
        admin: The token's claim. Informational: authorisation asks the database.
        email, username: As of the time the token was made.
        csrf_token: What a browser has to repeat in the ``CSRF-Token`` header.
        expires_at: Unix seconds, without leeway.
        token: The encoded token itself.
        from_cookie: The browser sent it by itself.
    """

    user_id: UserId
    admin: bool
    email: str | None
    username: str | None
    csrf_token: str
    expires_at: int
    token: str
    from_cookie: bool = False


class Authenticator(Protocol):
    """Turns credentials into identities."""

    def bearer(self, authorization: bytes) -> Identity | None:
        """
        Verify the value of an ``Authorization`` header.

        Cached and quick: runs on the event loop for every request.

        Returns:
            The identity, or None when there is no valid bearer token in it.
        """
        ...

    async def cookies(self, request: Request) -> tuple[Identity | None, list[tuple[bytes, bytes]]]:
        """
        Verify the cookies of a request without bearer token, refreshing an expired one.

        Returns:
            The identity or None, and headers (``set-cookie``) for the answer.
        """
        ...

    def refusal(self, request: Request) -> AppError:
        """Say why a request that needs an identity has none."""
        ...

    async def is_admin(self, identity: Identity) -> bool:
        """Ask the database whether the caller is an administrator now."""
        ...
