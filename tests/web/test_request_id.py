"""Ids of requests: who may send them, which answers carry them, and the cost of all others."""

import json
import logging

import pytest

from trailbase_server.web.request import Request
from trailbase_server.web.request_id import mark_answer, sent_request_id
from trailbase_server.web.response import Response

BOTH = pytest.mark.parametrize("door", ["/hot", "/cold"])


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        (b"abc", "abc"),
        (b"01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8057"),
        (b"Root=1-67891233-abcdef012345678912345678", "Root=1-67891233-abcdef012345678912345678"),
        (b"a" * 128, "a" * 128),
        (b"a" * 129, ""),
        (b"", ""),
        (b'a"b', ""),
        (b"a b", ""),
        (b"a\n", ""),
        (b"\xff", ""),
    ],
)
def test_only_plain_ids_are_taken(sent, taken):
    assert sent_request_id([(b"accept", b"*/*"), (b"x-request-id", sent)]) == taken


def test_an_answer_without_need_has_no_id():
    request, response = Request("GET", "/"), Response(200)
    mark_answer(request, response)
    assert (request.request_id, response.headers) == ("", [])


def test_errors_get_an_id_that_does_not_change():
    request, response, again = Request("GET", "/"), Response(404), Response(404)
    mark_answer(request, response)
    mark_answer(request, again)
    assert response.headers == again.headers == [(b"x-request-id", request.request_id.encode())]
    assert len(request.request_id) == 36


@BOTH
async def test_an_id_from_a_proxy_comes_back_and_is_logged(client, door):
    _, headers, _ = await client.ask("GET", f"{door}/echo/a", ["X-Request-Id: abc.7"])
    assert headers["x-request-id"] == "abc.7"
    assert client.log[0][11] == "abc.7"


@BOTH
async def test_an_answer_that_is_fine_does_without(client, door):
    _, headers, _ = await client.ask("GET", f"{door}/echo/a")
    assert "x-request-id" not in headers
    assert client.log[0][11] == ""


async def test_a_path_of_no_route_has_an_id(client):
    status, headers, _ = await client.ask("GET", "/nowhere")
    assert status == 404
    assert client.log[0][11] == headers["x-request-id"]


@BOTH
async def test_the_line_about_a_bug_has_the_id_of_its_answer(client, door, caplog):
    with caplog.at_level(logging.ERROR):
        _, headers, _ = await client.ask("GET", f"{door}/crash")
    (record,) = [one for one in caplog.records if "internal error" in one.getMessage()]
    assert record.request_id == headers["x-request-id"] == client.log[0][11]
    assert json.dumps(record.request_id)
