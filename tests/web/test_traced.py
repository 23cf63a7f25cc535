"""Both ways into the server call the tracer once an answer, and only where there is one."""

import pytest

from trailbase_server.web.asgi import TrailApplication
from trailbase_server.web.front_door import FrontDoor
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response
from trailbase_server.web.route import BoundRoute, Route
from trailbase_server.web.router import Router
from trailbase_server.web.traced import TracedFrontDoor, traced_application, traced_front_door

ROUTE = Route("GET", "/a/{b}", lambda state, request: Response())


class Dispatcher:
    """What the tracer's side asks of one."""

    def __init__(self):
        self.router = Router([BoundRoute(ROUTE, None)])


class Traces(list):
    def __call__(self, request, response, route, started):
        self.append((request, response, route, started))
        response.headers.append((b"traceparent", b"00-1-2-01"))


def test_without_a_tracer_nothing_stands_in_the_way():
    application = TrailApplication(Dispatcher())
    assert traced_application(application, None) is application
    assert not issubclass(traced_front_door(Dispatcher(), None), TracedFrontDoor)


def test_an_answer_of_the_front_door_is_traced_before_it_is_written(monkeypatch):
    traces, written = Traces(), []
    monkeypatch.setattr(
        FrontDoor, "_answer", lambda self, cycle, response: written.append(response)
    )
    door = traced_front_door(Dispatcher(), traces)
    connection = door.__new__(door)
    cycle = type("Cycle", (), {})()
    cycle.request, cycle.bound, cycle.started = Request("GET", "/a/1"), BoundRoute(ROUTE, None), 1.0
    connection._answer(cycle, Response(200))
    assert [(route, started) for _, _, route, started in traces] == [(ROUTE, 1.0)]
    assert written[0].headers == [(b"traceparent", b"00-1-2-01")]


@pytest.mark.parametrize(("path", "route"), [("/a/1", ROUTE), ("/nowhere", None)])
async def test_an_answer_of_the_application_is_traced_by_its_route(path, route):
    traces, sent = Traces(), []
    application = TrailApplication(Dispatcher())

    async def answer(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b"x"})

    async def send(message):
        sent.append(message)

    application.__class__ = type(
        "Answering", (TrailApplication,), {"__call__": staticmethod(answer)}
    )
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "headers": [(b"traceparent", b"sent")],
    }
    await traced_application(application, traces)(scope, None, send)
    ((request, response, found, _),) = traces
    assert (found, response.status, request.headers) == (route, 200, [(b"traceparent", b"sent")])
    assert sent[0]["headers"] == [(b"a", b"b"), (b"traceparent", b"00-1-2-01")]
    assert len(sent) == 2
