"""``GET /status``: what the caller's tokens are worth. Browsers read their cookies' tokens here."""

from trailbase_server.auth.authenticate import auth_cookie, read_credentials
from trailbase_server.auth.cookies import AUTH_COOKIE, read_cookies
from trailbase_server.auth.refresh import renew
from trailbase_server.auth.state import AuthState
from trailbase_server.errors import UnauthorizedError
from trailbase_server.web.identity import Identity
from trailbase_server.web.request import Headers, Request
from trailbase_server.web.response import Response, json_value


async def read_status(state: AuthState, request: Request) -> Response:
    """
    Answer with the caller's tokens: refreshed if there is a refresh token, else as they are, nulls
    for nobody.

    Raises:
        UnauthorizedError: The auth token is valid, the refresh token beside it is not.

    Spec:
        auth/get-status
    """
    found = await read_credentials(state, request)
    identity, headers = found.identity, found.headers
    request.identity = identity
    if identity is None:
        return _answer(None, None, [])
    if found.refresh_token is not None and not headers:
        identity = await renew(state, found.refresh_token)
        if identity is None:
            raise UnauthorizedError
        if AUTH_COOKIE in read_cookies(request):
            headers = [auth_cookie(state, identity)]
    return _answer(identity, found.refresh_token, headers)


def _answer(identity: Identity | None, refresh_token: str | None, headers: Headers) -> Response:
    response = json_value(
        {
            "auth_token": identity.token if identity is not None else None,
            "refresh_token": refresh_token,
            "csrf_token": identity.csrf_token if identity is not None else None,
        }
    )
    response.headers += headers
    return response
