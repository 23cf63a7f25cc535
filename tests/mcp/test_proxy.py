import base64
import json
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.errors import OperatorError
from trailbase_server.mcp.proxy import (
    MAX_RESULT_CHARS,
    InvalidArgumentsError,
    Proxy,
    Tokens,
    parse_tokens,
    place_arguments,
)
from trailbase_server.mcp.tools import build_tools
from trailbase_server.server.openapi import build_document, public_routes

TOOLS = build_tools(build_document(public_routes()))
READ = TOOLS["read_record_handler"]
GIVEN = {"auth_token": "a.b.c", "refresh_token": "r", "csrf_token": "c"}


def token(seconds):
    claims = json.dumps({"exp": SYSTEM_CLOCK.now_s() + seconds}).encode()
    return f"x.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.x"


def proxy(tokens, answer):
    """A proxy before a server that is a function; what it got is in ``seen``."""
    seen = []

    def handle(request):
        seen.append(request)
        return answer(request)

    client = httpx.Client(transport=httpx.MockTransport(handle), base_url="http://pier.test")
    made = Proxy(client, tokens)
    made.seen = seen
    return made


@pytest.mark.parametrize("text", [json.dumps(GIVEN), base64.b64encode(json.dumps(GIVEN).encode())])
def test_tokens_are_json_or_base64_of_it(text):
    text = text if isinstance(text, str) else text.decode()
    assert parse_tokens(f" {text}\n") == Tokens("a.b.c", "r", "c")


@pytest.mark.parametrize("text", ["", "x", "{", "[]", "e30=", '{"auth_token": 5}', "bnVsbA==",
                                  '{"auth_token": "a", "refresh_token": []}'])  # fmt: skip
def test_other_tokens_are_refused(text):
    with pytest.raises(OperatorError):
        parse_tokens(text)


def test_arguments_go_to_path_query_and_body():
    path, query, body = place_arguments(
        TOOLS["list_records_handler"],
        {
            "api": "boat",
            "limit": 5,
            "count": True,
            "filter": {"n": {"$gt": 2}, "$or": [{"m": "x"}]},
        },
    )
    assert path == "/api/records/v1/boat"
    assert query == [
        ("count", "true"),
        ("filter[n][$gt]", "2"),
        ("filter[$or][0][m]", "x"),
        ("limit", "5"),
    ]
    assert body is None
    update = place_arguments(
        TOOLS["update_record_handler"], {"api": "boat", "record": "1", "body": {"name": "Anna"}}
    )
    assert update == ("/api/records/v1/boat/1", [], {"name": "Anna"})


@given(st.text(min_size=1).filter(lambda text: text not in (".", "..")))
def test_a_path_argument_stays_in_its_segment(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    path, _, _ = place_arguments(READ, {"api": "boat", "record": text})
    *_, last = path.split("/")
    assert path == f"/api/records/v1/boat/{last}"
    assert unquote(last) == text


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"api": "boat"},
        {"api": "boat", "record": ""},
        {"api": "boat", "record": ".."},
        {"api": "boat", "record": ["1"]},
        {"api": "boat", "record": "1", "body": {}},
        {"api": "boat", "record": "1", "path": "/etc"},
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments):
    with pytest.raises(InvalidArgumentsError):
        place_arguments(READ, arguments)


def call(made, **arguments):
    return made.call(READ, {"api": "boat", "record": "1", **arguments})


def test_a_call_is_made_in_the_users_name():
    made = proxy(Tokens("a", "r", "c"), lambda _: httpx.Response(200, json={"id": 1}))
    assert call(made) == ('{"id":1}', False)
    (request,) = made.seen
    assert str(request.url) == "http://pier.test/api/records/v1/boat/1"
    assert request.headers["authorization"] == "Bearer a"
    assert request.headers["refresh-token"] == "r"
    assert request.headers["csrf-token"] == "c"


@pytest.mark.parametrize(
    ("answer", "text", "is_failure"),
    [
        (httpx.Response(404), "HTTP 404 Not Found", True),
        (httpx.Response(400, text="no such column"), "HTTP 400 Bad Request\nno such column", True),
        (httpx.Response(303, headers={"location": "http://evil.test/"}), "redirected to", False),
        (httpx.Response(200, content=b"\xff\xd8", headers={"content-type": "image/jpeg"}),
         "(binary)", False),
        (httpx.Response(200, text="x" * (MAX_RESULT_CHARS + 5)), "… 5 characters more", False),
    ],
)  # fmt: skip
def test_every_answer_becomes_a_text(answer, text, is_failure):
    made = proxy(Tokens("a", None, "c"), lambda _: answer)
    found, failed = call(made)
    assert text in found
    assert failed is is_failure
    assert len(made.seen) == 1


def test_a_server_that_is_not_there_is_told():
    def refuse(_request):
        raise httpx.ConnectError("refused")

    text, failed = call(proxy(Tokens("a"), refuse))
    assert failed
    assert "cannot be reached" in text


def renewing(request):
    if request.url.path.endswith("/refresh"):
        assert "authorization" not in request.headers
        return httpx.Response(200, json={"auth_token": token(3600), "csrf_token": "new"})
    return httpx.Response(200, text="ok")


@pytest.mark.parametrize(("left", "renewals"), [(19, 1), (-5, 1), (600, 0)])
def test_a_token_is_renewed_before_it_expires(left, renewals):
    made = proxy(Tokens(token(left), "r", "old"), renewing)
    made.keep_fresh()
    assert len(made.seen) == renewals
    assert made.tokens.csrf_token == ("new" if renewals else "old")


def test_signing_in_tells_whether_tokens_were_renewed():
    made = proxy(Tokens("bad", "r"), renewing)
    assert made.sign_in() is True
    assert made.tokens.csrf_token == "new"
    made = proxy(Tokens("a"), lambda _: httpx.Response(200, json={"csrf_token": "c"}))
    assert made.sign_in() is False
    assert made.tokens.csrf_token == "c"


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(401), httpx.Response(200, text="hello"), httpx.Response(200, json={})],
)
def test_bad_tokens_end_the_start(answer):
    with pytest.raises(OperatorError):
        proxy(Tokens("a"), lambda _: answer).sign_in()
