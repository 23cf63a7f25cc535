"""Notes for the audit log: of the request that is answered, and of no other."""

import asyncio
from dataclasses import replace

import pytest

from trailbase_server.errors import ConflictError, UnauthorizedError
from trailbase_server.web.audit import annotate, noting
from trailbase_server.web.cors import Cors
from trailbase_server.web.dispatch import Dispatcher
from trailbase_server.web.request import Request
from trailbase_server.web.response import text
from trailbase_server.web.route import BoundRoute, Route
from trailbase_server.web.router import Router


def test_what_is_known_is_put_together():
    with noting() as note:
        annotate(object="7", before={"a": 1})
        annotate(after={"a": 2}, actor=(b"x", "boss"))
    assert (note.object, note.before, note.after) == ("7", {"a": 1}, {"a": 2})
    assert note.actor == (b"x", "boss")


def test_without_a_request_there_is_nothing_to_write_on():
    with noting() as note:
        pass
    annotate(object="7")
    assert note.object == ""


async def test_requests_beside_each_other_have_notes_of_their_own():
    async def answer(name):
        with noting() as note:
            await asyncio.sleep(0)
            annotate(object=name)
            await asyncio.sleep(0)
            return note.object

    assert await asyncio.gather(*map(answer, "abc")) == ["a", "b", "c"]


class Callers:
    """Knows nobody."""

    def bearer(self, authorization):
        return None

    def refusal(self, request):
        return UnauthorizedError()


async def answer(state, request):
    annotate(object="7")
    if state == "refuse":
        raise ConflictError("taken")
    return text("done")


@pytest.mark.parametrize(
    ("state", "audience", "expected"),
    [
        ("do", "nobody", (200, "7", b"done")),
        ("refuse", "nobody", (409, "7", b"taken")),
        ("do", "admin", (401, "", b"")),
    ],
)
async def test_the_auditor_sees_request_answer_and_note_before_anybody_else(
    state, audience, expected
):
    seen = []

    async def audit(route, request, response, note):
        seen.append((route.audit, request, response.status, note.object, response.body))

    dispatcher = Dispatcher(Router([]), Callers(), Cors(("*",)), None, 1, None, auditor=audit)
    request = Request("POST", "/boat")
    route = Route("POST", "/boat", answer, audience=audience, audit="boat.sink")
    response = await dispatcher.respond(BoundRoute(route, state), request)
    assert seen == [("boat.sink", request, *expected)]
    assert response.status == expected[0]
    await dispatcher.respond(BoundRoute(replace(route, audit=""), state), request)
    assert len(seen) == 1, "other routes are not its business"
