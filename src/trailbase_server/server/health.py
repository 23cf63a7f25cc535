"""Liveness: answers as soon as the process can, without touching a database."""

from typing import Any

from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, text
from trailbase_server.web.route import Route


def check_health(_state: Any, _request: Request) -> Response:
    """Answer ``Ok``."""
    return text("Ok")


ROUTES = (
    Route(
        "GET",
        "/api/healthcheck",
        check_health,
        audience="nobody",
        operation="healthcheck_handler",
        summary="Is the process alive?",
        tag="server",
        is_limited=False,
    ),
)
