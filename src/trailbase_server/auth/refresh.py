"""
A session becomes a new auth token: ``POST /refresh``, and the silent refresh of cookies.

The refresh token stays the same and its session does not get longer: the official clients keep the
token they have.
"""

from trailbase_server.auth.fields import read_json
from trailbase_server.auth.sessions import find_session
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.tokens import mint_auth_token
from trailbase_server.auth.users import find_user
from trailbase_server.errors import UnauthorizedError
from trailbase_server.web.identity import Identity
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value


async def refresh_session(state: AuthState, request: Request) -> Response:
    """
    Answer ``POST /refresh``; credentials in headers and cookies do not matter.

    Raises:
        UnauthorizedError: No live session has this token.

    Spec:
        auth/post-refresh
    """
    identity = await renew(state, read_json(request).required("refresh_token"))
    if identity is None:
        raise UnauthorizedError
    return json_value({"auth_token": identity.token, "csrf_token": identity.csrf_token})


async def renew(state: AuthState, refresh_token: str) -> Identity | None:
    """
    Make a new auth token for a session.

    Returns:
        The identity; None if the session is over or unknown, the user is gone, or has an address
        that waits for confirmation.

    Spec:
        auth/sessions-refresh-semantics-eternal-tokens
    """
    now_s = state.clock.now_s()
    user_id = await find_session(state.session_database, refresh_token, now_s)
    user = await find_user(state.database, user_id) if user_id is not None else None
    if user is None or user.unverified_email is not None:
        return None
    return mint_auth_token(state.keys, user, now_s, state.options.auth_ttl_s)
