"""
Anonymous users: ``/login_anonymous`` makes one, ``/promote_anonymous`` gives it a password and a
name of its own.

An anonymous account has neither password nor address; whoever loses its session has lost it.
"""

from trailbase_server.auth.addresses import find_waiting
from trailbase_server.auth.authenticate import caller_of
from trailbase_server.auth.csrf import check_intent
from trailbase_server.auth.fields import merged, read_body, read_query
from trailbase_server.auth.identifiers import check_registration
from trailbase_server.auth.letters import send_verification
from trailbase_server.auth.password import check_password
from trailbase_server.auth.replies import fail_on_page, notify
from trailbase_server.auth.sign_in import LoginParams, answer_login
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import User, find_user, insert_anonymous, promote_user
from trailbase_server.crypto import LOWER_ALPHANUMERIC, random_text
from trailbase_server.db.errors import ConstraintError
from trailbase_server.errors import (
    BadRequestError,
    ConflictError,
    DependencyError,
    NotFoundError,
)
from trailbase_server.ids import UserId, new_uuid4
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response

PREFIX = "anon"
SUFFIX_LENGTH = 6  # characters
MAX_TRIES = 5  # names that are taken


async def login_anonymously(state: AuthState, request: Request) -> Response:
    """
    Make an account without anything, and log it in.

    Raises:
        NotFoundError: The feature is off.
        BadRequestError: The target does not do.
        ConflictError: No free name was found.

    Spec:
        auth/anonymous-users
    """
    _check_enabled(state)
    query, body = read_query(request), read_body(request)
    target = state.check_redirect(merged("redirect_uri", query, body))
    user = await _create(state)
    ttl_s = state.options.anonymous_refresh_ttl_s
    return await answer_login(
        state, user, LoginParams(target), is_form=body.is_form, refresh_ttl_s=ttl_s
    )


def _check_enabled(state: AuthState) -> None:
    if not state.options.enable_anonymous:
        raise NotFoundError


async def _create(state: AuthState) -> User:
    for _ in range(MAX_TRIES):
        user_id = UserId(new_uuid4())
        name = PREFIX + random_text(SUFFIX_LENGTH, LOWER_ALPHANUMERIC)
        try:
            await state.database.write(insert_anonymous, user_id, name)
        except ConstraintError:
            continue
        user = await find_user(state.database, user_id)
        if user is not None:
            return user
    raise ConflictError(detail="no free name")


async def promote_anonymous(state: AuthState, request: Request) -> Response:
    """
    Turn the caller's anonymous account into an ordinary one.

    With an address the session pauses until the address is confirmed.

    Raises:
        NotFoundError: The feature is off, or the account is gone.
        BadRequestError: Targets, identifiers or password do not do; the name is taken.
        DependencyError: The account is no anonymous one.

    Spec:
        auth/anonymous-users
    """
    query, identity = read_query(request), caller_of(request)
    _check_enabled(state)
    body = read_body(request)
    password, repeated = body.required("new_password"), body.text("new_password_repeat")
    typed_email, typed_name = body.text("new_email"), body.text("new_username")
    check_intent(state, request, identity, body.text("csrf_token"))
    if state.demo:
        raise BadRequestError("Disallowed in demo")
    target = state.check_redirect(merged("redirect_uri", query, body))
    error_target = state.check_redirect(merged("err_redirect_uri", query, body)) or target
    policy = state.options.identifier_policy
    email, username = check_registration(policy, typed_email, typed_name)
    try:
        repeated = password if repeated is None else repeated
        check_password(state.options.password_rules, password, repeated)
    except BadRequestError as exc:
        return fail_on_page(exc, body, error_target)
    await _promote(state, identity.user_id, email, username, password)
    if email is not None:
        await state.background.run(_send(state, identity.user_id, email, target))
    return notify("promoted", target)


async def _promote(
    state: AuthState, user_id: UserId, email: str | None, username: str | None, password: str
) -> None:
    user = await find_user(state.database, user_id)
    if user is None:
        raise NotFoundError
    is_anonymous = user.password_hash is None and user.provider_id == 0 and user.email is None
    if not is_anonymous:
        raise DependencyError(detail="not an anonymous account")
    password_hash = await state.passwords.hash(password)
    if not await state.database.write(promote_user, user_id, email, username, password_hash):
        raise DependencyError(detail="promoted meanwhile")


async def _send(state: AuthState, user_id: UserId, email: str, target: str | None) -> None:
    """Mail the link, unless the address is somebody else's already: it could not be confirmed."""
    if await find_waiting(state.database, email) is not None:
        await send_verification(state, user_id, email, target)
