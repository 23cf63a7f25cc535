"""
The table of routes: the single source for the router, the front door, OpenAPI and the reference
documentation.

A handler is ``def verb_noun(state, request) -> Response`` or ``async def …``. A plain ``def`` runs
inline on the event loop: it may only do bounded reads (``Database.read``), and it is repeated on a
reader thread when those exceed their budget. An ``async def`` may also wait for writes.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from trailbase_server.errors import AppError
from trailbase_server.tally import Tally
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response
from trailbase_server.web.websocket import SocketEndpoint

Audience = Literal["nobody", "anyone", "user", "admin"]
"""
Who is looked up before the handler runs.

``nobody``: credentials are not even looked at. ``anyone``: ``request.identity`` is set if they are
valid, else None. ``user``: 401 without valid ones. ``admin``: additionally 403 unless the database
says administrator, and the CSRF token is checked.
"""

Handler = Callable[[Any, Request], Response | Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """
    One operation.

    Attributes:
        method: ``GET`` (also serves HEAD), ``POST`` …; ``*`` for whatever below the path no other
            route answers.
        path: ``/api/records/v1/{api}/{record}``: names in braces match one segment without ``/``.
        handler: See the module's docstring.
        audience: See ``Audience``.
        operation: Operation id on the wire (OpenAPI, MCP).
        summary: One sentence.
        request_type, response_type: Wire types, None for none or free form.
        errors: What the handler may raise besides what its audience implies.
        tag: Area of the documentation.
        socket: The route over a WebSocket, None where that is not offered.
        streams_forms: Multipart forms are not read before the handler runs: it gets
            ``request.stream`` (see ``web.body.received_body``).
        audit: What it does, as the audit log calls it: ``user.delete``. Empty: it is not recorded.
            Not for hot routes.
        hot: Served by the front door, straight from the socket. The handler must not use anything
            but ``Database.write`` to wait.
        is_limited: Rules about the rate of requests are for it too; not so for those of monitors.
    """

    method: str
    path: str
    handler: Handler
    audience: Audience = "anyone"
    operation: str = ""
    summary: str = ""
    request_type: type | None = None
    response_type: type | None = None
    errors: tuple[type[AppError], ...] = field(default=())
    tag: str = ""
    streams_forms: bool = False
    hot: bool = False
    socket: SocketEndpoint | None = None
    audit: str = ""
    is_limited: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class BoundRoute:
    """
    A route with the state its handler is called with. Equal to none but itself.

    Attributes:
        route, state: Those.
        tally: Its answers.
    """

    route: Route
    state: Any
    tally: Tally = field(default_factory=Tally, compare=False, repr=False)


def bind_routes(routes: tuple[Route, ...], state: Any) -> list[BoundRoute]:
    """Attach a package's state to its routes."""
    return [BoundRoute(route, state) for route in routes]
