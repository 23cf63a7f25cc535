"""``POST /token``: an authorization code and its PKCE verifier become the tokens of a session."""

from hashlib import sha256

from trailbase_server.auth.fields import read_json
from trailbase_server.auth.sessions import CODE_LENGTH, take_code
from trailbase_server.auth.sign_in import answer_tokens, open_session
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import find_user
from trailbase_server.errors import BadRequestError, NotFoundError
from trailbase_server.ids import encode_b64u
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response


async def exchange_code(state: AuthState, request: Request) -> Response:
    """
    Exchange a code. It is good for one exchange, which only whoever asked for it can make.

    Raises:
        BadRequestError: That is no code.
        NotFoundError: It is unknown, used, expired, or was asked for by somebody else.

    Spec:
        auth/post-token-authorization-code-exchange
    """
    body = read_json(request)
    code, verifier = body.text("authorization_code"), body.text("pkce_code_verifier")
    if code is None or len(code.encode()) != CODE_LENGTH:
        raise BadRequestError("invalid auth code")
    if verifier is None:
        raise NotFoundError
    challenge = encode_b64u(sha256(verifier.encode()).digest()).rstrip("=")
    user_id = await state.session_database.write(take_code, code, challenge, state.clock.now_s())
    user = await find_user(state.database, user_id) if user_id is not None else None
    if user is None or user.unverified_email is not None:
        raise NotFoundError
    return answer_tokens(await open_session(state, user))
