"""Who is asking: the claims of a verified token."""

from dataclasses import dataclass

from trailbase_server.ids import UserId


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
