"""
``POST /register``: a new account with a password.

The answer is the same, and takes the same time, whether the account was made or the address or name
is taken, so that nobody can find out which accounts there are. Nor does it tell whether the mail
could be sent: it is only sent to new accounts.
"""

import asyncio
import logging

from trailbase_server.auth.fields import merged, read_body, read_query
from trailbase_server.auth.identifiers import check_registration
from trailbase_server.auth.letters import send_verification
from trailbase_server.auth.password import check_password
from trailbase_server.auth.redirects import render_location
from trailbase_server.auth.replies import fail_on_page, notify
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import insert_registration
from trailbase_server.db.errors import ConstraintError
from trailbase_server.errors import BadRequestError, ForbiddenError
from trailbase_server.ids import UserId, new_uuid4
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, redirect, text

log = logging.getLogger(__name__)


async def register_user(state: AuthState, request: Request) -> Response:
    """
    Register.

    Raises:
        BadRequestError: Target, identifiers or password do not do.
        ForbiddenError: Registration by password is switched off.

    Spec:
        auth/post-register
    """
    query, body = read_query(request), read_body(request)
    email, username = body.text("email"), body.text("username")
    password, repeated = body.required("password"), body.required("password_repeat")
    target = merged("redirect_uri", query, body)
    if state.options.disable_password_auth:
        raise ForbiddenError
    target = state.check_redirect(target)
    error_target = state.check_redirect(merged("err_redirect_uri", query, body)) or target
    email, username = check_registration(state.options.identifier_policy, email, username)
    try:
        check_password(state.options.password_rules, password, repeated)
    except BadRequestError as exc:
        return fail_on_page(exc, body, error_target)
    password_hash = await state.passwords.hash(password)
    insertion = asyncio.create_task(_insert(state, email, username, password_hash))
    await state.background.run(_send_to_new(state, insertion, email, target))
    await insertion
    return _answer(email, target)


async def _insert(
    state: AuthState, email: str | None, username: str | None, password_hash: str
) -> UserId | None:
    """Add the account; None if address or name are taken."""
    user_id = UserId(new_uuid4())
    try:
        is_new = await state.database.write(
            insert_registration, user_id, email, username, password_hash
        )
    except ConstraintError as exc:
        log.info("registration refused: %s", exc.detail)
        return None
    if not is_new:
        return None
    state.events.count("registration")
    return user_id


async def _send_to_new(
    state: AuthState, insertion: asyncio.Task[UserId | None], email: str | None, target: str | None
) -> None:
    user_id = await insertion
    if user_id is not None and email is not None:
        await send_verification(state, user_id, email, target)


def _answer(email: str | None, target: str | None) -> Response:
    if email is None:
        return text("Registered") if target is None else redirect(render_location(target))
    notice = f"Registered {email}. Please follow the link in the mail we sent to verify the address"
    return notify(notice, target)
