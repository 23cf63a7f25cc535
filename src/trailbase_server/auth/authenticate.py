"""
From a request to an identity.

.. code-block:: text

    Authorization: Bearer …     that token or nothing; cookies are not looked at
    cookie auth_token           if valid
    cookie refresh_token        else: a new auth token, which the answer stores as a cookie

Other authorization schemes are as good as none.
"""

from dataclasses import dataclass, field, replace

from trailbase_server.auth.cookies import (
    AUTH_COOKIE,
    REFRESH_COOKIE,
    SameSite,
    read_cookies,
    set_cookie,
)
from trailbase_server.auth.refresh import renew
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.tokens import has_odd_subject
from trailbase_server.errors import AppError, BadRequestError, UnauthorizedError
from trailbase_server.ids import UserId
from trailbase_server.web.identity import Identity
from trailbase_server.web.request import Headers, Request


@dataclass(frozen=True, slots=True)
class Credentials:
    """
    What a request says about its sender.

    Attributes:
        identity: None unless the auth token is valid or was refreshed.
        refresh_token: Sent beside it; not checked.
        headers: For the answer: the cookie of a refreshed token.
    """

    identity: Identity | None = None
    refresh_token: str | None = None
    headers: Headers = field(default_factory=list)


async def read_credentials(state: AuthState, request: Request) -> Credentials:
    """
    Find out who sent a request.

    Spec:
        auth/credential-extraction-used-by-every-authenticated-endpoint-record-apis-admin-apis-and-custom-routes
    """
    authorization = request.header(b"authorization")
    if authorization is not None and authorization.startswith(b"Bearer "):
        identity = state.verified.bearer(authorization)
        return Credentials(identity, _refresh_header(request))
    return await _read_cookies(state, request)


async def _read_cookies(state: AuthState, request: Request) -> Credentials:
    cookies = read_cookies(request)
    auth_token, refresh_token = cookies.get(AUTH_COOKIE), cookies.get(REFRESH_COOKIE)
    identity = state.verified.cookie(auth_token) if auth_token is not None else None
    if identity is not None or refresh_token is None:
        return Credentials(identity, refresh_token)
    fresh = await renew(state, refresh_token)
    if fresh is None:
        return Credentials(None, refresh_token)
    return Credentials(replace(fresh, from_cookie=True), refresh_token, [auth_cookie(state, fresh)])


def caller_of(request: Request) -> Identity:
    """
    Who a request comes from.

    Raises:
        UnauthorizedError: Nobody knows.
    """
    if request.identity is None:
        raise UnauthorizedError
    return request.identity


def refresh_token_of(request: Request) -> str | None:
    """The refresh token that a request carries in its header or cookie; not checked."""
    header = _refresh_header(request)
    return header if header is not None else read_cookies(request).get(REFRESH_COOKIE)


def auth_cookie(
    state: AuthState, identity: Identity, same_site: SameSite = "Strict"
) -> tuple[bytes, bytes]:
    """Header that stores an auth token."""
    return set_cookie(
        AUTH_COOKIE,
        identity.token,
        max(state.options.auth_ttl_s, 0),
        secure=state.secure_cookies,
        same_site=same_site,
    )


def _refresh_header(request: Request) -> str | None:
    value = request.header_text(b"refresh-token")
    return value if value is not None and value.isascii() else None


class TokenAuthenticator:
    """
    ``web.identity.Authenticator`` over this package.

    Args:
        state: Of this package.
    """

    def __init__(self, state: AuthState) -> None:
        self._state = state
        self._verified = state.verified

    def bearer(self, authorization: bytes) -> Identity | None:
        """See ``web.identity.Authenticator.bearer``."""
        return self._verified.bearer(authorization)

    async def cookies(self, request: Request) -> tuple[Identity | None, Headers]:
        """See ``web.identity.Authenticator.cookies``."""
        found = await _read_cookies(self._state, request)
        return found.identity, found.headers

    def refusal(self, request: Request) -> AppError:
        """See ``web.identity.Authenticator.refusal``."""
        state, authorization = self._state, request.header(b"authorization")
        if authorization is not None and authorization.startswith(b"Bearer "):
            token = authorization[len(b"Bearer ") :].rstrip(b" \t")
            if has_odd_subject(state.keys, token, state.clock.now()):
                return BadRequestError("invalid user id")
        return UnauthorizedError()

    async def is_admin(self, identity: Identity) -> bool:
        """See ``web.identity.Authenticator.is_admin``."""
        rows = await self._state.database.query(
            "SELECT 1 FROM _user WHERE id = ?1 AND admin > 0", (identity.user_id,)
        )
        return bool(rows)

    def invalidate(self, user_id: UserId) -> None:
        """Drop the verified tokens of a user whose account has changed or is gone."""
        self._verified.forget(user_id)
