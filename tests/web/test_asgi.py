import asyncio

import pytest

from tests.web.conftest import ENDED


async def test_an_unknown_path_is_an_empty_404(client):
    assert (await client.ask("GET", "/nowhere"))[0::2] == (404, "")


async def test_a_wrong_method_is_an_empty_405_that_says_what_is_allowed(client):
    status, headers, body = await client.ask("DELETE", "/hot/echo/a")
    assert (status, body, headers["allow"]) == (405, "", "get,head,post")


async def test_trailing_slashes_are_other_paths(client):
    assert (await client.ask("GET", "/hot/echo/a/"))[0] == 404
    assert (await client.ask("GET", "/hot/echo/"))[0] == 404


async def test_every_options_request_is_a_preflight(client):
    status, headers, body = await client.ask("OPTIONS", "/any/where", ["Origin: http://o"])
    assert (status, body) == (200, "")
    assert headers["access-control-allow-methods"] == "*"
    assert "authorization" in headers["access-control-allow-headers"]


async def test_a_stream_is_sent_in_chunks(client):
    _, headers, body = await client.ask("GET", "/stream")
    assert headers["transfer-encoding"] == "chunked"
    assert "chunk 0" in body
    assert "chunk 2" in body


async def test_an_answer_that_has_no_body_has_no_length(client):
    status, headers, body = await client.ask("GET", "/unchanged")
    assert (status, headers["etag"], body) == (304, '"x"', "")
    assert "content-length" not in headers
    assert "transfer-encoding" not in headers
    twice = b"GET /unchanged HTTP/1.1\r\nHost: w\r\n\r\n" * 2
    assert (await client.raw(twice)).count("HTTP/1.1 304") == 2


async def test_a_stream_ends_when_nobody_reads_it_any_more(client):
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(b"GET /endless?here HTTP/1.1\r\nHost: w\r\n\r\n")
    await reader.readexactly(500_000)
    await asyncio.sleep(0.05)
    assert "here" not in ENDED
    writer.close()
    for _ in range(100):
        if "here" in ENDED:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it goes on")


FORM = "Content-Type: multipart/form-data; boundary=b"


@pytest.mark.parametrize("path", ["/form", "/hot/form"])
async def test_a_form_is_handed_over_while_it_arrives(client, path):
    assert (await client.ask("POST", path, [FORM], b"x" * 900))[2] == "900 streamed, 0 read"
    assert (await client.ask("POST", path, [FORM]))[2] == "0 streamed, 0 read"


@pytest.mark.parametrize("path", ["/form", "/hot/form"])
async def test_other_bodies_are_read_before_the_handler_runs(client, path):
    assert (await client.ask("POST", path, [], b"x" * 900))[2] == "0 streamed, 900 read"


async def test_a_form_for_a_route_that_wants_none_is_read(client):
    assert "xyz" in (await client.ask("POST", "/hot/echo/a", [FORM], b"xyz"))[2]


@pytest.mark.case("T-65")
async def test_a_streamed_form_has_a_limit(client):
    head = f"POST /form HTTP/1.1\r\nHost: w\r\n{FORM}\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"100\r\n" + b"x" * 256 + b"\r\n"
    answer = await client.raw(head.encode() + chunk * 5 + b"0\r\n\r\n")
    assert answer.startswith("HTTP/1.1 413 ")
    assert "connection: close" in answer
    answer = await client.raw(head.encode() + chunk * 3 + b"0\r\n\r\n")
    assert "768 streamed" in answer


async def test_a_client_that_leaves_in_the_middle_of_a_form_is_not_logged(client):
    head = f"POST /form HTTP/1.1\r\nHost: w\r\n{FORM}\r\nContent-Length: 500\r\n\r\n"
    assert await client.raw(head.encode() + b"x", half_close=True) == ""
    assert client.log == []
