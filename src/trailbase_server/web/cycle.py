"""A hot request on its way through the front door."""

from trailbase_server.web.request import Request
from trailbase_server.web.response import Response
from trailbase_server.web.route import BoundRoute, Route


class _NoEvent:
    """Nobody waits for the body of a hot request."""

    def set(self) -> None:
        """Nothing to wake."""


class HotCycle:
    """
    A request in flight, in the shape that uvicorn's protocol expects of its own cycles.

    Attributes:
        response_complete, disconnected, keep_alive, message_event: As there.
        bound: The route.
        request: What the handler gets.
        target: Path and query as received.
        started: Monotonic seconds when its headers were complete.
        host, origin, referer, agent: Headers that were met on the way.
        limits: What the answer says of a rate: lines of its head.
    """

    __slots__ = (
        "agent",
        "bound",
        "disconnected",
        "host",
        "keep_alive",
        "limits",
        "origin",
        "referer",
        "request",
        "response_complete",
        "started",
        "target",
    )
    message_event = _NoEvent()

    def __init__(
        self, bound: BoundRoute, request: Request, target: str, started: float, *, keep_alive: bool
    ) -> None:
        self.bound = bound
        self.request = request
        self.target = target
        self.started = started
        self.keep_alive = keep_alive
        self.response_complete = False
        self.disconnected = False
        self.origin: bytes | None = None
        self.limits = b""
        self.host = b""
        self.referer = b""
        self.agent = b""


NOTHING = HotCycle(
    BoundRoute(Route("", "", lambda _state, _request: Response(404)), None),
    Request("", ""),
    "",
    0.0,
    keep_alive=False,
)
NOTHING.response_complete = True  # stands for requests that are not listened to any more
