"""
The two ways into the server with a span for every answer.

Chosen at start, where traces are wanted: the ways without spans do not even ask. A span is made
when the answer is ready to be sent, backwards from then, so that its ids can go out with it.
"""

from collections.abc import Callable
from time import perf_counter

from trailbase_server.web.asgi import (
    AsgiApplication,
    Message,
    Receive,
    Scope,
    Send,
    TrailApplication,
)
from trailbase_server.web.cycle import HotCycle
from trailbase_server.web.dispatch import Dispatcher
from trailbase_server.web.front_door import FrontDoor, front_door
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response
from trailbase_server.web.route import Route

Trace = Callable[[Request, Response, Route | None, float], None]
"""
Makes the span of an answer: its request, the answer (gets headers), the route, None for a path of
none, and the monotonic seconds at which it began. Must be quick.
"""


class TracedFrontDoor(FrontDoor):
    """
    A connection whose answers are traced.

    Class attributes:
        trace: Makes spans.
    """

    trace: Callable[[Request, Response, Route | None, float], None]

    def _answer(self, cycle: HotCycle, response: Response) -> None:
        """Trace, then go on as usual."""
        self.trace(cycle.request, response, cycle.bound.route, cycle.started)
        super()._answer(cycle, response)


class TracedApplication:
    """
    An application whose answers are traced.

    Args:
        application: Answers.
        trace: Makes spans.
    """

    def __init__(self, application: TrailApplication, trace: Trace) -> None:
        self._application = application
        self._trace = trace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection; WebSockets are not traced."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        started = perf_counter()
        request = Request(scope["method"], scope["path"], headers=list(scope["headers"]))
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        router = self._application.dispatcher.router
        found = router.match(request.method, raw.decode("latin-1"))
        route = found[0].route if isinstance(found, tuple) else None

        async def send_traced(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = Response(message["status"], headers=list(message.get("headers", ())))
                self._trace(request, answer, route, started)
                message = {**message, "headers": answer.headers}
            await send(message)

        await self._application(scope, receive, send_traced)


def traced_front_door(dispatcher: Dispatcher, trace: Trace | None) -> type[FrontDoor]:
    """The protocol class of one server, plain where nothing is traced."""
    plain = front_door(dispatcher)
    if trace is None:
        return plain
    return type("TracedFrontDoor", (TracedFrontDoor, plain), {"trace": staticmethod(trace)})


def traced_application(application: TrailApplication, trace: Trace | None) -> AsgiApplication:
    """The application, itself where nothing is traced."""
    return application if trace is None else TracedApplication(application, trace)
