"""``GET /oauth/providers``: the services that a log-in page can offer."""

from trailbase_server.auth.state import AuthState
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value


async def list_providers(state: AuthState, _request: Request) -> Response:
    """
    List name and display name of each usable service.

    Without a site URL there are none: they could not send anybody back.

    Spec:
        auth/get-oauth-providers
    """
    providers = state.options.providers if state.callback_site is not None else ()
    return json_value({"providers": [[one.name, one.display_name] for one in providers]})
