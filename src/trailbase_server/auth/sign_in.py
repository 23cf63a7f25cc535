"""
The last step of every way to log in: open a session and hand its tokens over.

What a log-in is asked to end with comes in four parameters, in the query or the body; the query
wins. Only the merged and checked values are ever used.
"""

from typing import Literal

from msgspec import Struct

from trailbase_server.auth.authenticate import auth_cookie
from trailbase_server.auth.cookies import REFRESH_COOKIE, SameSite, set_cookie
from trailbase_server.auth.fields import Fields
from trailbase_server.auth.redirects import add_parameters, render_location
from trailbase_server.auth.sessions import (
    expiry_of,
    insert_code,
    insert_session,
    new_code,
    new_refresh_token,
    stored_form,
)
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.tokens import mint_auth_token
from trailbase_server.auth.users import User
from trailbase_server.errors import BadRequestError
from trailbase_server.ids import decode_b64u
from trailbase_server.web.audit import annotate
from trailbase_server.web.identity import Identity
from trailbase_server.web.request import Headers
from trailbase_server.web.response import Response, json_value, redirect, text


class LoginParams(Struct, frozen=True):
    """
    What a log-in is to end with.

    Attributes:
        redirect_uri: Checked target.
        mfa_redirect_uri: Checked target of somebody who still needs a second factor.
        code_challenge: PKCE challenge; set exactly when a code is wanted instead of tokens.
    """

    redirect_uri: str | None = None
    mfa_redirect_uri: str | None = None
    code_challenge: str | None = None

    @property
    def response_type(self) -> Literal["token", "code"]:
        """What is handed over."""
        return "token" if self.code_challenge is None else "code"


def merge_login_params(state: AuthState, query: Fields, body: Fields | None = None) -> LoginParams:
    """
    Merge and check the parameters of a log-in.

    Raises:
        BadRequestError: A target is not acceptable, or the parameters do not fit together.

    Spec:
        auth/endpoints
    """

    def merged(name: str) -> str | None:
        value = query.text(name)
        return body.text(name) if value is None and body is not None else value

    target = state.check_redirect(merged("redirect_uri"))
    mfa_target = state.check_redirect(merged("mfa_redirect_uri"))
    response_type, challenge = merged("response_type"), merged("pkce_code_challenge")
    if response_type not in (None, "token", "code"):
        raise BadRequestError("invalid 'response_type'")
    if response_type != "code":
        if challenge is not None:
            raise BadRequestError("'pkce_code_challenge' needs 'response_type=code'")
        return LoginParams(target, mfa_target)
    if target is None:
        raise BadRequestError("missing 'redirect_uri'")
    if challenge is None:
        raise BadRequestError("missing 'pkce_code_challenge'")
    if not _is_challenge(challenge):
        raise BadRequestError("invalid 'pkce_code_challenge'")
    return LoginParams(target, mfa_target, challenge)


def _is_challenge(text: str) -> bool:
    if not text or "=" in text:
        return False
    return decode_b64u(text + "=" * (-len(text) % 4)) is not None


class Session(Struct, frozen=True):
    """
    A session that was just opened.

    Attributes:
        identity: With the auth token.
        refresh_token: As the client keeps it.
        refresh_ttl_s: Configured life; negative means for ever.
    """

    identity: Identity
    refresh_token: str
    refresh_ttl_s: int


async def open_session(
    state: AuthState, user: User, *, refresh_ttl_s: int | None = None, auth_ttl_s: int | None = None
) -> Session:
    """
    Store a session and mint its tokens.

    Args:
        state: Of this package.
        user: Whose; verified.
        refresh_ttl_s, auth_ttl_s: Lives in seconds, None for the configured ones.
    """
    if user.admin:
        annotate(actor=(user.id, user.email or user.username or ""))
    options, now_s = state.options, state.clock.now_s()
    refresh_ttl_s = options.refresh_ttl_s if refresh_ttl_s is None else refresh_ttl_s
    auth_ttl_s = options.auth_ttl_s if auth_ttl_s is None else auth_ttl_s
    identity = mint_auth_token(state.keys, user, now_s, auth_ttl_s)
    refresh_token = new_refresh_token()
    await state.session_database.write(
        insert_session,
        user.id,
        stored_form(refresh_token),
        now_s,
        expiry_of(now_s, refresh_ttl_s),
    )
    state.events.count("session")
    return Session(identity, refresh_token, refresh_ttl_s)


def answer_tokens(session: Session) -> Response:
    """Hand tokens over as JSON."""
    return json_value(
        {
            "auth_token": session.identity.token,
            "refresh_token": session.refresh_token,
            "csrf_token": session.identity.csrf_token,
        }
    )


async def answer_login(
    state: AuthState,
    user: User,
    params: LoginParams,
    *,
    is_form: bool,
    refresh_ttl_s: int | None = None,
    same_site: SameSite = "Strict",
) -> Response:
    """
    End a successful log-in.

    Args:
        state: Of this package.
        user: Who has proven who they are.
        params: What is wanted.
        is_form: A browser: it gets cookies and is sent on.
        refresh_ttl_s: Life of the session in seconds, None for the configured one.
        same_site: Of the cookie with the auth token.

    Returns:
        A redirect with a code; or tokens as JSON; or cookies with a redirect, or with a text when
        there is nowhere to go.
    """
    if params.code_challenge is not None and params.redirect_uri is not None:
        code = new_code()
        await state.session_database.write(
            insert_code, user.id, stored_form(code), params.code_challenge, state.clock.now_s()
        )
        return redirect(render_location(add_parameters(params.redirect_uri, code=code)))
    session = await open_session(state, user, refresh_ttl_s=refresh_ttl_s)
    if not is_form:
        return answer_tokens(session)
    cookies = session_cookies(state, session, same_site)
    target = params.redirect_uri or ("/" if state.has_public_dir else None)
    if target is not None:
        return redirect(render_location(target), cookies)
    response = text("logged in")
    response.headers += cookies
    return response


def session_cookies(state: AuthState, session: Session, same_site: SameSite = "Strict") -> Headers:
    """Headers that store both tokens of a session."""
    return [
        auth_cookie(state, session.identity, same_site),
        set_cookie(
            REFRESH_COOKIE,
            session.refresh_token,
            session.refresh_ttl_s,
            secure=state.secure_cookies,
        ),
    ]
