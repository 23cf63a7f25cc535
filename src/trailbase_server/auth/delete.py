"""``DELETE /delete``: leave for good."""

import logging

from trailbase_server.auth.cookies import remove_cookies
from trailbase_server.auth.csrf import check_intent
from trailbase_server.auth.factors import forget_user
from trailbase_server.auth.sessions import delete_sessions
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import delete_user
from trailbase_server.db.errors import DatabaseError
from trailbase_server.errors import BadRequestError, UnauthorizedError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, text

log = logging.getLogger(__name__)


async def delete_account(state: AuthState, request: Request) -> Response:
    """
    Delete the caller's account, what cascades from it, their sessions and factors.

    Raises:
        BadRequestError: Cookies alone, from a foreign page; or this is a demo.
        ConstraintError: Other rows refer to the account; it stays, and so do its sessions.

    Spec:
        auth/delete-delete
    """
    identity = request.identity
    if identity is None:
        raise UnauthorizedError
    check_intent(state, request, identity)
    if state.demo:  # an account that others use as well
        raise BadRequestError("Disallowed in demo")
    await state.database.write(delete_user, identity.user_id)
    state.verified.forget(identity.user_id)
    try:
        await state.session_database.write(delete_sessions, identity.user_id)
        await state.session_database.write(forget_user, identity.user_id)
    except DatabaseError as exc:
        # The rows are worth nothing without the account, and run out or are tidied up.
        log.warning("the sessions of a deleted account stay until they expire: %s", exc.detail)
    response = text("account deleted")
    response.headers += remove_cookies(request)
    return response
