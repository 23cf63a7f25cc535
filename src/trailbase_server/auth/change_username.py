"""``POST /change_username``: another name, or none where an address does."""

from trailbase_server.auth.authenticate import caller_of
from trailbase_server.auth.csrf import check_intent
from trailbase_server.auth.fields import merged, read_body, read_query
from trailbase_server.auth.identifiers import parse_new_username
from trailbase_server.auth.options import IdentifierPolicy
from trailbase_server.auth.replies import fail_on_page, send_on
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import find_user, set_username
from trailbase_server.db.errors import ConstraintError
from trailbase_server.errors import BadRequestError, ConflictError, NotFoundError
from trailbase_server.ids import UserId
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response

_WITHOUT_NAMES = (IdentifierPolicy.UNDEFINED, IdentifierPolicy.ONLY_EMAIL)
_CAN_DO_WITHOUT = (*_WITHOUT_NAMES, IdentifierPolicy.REQUIRE_EMAIL)


async def change_username(state: AuthState, request: Request) -> Response:
    """
    Replace the caller's username. Tokens keep the old one until they are refreshed.

    Raises:
        BadRequestError: The policy does not allow it, or the name does not do.
        ConflictError: It is taken.
        NotFoundError: The account is gone.

    Spec:
        auth/post-change-username
    """
    query, identity = read_query(request), caller_of(request)
    body = read_body(request)
    typed = body.text("new_username")
    check_intent(state, request, identity, body.text("csrf_token"))
    if state.demo:
        raise BadRequestError("Disallowed in demo")
    target = state.check_redirect(merged("redirect_uri", query, body))
    error_target = state.check_redirect(merged("err_redirect_uri", query, body)) or target
    policy = state.options.identifier_policy
    if typed is not None and policy in _WITHOUT_NAMES:
        raise BadRequestError("Cannot change username")
    is_unset = typed is None or (typed == "" and policy == IdentifierPolicy.REQUIRE_EMAIL)
    if is_unset and (policy not in _CAN_DO_WITHOUT or not identity.email):
        raise BadRequestError("Cannot unset username")
    try:
        name = None if is_unset else parse_new_username(typed or "")
        await _replace(state, identity.user_id, name)
    except (BadRequestError, ConflictError) as exc:
        return fail_on_page(exc, body, error_target)
    return send_on(body, target)


async def _replace(state: AuthState, user_id: UserId, name: str | None) -> None:
    user = await find_user(state.database, user_id)
    if user is None:
        raise NotFoundError
    if name is None and user.email is None:  # whatever the token says
        raise BadRequestError("Cannot unset username")
    try:
        await state.database.write(set_username, user_id, name)
    except ConstraintError as exc:
        raise ConflictError(detail=exc.detail) from exc
