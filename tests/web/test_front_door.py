import asyncio
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.web.conftest import BODY_LIMIT
from trailbase_server.web.shorten import MAX_TEXT_CHARS

BOTH = pytest.mark.parametrize("door", ["/hot", "/cold"])


@BOTH
async def test_both_doors_give_the_same_answer(client, door):
    status, headers, body = await client.ask(
        "POST", f"{door}/echo/a%2Fb?x=%20", ["Authorization: Bearer alice"], b"hello"
    )

    assert status == 200
    assert body == "POST {'name': 'a/b'} x=%20 alice@web.test hello"
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["content-length"] == str(len(body))
    assert headers["vary"] == "origin"
    assert "date" in headers


@BOTH
async def test_head_sends_the_length_and_no_body(client, door):
    status, headers, body = await client.ask("HEAD", f"{door}/echo/a")
    assert (status, body) == (200, "")
    assert int(headers["content-length"]) > 0


@BOTH
async def test_an_origin_is_echoed(client, door):
    _, headers, _ = await client.ask("GET", f"{door}/echo/a", ["Origin: http://site.test"])
    assert headers["access-control-allow-origin"] == "http://site.test"


@BOTH
async def test_a_refusal_is_plain_text(client, door):
    status, headers, body = await client.ask("GET", f"{door}/refuse")
    assert (status, body) == (400, "no such luck")
    assert headers["content-type"].startswith("text/plain")


@pytest.mark.case("T-87")
@BOTH
@pytest.mark.parametrize("path", ["/crash", "/crash-later"])
async def test_a_bug_is_an_empty_500_with_an_incident_number(client, door, path, caplog):
    status, headers, body = await client.ask("GET", door + path)
    assert (status, body) == (500, "")
    assert headers["x-incident"] in caplog.text
    assert "ZeroDivisionError" in caplog.text


@BOTH
async def test_a_handler_may_wait(client, door):
    assert (await client.ask("GET", f"{door}/wait/1"))[2] == "waited 1"
    assert (await client.ask("GET", f"{door}/twice"))[2] == "rows [(1,)]"


@BOTH
async def test_a_slow_read_moves_to_the_pool(client, door):
    assert (await client.ask("GET", f"{door}/count/1000000"))[2] == "1000000"


@pytest.mark.case("T-65")
@BOTH
async def test_a_body_over_the_limit_is_413_before_it_is_read(client, door):
    status, _, body = await client.ask("POST", f"{door}/echo/a", [], b"x" * (BODY_LIMIT + 1))
    assert (status, body) == (413, "length limit exceeded")
    assert (await client.ask("POST", f"{door}/echo/a", [], b"x" * BODY_LIMIT))[0] == 200


@pytest.mark.case("T-65")
@BOTH
async def test_a_chunked_body_over_the_limit_is_413_too(client, door):
    chunk = b"1f4\r\n" + b"x" * 500 + b"\r\n"
    head = f"POST {door}/echo/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await client.raw(head.encode() + chunk * 3 + b"0\r\n\r\n")
    assert answer.startswith("HTTP/1.1 413")


@BOTH
async def test_a_chunked_body_is_put_together(client, door):
    head = f"POST {door}/echo/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await client.raw(head.encode() + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert answer.endswith("abcde")


