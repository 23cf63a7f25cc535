"""The services that people could log in with, for whoever configures them."""

from trailbase_server.admin.state import AdminState
from trailbase_server.auth.oauth.providers import PROVIDERS
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value


def list_oauth_providers(_state: AdminState, _request: Request) -> Response:
    """
    Answer with every service that is supported, configured or not.

    Spec:
        admin-api/misc
    """
    providers = [
        {"id": one.id, "name": one.name, "display_name": one.display_name} for one in PROVIDERS
    ]
    return json_value({"providers": providers})
