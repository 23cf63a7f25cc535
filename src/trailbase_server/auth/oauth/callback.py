"""
``/oauth/{provider}/callback``: a browser comes back from a service.

.. code-block:: text

    cookie and state agree ── no ──> 400, the cookie goes
            │ yes
    service said yes? code good? ── no ──> err_redirect_uri, else redirect_uri, with ?alert=
            │ yes
    account found or made ──> second factor, if it has one ──> session or code
            └ or linked, if that was asked for (``link``)

Until the end the cookie stays, so that a failure of the moment can be tried again.
"""

import logging
import re
from http import HTTPStatus

from msgspec.structs import replace

from trailbase_server.auth.cookies import OAUTH_STATE_COOKIE, read_cookies, remove_cookies
from trailbase_server.auth.fields import Fields, read_body, read_query
from trailbase_server.auth.login_mfa import finish_login
from trailbase_server.auth.oauth.enrol import find_or_create
from trailbase_server.auth.oauth.exchange import fetch_profile
from trailbase_server.auth.oauth.link import end_link
from trailbase_server.auth.oauth.pending import Pending, parse_pending
from trailbase_server.auth.oauth.provider import Application
from trailbase_server.auth.oauth.start import PATH, callback_url, find_application
from trailbase_server.auth.redirects import add_parameters
from trailbase_server.auth.replies import redirect_with_alert
from trailbase_server.auth.sign_in import answer_login
from trailbase_server.auth.state import AuthState
from trailbase_server.auth.users import User
from trailbase_server.crypto import is_same_secret
from trailbase_server.errors import AppError, BadRequestError, MethodNotAllowedError
from trailbase_server.web.errors import FIRST_SERVER_ERROR
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, empty, redirect, text

log = logging.getLogger(__name__)

MFA_PAGE = "/_/auth/login_mfa"  # of the built-in pages; for those who name no other
MAX_ANSWER = 8192  # characters of what a form brings back; codes have about 100
_ERROR_CODE = re.compile(r"[a-z_]{1,40}\Z")
# The address of this page holds a code.
_NO_REFERRER = (b"referrer-policy", b"no-referrer")


class RefusedError(BadRequestError):
    """The service, or its user, said no."""


async def end_login(state: AuthState, request: Request) -> Response:
    """
    Log in whom a service has sent back.

    Raises:
        MethodNotAllowedError: The service is unknown or not configured.
        BadRequestError: Parameters are missing, or this is not the answer that the browser waits
            for; also a refusal, where there is no page to tell it on.
        UnauthorizedError, DependencyError, ConflictError: What goes wrong, where there is no page
            to tell it on.

    Spec:
        auth/get-oauth-provider-callback
    """
    application = find_application(state, request)
    query = read_query(request)
    secret, error = query.required("state"), query.text("error")
    code = query.required("code") if error is None else ""
    if request.head:
        return empty()  # HEAD changes nothing
    token = read_cookies(request).get(OAUTH_STATE_COOKIE)
    if token is None:
        raise BadRequestError("missing state")
    pending = parse_pending(state.keys, token, state.clock.now())
    if pending is None or not _belongs(pending, application, secret):
        response = text("invalid state", HTTPStatus.BAD_REQUEST)
        response.headers += remove_cookies(request, (OAUTH_STATE_COOKIE,))
        return response
    for target in (
        pending.params.redirect_uri,
        pending.params.mfa_redirect_uri,
        pending.error_uri,
    ):
        state.check_redirect(target)
    try:
        if error is not None:
            raise _refusal(error)
        callback = callback_url(state, application)
        application = await state.discovery.complete(application)
        profile = await fetch_profile(state, application, pending, code, callback)
        if pending.link is not None:
            target = pending.params.redirect_uri
            response = await end_link(state, application, profile, pending.link, target)
        else:
            user = await find_or_create(state, application.provider.id, profile)
            response = await _finish(state, user, pending)
    except AppError as exc:
        return _fail(request, application, pending, exc)
    response.headers += [*remove_cookies(request, (OAUTH_STATE_COOKIE,)), _NO_REFERRER]
    return response


async def receive_form(state: AuthState, request: Request) -> Response:
    """
    Take the answer of a service that sends it as a form, and go on as if it came in the address.

    A form of another site comes without our cookie; the redirect brings it back.

    Raises:
        MethodNotAllowedError: The service is unknown, not configured, or sends no forms.
        BadRequestError: The form is malformed.

    Spec:
        auth/functional-defects
    """
    application = find_application(state, request)
    if not application.provider.posts_back:
        raise MethodNotAllowedError
    answer = _known_fields(read_body(request))
    if sum(map(len, answer.values())) > MAX_ANSWER:
        raise BadRequestError("the answer is too long")
    location = add_parameters(f"{PATH}/{application.name}/callback", **answer)
    return redirect(location, [_NO_REFERRER])


def _known_fields(body: Fields) -> dict[str, str]:
    found = {name: body.text(name) for name in ("code", "state", "error")}
    return {name: value for name, value in found.items() if value is not None}


def _belongs(pending: Pending, application: Application, secret: str) -> bool:
    return pending.provider == application.name and is_same_secret(pending.secret, secret)


async def _finish(state: AuthState, user: User, pending: Pending) -> Response:
    params = pending.params
    if user.totp_secret is None:
        # Strict cookies do not survive the last step of a way that began on another site.
        return await answer_login(state, user, params, is_form=True, same_site="Lax")
    page = params.mfa_redirect_uri or MFA_PAGE
    if params.code_challenge is None and params.redirect_uri is not None:
        page = add_parameters(page, redirect_uri=params.redirect_uri)
    return await finish_login(state, user, replace(params, mfa_redirect_uri=page), is_form=True)


def _refusal(error: str) -> RefusedError:
    if error == "access_denied":
        return RefusedError("the service or its user refused")
    code = error if _ERROR_CODE.match(error) else "unknown error"
    return RefusedError(f"the service refused: {code}")


def _fail(
    request: Request, application: Application, pending: Pending, error: AppError
) -> Response:
    """Tell a browser on its page what went wrong; without a page, or if we failed, raise it."""
    if error.status >= FIRST_SERVER_ERROR:
        raise error
    log.warning("log-in with %s failed: %s", application.name, error.detail or error.public)
    target = pending.error_uri or pending.params.redirect_uri
    dropped = isinstance(error, RefusedError)  # there is nothing to try again
    headers = remove_cookies(request, (OAUTH_STATE_COOKIE,)) if dropped else []
    if target is None:
        if not dropped:
            raise error
        response = text(error.public, error.status)
    else:
        status = HTTPStatus(error.status)
        reason = error.public or f"{status.value} {status.phrase}"
        response = redirect_with_alert(target, f"Login Failed: {reason}")
    response.headers += [*headers, _NO_REFERRER]
    return response
