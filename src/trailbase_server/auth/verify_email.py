"""
Confirming an address: ``/verify_email/trigger`` mails the link again, ``/verify_email/confirm/…``
is the link.

A link is followed by people, by mail scanners, and twice: HEAD changes nothing, and what is
confirmed already is a success.
"""

from trailbase_server.auth.addresses import confirm_address, find_waiting
from trailbase_server.auth.fields import read_query
from trailbase_server.auth.identifiers import parse_email
from trailbase_server.auth.letters import VERIFY_AGAIN_TTL_S, send_verification
from trailbase_server.auth.limits import identifier_key
from trailbase_server.auth.replies import notify
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.tokens import TokenKind, read_flow_token, subject_of
from trailbase_server.errors import BadRequestError, UnauthorizedError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, text


async def request_verification(state: AuthState, request: Request) -> Response:
    """
    Mail the link once more, if an account waits for this address.

    The answer says nothing about that, nor does the time it takes.

    Raises:
        BadRequestError: Target or address are malformed.
        TooManyRequestsError: Too soon after the last time.

    Spec:
        auth/get-verify-email-trigger
    """
    query = read_query(request)
    target = state.check_redirect(query.text("redirect_uri"))
    email = parse_email(query.required("email"))
    if not request.head:
        state.limits.verify.demand(identifier_key(email))
        await state.background.run(_send_again(state, email, target))
    return notify("If an account waits for this address, a mail is on its way", target)


async def _send_again(state: AuthState, email: str, target: str | None) -> None:
    user_id = await find_waiting(state.database, email)
    if user_id is not None:
        await send_verification(state, user_id, email, target, VERIFY_AGAIN_TTL_S)


async def confirm_email(state: AuthState, request: Request) -> Response:
    """
    Confirm the address that an account waits for. Needs no log-in, and is none.

    Raises:
        BadRequestError: Target or token do not do.
        UnauthorizedError: The account does not wait for this address any more.
        ConstraintError: The address belongs to somebody else by now.

    Spec:
        auth/get-verify-email-confirm-token
    """
    target = state.check_redirect(read_query(request).text("redirect_uri"))
    if request.head:
        return text("")  # a HEAD: without its body
    token = request.params["token"]
    claims = read_flow_token(state.keys, TokenKind.VERIFY_EMAIL, token, state.clock.now())
    user_id = subject_of(claims)
    if claims is None or user_id is None:
        raise BadRequestError("invalid token")
    outcome = await state.database.write(confirm_address, user_id, claims["email"])
    if outcome == "stale":
        raise UnauthorizedError(detail="the account does not wait for this address")
    return notify("email verified", target)
