"""The profile: who one is here, picture, second factor, sessions; and leaving for good."""

from datetime import UTC, datetime

from trailbase_server.auth.authenticate import caller_of, refresh_token_of
from trailbase_server.auth.avatar import create_avatar, delete_avatar
from trailbase_server.auth.credentials import check_credentials
from trailbase_server.auth.csrf import check_intent
from trailbase_server.auth.delete import delete_account
from trailbase_server.auth.factors import count_recovery_codes
from trailbase_server.auth.fields import read_body
from trailbase_server.auth.own_sessions import end_other_sessions, end_own_session
from trailbase_server.auth.pages.account import WITHOUT_NAMES
from trailbase_server.auth.pages.actions import act
from trailbase_server.auth.pages.links import (
    API,
    AVATAR,
    CHANGE_EMAIL,
    CHANGE_PASSWORD,
    CHANGE_USERNAME,
    DELETE,
    LOGIN,
    LOGOUT,
    PROFILE,
    SESSIONS,
    TOTP,
    page,
)
from trailbase_server.auth.pages.render import render_page
from trailbase_server.auth.pages.visit import Visit, ask_to_log_in, open_visit
from trailbase_server.auth.sessions import ETERNITY, list_sessions_of
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import find_user
from trailbase_server.errors import BadRequestError, NotFoundError
from trailbase_server.ids import encode_b64u
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response

submit_avatar = act(create_avatar, PROFILE, "picture changed", has_body=False)
submit_avatar_deletion = act(delete_avatar, PROFILE, "picture deleted")
submit_session_end = act(end_own_session, PROFILE, "session ended")
submit_other_sessions_end = act(end_other_sessions, PROFILE, "sessions ended")


async def show_profile(state: AuthState, request: Request) -> Response:
    """
    Show an account to its owner.

    Raises:
        BadRequestError: The query is too large.

    Spec:
        auth/profile-page
    """
    visit = await open_visit(state, request)
    if visit.user is None:
        return ask_to_log_in(visit)
    user = visit.user
    pictures = await state.database.query("SELECT 1 FROM _user_avatar WHERE user = ?1", (user.id,))
    services = {one.provider.id: one.display_name for one in state.options.providers}
    values = {
        "has_names": state.options.identifier_policy not in WITHOUT_NAMES,
        "service": services.get(user.provider_id, "OAuth") if user.provider_id > 0 else None,
        "avatar_url": f"{API}/avatar/{encode_b64u(user.id)}" if pictures else None,
        "upload_action": page(AVATAR, csrf_token=visit.csrf_token),
        "avatar_delete_action": f"{AVATAR}/delete",
        "sessions": await _sessions(visit),
        "sessions_action": f"{SESSIONS}/end",
        "codes_left": await count_recovery_codes(state.session_database, user.id),
        "links": {
            "change_email": CHANGE_EMAIL,
            "change_username": CHANGE_USERNAME,
            "change_password": CHANGE_PASSWORD,
            "totp": TOTP,
            "delete": DELETE,
        },
        "logout_action": LOGOUT,
    }
    return await render_page(visit, "profile", values)


async def _sessions(visit: Visit) -> list[dict[str, object]]:
    state = visit.state
    token, now_s = refresh_token_of(visit.request), state.clock.now_s()
    user_id = caller_of(visit.request).user_id
    found = await list_sessions_of(state.session_database, user_id, token, now_s)
    return [
        {
            "action": f"{SESSIONS}/end/{number}",
            "created": _time(created),
            "expires": None if expires == ETERNITY else _time(expires),
            "is_current": is_current,
        }
        for number, created, expires, is_current in found
    ]


def _time(unix_s: int) -> str:
    """Readable, and what ``datetime`` attributes take up to the name of the zone."""
    try:
        return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):  # beyond the calendar
        return "9999-12-31 23:59"


async def show_delete(state: AuthState, request: Request) -> Response:
    """
    Show the page that asks once more before an account is gone.

    Raises:
        BadRequestError: The query is too large.

    Spec:
        auth/profile-page
    """
    visit = await open_visit(state, request)
    if visit.user is None:
        return ask_to_log_in(visit)
    values = {
        "action": DELETE,
        "hidden": {"csrf_token": visit.csrf_token},
        "has_password": visit.user.password_hash is not None,
        "back_url": PROFILE,
    }
    return await render_page(visit, "delete", values)


async def _delete_for_sure(state: AuthState, request: Request) -> Response:
    """Delete an account whose owner has typed the password, or ticked the box without one."""
    identity, body = caller_of(request), read_body(request)
    check_intent(state, request, identity)
    user = await find_user(state.database, identity.user_id)
    if user is None:
        raise NotFoundError
    if user.password_hash is not None:
        await check_credentials(state, user, body.text("password") or "")
    elif not body.text("sure"):
        raise BadRequestError("not sure")
    return await delete_account(state, request)


submit_deletion = act(_delete_for_sure, DELETE, "account deleted", target=LOGIN)
