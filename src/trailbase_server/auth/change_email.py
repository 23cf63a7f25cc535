"""
Changing the address: a request by somebody who is logged in, and the link in the mail to the new
address. Nothing is stored in between.

Whoever owns the old address is told when it is done, and the sessions end.
"""

from trailbase_server.auth.addresses import change_address, drop_address
from trailbase_server.auth.authenticate import caller_of, refresh_token_of
from trailbase_server.auth.fields import Fields, merged, read_body, read_query
from trailbase_server.auth.identifiers import parse_email
from trailbase_server.auth.letters import notify_old_address, send_change_email
from trailbase_server.auth.options import IdentifierPolicy
from trailbase_server.auth.redirects import render_location
from trailbase_server.auth.replies import fail_on_page, notify, send_on
from trailbase_server.auth.sessions import delete_sessions
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.tokens import TokenKind, read_flow_token, subject_of
from trailbase_server.auth.users import User, find_by_email, find_user
from trailbase_server.crypto import is_same_secret
from trailbase_server.errors import BadRequestError, ConflictError, ForbiddenError
from trailbase_server.ids import UserId
from trailbase_server.web.identity import Identity
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, redirect, text

_CAN_DO_WITHOUT = (IdentifierPolicy.REQUIRE_USERNAME, IdentifierPolicy.ONLY_USERNAME)


async def request_email_change(state: AuthState, request: Request) -> Response:
    """
    Mail a link to a new address; or give the address up at once, where usernames do.

    Raises:
        BadRequestError: CSRF token, target, addresses; or the account cannot do without.
        ForbiddenError: The account is gone.
        ConflictError: It has no name besides the address.
        TooManyRequestsError: Too many mails lately.

    Spec:
        auth/post-change-email-request
    """
    query, body = read_query(request), read_body(request)
    return await _request(state, request, query, body, body.required("csrf_token"))


async def request_email_change_plainly(state: AuthState, request: Request) -> Response:
    """
    The same for callers that send their token in a header: they need no CSRF token.

    One official client posts here; the reference has no such path.

    Raises:
        BadRequestError: As above.
        ForbiddenError: As above.
        ConflictError: As above.
        TooManyRequestsError: As above.

    Spec:
        auth/functional-defects
    """
    query, body = read_query(request), read_body(request)
    identity = caller_of(request)
    csrf = body.required("csrf_token") if identity.from_cookie else identity.csrf_token
    return await _request(state, request, query, body, csrf)


async def _request(
    state: AuthState, request: Request, query: Fields, body: Fields, csrf: str
) -> Response:
    identity = caller_of(request)
    old_email, new_email = body.text("old_email"), body.text("new_email")
    if state.demo:
        raise BadRequestError("Disallowed in demo")
    if not is_same_secret(csrf, identity.csrf_token):
        raise BadRequestError("Invalid CSRF token")
    target = state.check_redirect(merged("redirect_uri", query, body))
    error_target = state.check_redirect(merged("err_redirect_uri", query, body)) or target
    if new_email is None:
        await _give_up(state, request, identity)
        return send_on(body, target)
    address = parse_email(new_email)
    user = await find_user(state.database, identity.user_id)
    if user is None:
        raise ForbiddenError
    if body.is_form and (old_email or "").strip() != (user.email or ""):
        wrong = BadRequestError("the old address is not the one of this account")
        return fail_on_page(wrong, body, error_target)
    state.limits.change_email.demand(user.id)
    await state.background.run(_send(state, user, address, target))
    notice = "A mail with a link is on its way to the new address"
    return notify(notice, target) if body.is_form else text(notice)


async def _send(state: AuthState, user: User, address: str, target: str | None) -> None:
    owner = await find_by_email(state.database, address)
    if owner is None or owner.id == user.id:
        await send_change_email(state, user, address, target)


async def _give_up(state: AuthState, request: Request, identity: Identity) -> None:
    if state.options.identifier_policy not in _CAN_DO_WITHOUT or not identity.username:
        raise BadRequestError("Cannot unset email")
    user = await find_user(state.database, identity.user_id)
    if user is None or not await state.database.write(drop_address, user.id):
        raise ConflictError
    await _after_change(state, request, user.id, user.email or "", None)


async def confirm_email_change(state: AuthState, request: Request) -> Response:
    """
    Replace the address. Needs no log-in: the link proves that the mailbox is read.

    Raises:
        BadRequestError: Target or token do not do.
        ConflictError: The account has another address by now, or is gone.
        ConstraintError: The address belongs to somebody else by now.

    Spec:
        auth/get-change-email-confirm-token
    """
    if state.demo:
        raise BadRequestError("Disallowed in demo")
    target = state.check_redirect(read_query(request).text("redirect_uri"))
    if request.head:
        return text("")  # a HEAD: without its body
    token = request.params["token"]
    claims = read_flow_token(state.keys, TokenKind.CHANGE_EMAIL, token, state.clock.now())
    user_id = subject_of(claims)
    if claims is None or user_id is None:
        raise BadRequestError("Invalid token")
    old, new = claims["old_email"], claims["new_email"]
    outcome = await state.database.write(change_address, user_id, old, new)
    if outcome == "stale":
        raise ConflictError
    if outcome == "done":
        await _after_change(state, request, user_id, old, new)
    if target is None and state.has_public_dir:
        target = "/"
    return redirect(render_location(target)) if target is not None else text("email changed")


async def _after_change(
    state: AuthState, request: Request, user_id: UserId, old: str, new: str | None
) -> None:
    """End the sessions but the one that the request comes from; tell the old address."""
    await state.session_database.write(delete_sessions, user_id, refresh_token_of(request))
    state.verified.forget(user_id)
    if old:
        await notify_old_address(state, old, new)