@BOTH
async def test_pipelined_requests_are_answered_in_order(client, door):
    paths = [f"{door}/wait/1", f"{door}/echo/2", f"{door}/wait/3", "/cold/echo/4", "/hot/echo/5"]
    data = "".join(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n" for path in paths)
    answer = await client.raw(data.encode())

    places = [
        answer.index(mark)
        for mark in ("waited 1", "'name': '2'", "waited 3", "'name': '4'", "'name': '5'")
    ]
    assert places == sorted(places)
    assert answer.count("HTTP/1.1 200 OK") == 5


@BOTH
async def test_connection_close_is_honoured(client, door):
    answer = await client.raw(
        f"GET {door}/echo/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        f"GET {door}/echo/b HTTP/1.1\r\nHost: h\r\n\r\n".encode()
    )
    assert answer.count("HTTP/1.1 200") == 1
    assert "connection: close" in answer


@BOTH
async def test_http_1_0_is_answered_and_closed(client, door):
    answer = await client.raw(f"GET {door}/echo/a HTTP/1.0\r\nHost: h\r\n\r\n".encode())
    assert " 200 OK" in answer
    assert "connection: close" in answer


@BOTH
async def test_expect_continue_is_answered_before_the_body(client, door):
    answer = await client.raw(
        f"POST {door}/echo/a HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
        "Content-Length: 2\r\n\r\nhi".encode()
    )
    assert answer.startswith("HTTP/1.1 100 Continue")
    assert answer.endswith("hi")


@pytest.mark.case("T-82")
@BOTH
async def test_nonsense_is_400(client, door):
    assert (await client.raw(b"NONSENSE\r\n\r\n")).startswith("HTTP/1.1 400")


@BOTH
async def test_cookies_are_read_when_there_is_no_bearer_token(client, door):
    _, headers, body = await client.ask("GET", f"{door}/echo/a", ["Cookie: who=alice"])
    assert "alice@web.test" in body
    assert headers["set-cookie"] == "auth_token=new"


@BOTH
async def test_a_bad_bearer_token_does_not_fall_back_to_cookies(client, door):
    _, _, body = await client.ask(
        "GET", f"{door}/echo/a", ["Authorization: Bearer forged", "Cookie: who=alice"]
    )
    assert "anonymous" in body


@BOTH
async def test_the_access_log_has_one_entry_per_answer(client, door):
    headers = ["Authorization: Bearer alice", "User-Agent: test", "Referer: http://r/"]
    await client.ask("GET", f"{door}/echo/a?b=c", headers)

    (entry,) = client.log
    assert entry[1:4] == (200, "GET", f"{door}/echo/a?b=c")
    assert entry[4] > 0
    assert entry[5:9] == ("127.0.0.1", b"http://r/", b"test", b"a" * 16)
    assert entry[9] == b"web.test"
    assert entry[10:12] == ("1.1", "")
    assert entry[12].path == f"{door}/echo/{{name}}"


@BOTH
async def test_long_texts_are_cut_before_they_wait_for_the_log(client, door):
    headers = [f"User-Agent: {'a' * 3_000}", f"Referer: {'r' * 3_000}"]
    await client.ask("GET", f"{door}/echo/a?{'q' * 3_000}", headers)
    assert [len(client.log[0][place]) for place in (3, 6, 7)] == [MAX_TEXT_CHARS] * 3


@pytest.mark.parametrize("size", [1_000, 1_900])  # in many pieces, and in two
@BOTH
async def test_a_long_head_in_pieces_is_cut_before_it_waits_for_the_log(client, door, size):
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    head = f"GET {door}/echo/a HTTP/1.1\r\nHost: h\r\nUser-Agent: {'a' * 3_500}\r\n\r\n".encode()
    for at in range(0, len(head), size):
        writer.write(head[at : at + size])
        await asyncio.sleep(0.02)
    await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert len(client.log[0][7]) == MAX_TEXT_CHARS


@BOTH
async def test_a_proxy_on_this_machine_is_believed(client, door):
    await client.ask("GET", f"{door}/echo/a", ["X-Forwarded-For: 1.1.1.1, 9.8.7.6"])
    assert client.log[0][5] == "9.8.7.6"


async def test_a_client_that_leaves_does_not_disturb(client):
    data = b"GET /hot/wait/1 HTTP/1.1\r\nHost: h\r\n\r\n"
    import asyncio

    _, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(data)
    await writer.drain()
    writer.close()
    await asyncio.sleep(0.05)
    assert (await client.ask("GET", "/hot/echo/a"))[0] == 200


async def test_a_cold_route_beside_a_hot_pattern_is_found(client):
    assert (await client.ask("GET", "/hot/echo/schema"))[2] == "no such luck"


@pytest.mark.case("T-82")
@BOTH
async def test_headers_behind_a_body_are_not_kept(client, door):
    head = f"POST {door}/echo/a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
    trailer = b"".join(b"X-%d: y\r\n" % number for number in range(1000))
    data = head.encode() + b"Connection: close\r\n\r\n2\r\nhi\r\n0\r\n" + trailer + b"\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(data)
    answer = await asyncio.wait_for(reader.read(), 5)
    assert answer.startswith(b"HTTP/1.1 200")
    writer.close()


@BOTH
async def test_nothing_behind_the_last_request_is_heard(client, door):
    last = f"GET {door}/echo/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    for more in ("/hot/echo/b", "/cold/echo/b"):
        await client.raw(f"{last}POST {more} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    assert [entry[2] for entry in client.log] == ["GET", "GET"]


ASKED = {
    "good": ("GET", "/echo/a", 200),
    "head": ("HEAD", "/echo/a", 200),
    "sent": ("POST", "/echo/a", 200),
    "refused": ("GET", "/refuse", 400),
    "crashed": ("GET", "/crash", 500),
    "later": ("GET", "/wait/1", 200),
    "missing": ("GET", "/missing", 404),
}


@BOTH
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=st.lists(st.sampled_from(sorted(ASKED)), max_size=12))
async def test_answers_are_counted_by_route_and_status_whichever_door_they_leave_by(
    client, door, asked
):
    before = counts(client.dispatcher)
    bytes_sent = 0
    for name in asked:
        method, path, status = ASKED[name]
        answer = await client.ask(method, f"{door}{path}")
        assert answer[0] == status
        bytes_sent += len(answer[2].encode())
    after = counts(client.dispatcher)
    grown = {key: count - before.get(key, (0, 0))[0] for key, (count, _) in after.items()}
    expected = Counter()
    for name in asked:
        method, path, status = ASKED[name]
        route = "" if name == "missing" else f"{door}{TEMPLATES.get(path, path)}"
        expected[route, "GET" if method == "HEAD" else method, status] += 1
    assert {key: count for key, count in grown.items() if count} == expected
    assert sum(size for _, size in after.values()) - sum(size for _, size in before.values()) == (
        bytes_sent
    )


TEMPLATES = {"/echo/a": "/echo/{name}", "/wait/1": "/wait/{n}"}


def counts(dispatcher):
    """How many answers, and bytes, by route, method and status."""
    tallies = [
        (bound.route.path, bound.route.method, bound.tally) for bound in dispatcher.router.routes
    ]
    tallies += [("", method, tally) for method, tally in dispatcher.elsewhere.items()]
    return {
        (path, method, status): (sum(times.counts), size)
        for path, method, tally in tallies
        for status, (times, size) in tally.look().items()
    }


async def test_a_streamed_body_counts_as_it_is_sent(client):
    await client.ask("GET", "/stream")
    await client.ask("HEAD", "/stream")
    assert counts(client.dispatcher)["/stream", "GET", 200] == (2, 24)
