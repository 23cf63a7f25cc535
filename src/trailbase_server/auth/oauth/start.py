"""``GET /oauth/{provider}/login``: send a browser to a service, with a cookie to come back with."""

from trailbase_server.auth.cookies import OAUTH_STATE_COOKIE, set_cookie
from trailbase_server.auth.fields import read_query
from trailbase_server.auth.oauth.exchange import challenge_of
from trailbase_server.auth.oauth.pending import (
    PENDING_TTL_S,
    Pending,
    new_pending,
    render_pending,
)
from trailbase_server.auth.oauth.provider import Application
from trailbase_server.auth.redirects import add_parameters, render_location, render_origin
from trailbase_server.auth.sign_in import merge_login_params
from trailbase_server.auth.state import AuthState
from trailbase_server.errors import MethodNotAllowedError
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, redirect

PATH = "/api/auth/v1/oauth"


async def begin_login(state: AuthState, request: Request) -> Response:
    """
    Send a browser to a service.

    Raises:
        MethodNotAllowedError: The service is unknown or not configured.
        BadRequestError: Parameters are malformed.
        DependencyError: The service publishes its addresses, and does not tell them.

    Spec:
        auth/get-oauth-provider-login
    """
    application = await state.discovery.complete(find_application(state, request))
    query = read_query(request)
    params = merge_login_params(state, query)
    error_uri = state.check_redirect(query.text("err_redirect_uri"))
    pending = new_pending(application.name, params, error_uri)
    location, cookie = go_to_service(state, application, pending)
    return redirect(render_location(location), [cookie])


def go_to_service(
    state: AuthState, application: Application, pending: Pending
) -> tuple[str, tuple[bytes, bytes]]:
    """Where a browser goes, and the header of the cookie that it comes back with."""
    cookie = set_cookie(
        OAUTH_STATE_COOKIE,
        render_pending(state.keys, pending, state.clock.now_s()),
        PENDING_TTL_S,
        secure=state.secure_cookies,
        same_site="Lax",
    )
    return _authorize_url(application, pending, callback_url(state, application)), cookie


def find_application(state: AuthState, request: Request) -> Application:
    """
    Which service a path names.

    Raises:
        MethodNotAllowedError: It is unknown, not configured, or could not send anybody back.
    """
    name = request.params["provider"]
    for application in state.options.providers:
        if application.name == name and state.callback_site is not None:
            return application
    raise MethodNotAllowedError


def callback_url(state: AuthState, application: Application) -> str:
    """Where a service sends browsers back to, as the operator registered it there."""
    if state.callback_site is None:
        raise MethodNotAllowedError
    return f"{render_origin(state.callback_site)}{PATH}/{application.name}/callback"


def _authorize_url(application: Application, pending: Pending, callback: str) -> str:
    provider = application.provider
    parameters = {
        "response_type": "code",
        "client_id": application.client_id,
        "state": pending.secret,
        "code_challenge": challenge_of(pending.verifier),
        "code_challenge_method": "S256",
        "redirect_uri": callback,
        "scope": " ".join(provider.scopes),
    }
    if provider.posts_back:
        parameters["response_mode"] = "form_post"
    if provider.sends_nonce:
        parameters["nonce"] = pending.nonce
    return add_parameters(provider.authorize_url, **parameters)
