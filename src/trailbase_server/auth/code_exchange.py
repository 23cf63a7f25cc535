"""``POST /token``: an authorization code and its PKCE verifier become the tokens of a session."""

import logging
from hashlib import sha256

from trailbase_server.auth.fields import read_json
from trailbase_server.auth.sessions import CODE_LENGTH, delete_stored_session, take_code
from trailbase_server.auth.sign_in import answer_tokens, open_session
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import find_user
from trailbase_server.errors import BadRequestError, NotFoundError
from trailbase_server.ids import encode_b64u
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response

log = logging.getLogger(__name__)


async def exchange_code(state: AuthState, request: Request) -> Response:
    """
    Exchange a code. It is good for one exchange, which only whoever asked for it can make; a second
    attempt ends the session that the first one has opened.

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
    if user_id is None:
        await _end_session_of(state, code, challenge)
    user = await find_user(state.database, user_id) if user_id is not None else None
    if user is None or user.unverified_email is not None:
        raise NotFoundError
    session = await open_session(state, user)
    state.used_codes.remember(code, challenge, session.refresh_token)
    return answer_tokens(session)


async def _end_session_of(state: AuthState, code: str, challenge: str) -> None:
    """Two parties know this code: what the first one got for it ends."""
    stored_token = state.used_codes.take(code, challenge)
    if stored_token is not None:
        log.warning("an authorization code was used twice: its session has been ended")
        await state.session_database.write(delete_stored_session, stored_token)
