"""What the web needs of whoever verifies credentials."""

from typing import Protocol

from trailbase_server.errors import AppError
from trailbase_server.web.identity import Identity
from trailbase_server.web.request import Headers, Request


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

    async def cookies(self, request: Request) -> tuple[Identity | None, Headers]:
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
