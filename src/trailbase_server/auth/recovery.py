"""
Recovery codes: what somebody whose authenticator is lost logs in with.

``POST /totp/recovery_codes`` makes a new set and shows it once, ``GET`` tells how many are left.
The reference has nothing like it.
"""

from trailbase_server.auth.authenticate import caller_of
from trailbase_server.auth.csrf import check_intent
from trailbase_server.auth.factors import (
    count_recovery_codes,
    new_recovery_codes,
    replace_recovery_codes,
    stored_recovery_code,
)
from trailbase_server.auth.fields import read_body
from trailbase_server.auth.login_mfa import check_second_factor
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import find_user
from trailbase_server.errors import BadRequestError, NotFoundError
from trailbase_server.ids import UserId
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value


async def create_recovery_codes(state: AuthState, request: Request) -> Response:
    """
    Make a set of recovery codes; earlier ones are void.

    The body's ``totp`` is a code of the second factor: a stolen session is not enough.

    Raises:
        BadRequestError: There is no second factor, or this is a demo.
        UnauthorizedError: The code is wrong.
        TooManyRequestsError: Too many wrong ones lately.
        NotFoundError: The account is gone.

    Spec:
        auth/missing-features-users-compare
    """
    identity = caller_of(request)
    body = read_body(request)
    code = body.required("totp")
    check_intent(state, request, identity, body.text("csrf_token"))
    if state.demo:
        raise BadRequestError("Disallowed in demo")
    user = await find_user(state.database, identity.user_id)
    if user is None:
        raise NotFoundError
    if user.totp_secret is None:
        raise BadRequestError("there is no second factor")
    await check_second_factor(state, user, code)
    return json_value({"recovery_codes": await issue_recovery_codes(state, user.id)})


async def issue_recovery_codes(state: AuthState, user_id: UserId) -> list[str]:
    """Make a set of codes for somebody whose second factor has just been checked."""
    codes = new_recovery_codes()
    stored = [stored_recovery_code(state.keys, user_id, one) or "" for one in codes]
    now_s = state.clock.now_s()
    await state.session_database.write(replace_recovery_codes, user_id, stored, now_s)
    return codes


async def read_recovery_codes(state: AuthState, request: Request) -> Response:
    """
    Tell how many recovery codes the caller has left.

    Spec:
        auth/missing-features-users-compare
    """
    user_id = caller_of(request).user_id
    return json_value({"remaining": await count_recovery_codes(state.session_database, user_id)})
