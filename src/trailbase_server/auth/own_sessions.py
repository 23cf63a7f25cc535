"""
``/sessions``: where the caller is logged in, and ending that elsewhere.

A session is known by the number of its row; refresh tokens are never shown. Auth tokens that a
session has already got go on until they expire. The reference has nothing like it.
"""

from trailbase_server.auth.authenticate import caller_of, refresh_token_of
from trailbase_server.auth.csrf import check_intent
from trailbase_server.auth.sessions import (
    ETERNITY,
    delete_one_of,
    delete_sessions,
    list_sessions_of,
)
from trailbase_server.auth.state import AuthState
from trailbase_server.errors import NotFoundError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, empty, json_value

MAX_DIGITS = 18  # of a number that fits the database


async def list_sessions(state: AuthState, request: Request) -> Response:
    """
    List the caller's live sessions, the newest first. ``expires`` is null for eternal ones.

    Spec:
        auth/missing-features-users-compare
    """
    user_id = caller_of(request).user_id
    token, now_s = refresh_token_of(request), state.clock.now_s()
    found = await list_sessions_of(state.session_database, user_id, token, now_s)
    sessions = [
        {
            "id": number,
            "created": created,
            "expires": None if expires == ETERNITY else expires,
            "current": is_current,
        }
        for number, created, expires, is_current in found
    ]
    return json_value({"sessions": sessions})


async def end_other_sessions(state: AuthState, request: Request) -> Response:
    """
    End the caller's sessions but the one whose refresh token came with the request.

    Raises:
        BadRequestError: Cookies alone, from a foreign page.

    Spec:
        auth/missing-features-users-compare
    """
    identity = caller_of(request)
    check_intent(state, request, identity)
    token = refresh_token_of(request)
    await state.session_database.write(delete_sessions, identity.user_id, token)
    state.verified.forget(identity.user_id)
    return empty()


async def end_own_session(state: AuthState, request: Request) -> Response:
    """
    End one of the caller's sessions.

    Raises:
        BadRequestError: Cookies alone, from a foreign page.
        NotFoundError: The caller has no such session.

    Spec:
        auth/missing-features-users-compare
    """
    identity = caller_of(request)
    check_intent(state, request, identity)
    text = request.params["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise NotFoundError
    if not await state.session_database.write(delete_one_of, identity.user_id, int(text)):
        raise NotFoundError
    state.verified.forget(identity.user_id)
    return empty()
