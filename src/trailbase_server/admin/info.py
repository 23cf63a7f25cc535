"""Facts about the running server (spec server/get-api-admin-info)."""

import sys

from trailbase_server import WIRE_VERSION, __version__
from trailbase_server.admin.state import AdminState
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value, text


def get_info(state: AdminState, _request: Request) -> Response:
    """
    Answer with version, start time and the command line.

    Spec:
        server/get-api-admin-info
    """
    return json_value(
        {
            "compiler": f"Python {sys.version.split()[0]}, trailbase-server {__version__}",
            "commit_hash": None,
            "commit_date": None,
            "git_version": {"tag": WIRE_VERSION, "offset": 0},
            "threads": state.threads,
            "command_line_arguments": sys.argv,
            "start_time": state.started_at,
            "postgres": False,
        }
    )


def get_public_key(state: AdminState, _request: Request) -> Response:
    """Answer with the PEM text of the key that verifies auth tokens."""
    return text(state.public_key_pem)
