"""
A session becomes a new auth token: ``POST /refresh``, and the silent refresh of cookies.

The refresh token stays the same and its session does not get longer: the official clients keep the
token they have. A client that asks for it gets another one each time (``rotation``).
"""

import logging

from trailbase_server.auth.fields import read_json
from trailbase_server.auth.rotation import judge_reuse, rotate_session, was_rotated
from trailbase_server.auth.sessions import find_session, new_refresh_token, stored_form
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.tokens import mint_auth_token
from trailbase_server.auth.users import find_user
from trailbase_server.errors import UnauthorizedError
from trailbase_server.ids import UserId
from trailbase_server.web.identity import Identity
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value

log = logging.getLogger(__name__)


async def refresh_session(state: AuthState, request: Request) -> Response:
    """
    Answer ``POST /refresh``; credentials in headers and cookies do not matter.

    Raises:
        UnauthorizedError: No live session has this token.

    Spec:
        auth/post-refresh
        auth/missing-features-users-compare
    """
    body = read_json(request)
    token, rotates = body.required("refresh_token"), body.flag("rotate")
    identity = await renew(state, token)
    if identity is None:
        raise UnauthorizedError
    answer = {"auth_token": identity.token, "csrf_token": identity.csrf_token}
    if rotates:
        new, now_s = new_refresh_token(), state.clock.now_s()
        if await state.session_database.write(rotate_session, token, stored_form(new), now_s):
            answer["refresh_token"] = new
    return json_value(answer)


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
    if user_id is None:
        user_id = await _forgive(state, refresh_token, now_s)
    user = await find_user(state.database, user_id) if user_id is not None else None
    if user is None or user.unverified_email is not None:
        state.events.count("refresh_refused")
        return None
    state.events.count("refresh")
    return mint_auth_token(state.keys, user, now_s, state.options.auth_ttl_s)


async def _forgive(state: AuthState, refresh_token: str, now_s: int) -> UserId | None:
    """Accept a token that was exchanged a moment ago; an older one ends its session."""
    database = state.session_database
    if not await was_rotated(database, refresh_token):
        return None
    found = await database.write(judge_reuse, refresh_token, now_s)
    if found is None:
        return None
    verdict, user_id = found
    if verdict == "grace":
        return user_id
    log.warning("a refresh token was used after its exchange: the session has been ended")
    state.verified.forget(user_id)
    return None
