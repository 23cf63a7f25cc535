"""Bodies by content type: JSON, form, multipart, and what is refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.errors import (
    BadRequestError,
    UnprocessableError,
    UnsupportedMediaError,
)
from trailbase_server.web.body import (
    MAX_DEPTH,
    decode_body,
    decode_form,
    decode_json,
    decode_json_object,
    decode_json_only,
    received_body,
)
from trailbase_server.web.request import Request
from trailbase_server.web.spool import Spool

MULTIPART = b"multipart/form-data; boundary=b"
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def request(body, content_type=None):
    headers = [] if content_type is None else [(b"content-type", content_type)]
    return Request("POST", "/", headers=headers, body=body)


def part(disposition, content=b"", content_type=None):
    typed = b"Content-Type: " + content_type + b"\r\n" if content_type else b""
    head = b"--b\r\nContent-Disposition: " + disposition + b"\r\n" + typed
    return head + b"\r\n" + content + b"\r\n"


@pytest.mark.parametrize(
    ("content_type", "body", "kind", "value"),
    [
        (b"application/json", b'{"a":1}', "json", {"a": 1}),
        (b"application/json; charset=utf-8", b" [1] ", "json", [1]),
        (b"Application/JSON", b"2", "json", 2),
        (None, b'{"a":1}', "json", {"a": 1}),
        (b"application/x-www-form-urlencoded", b"a=1+2&b=%C3%B6", "form", {"a": "1 2", "b": "ö"}),
        (b"application/x-www-form-urlencoded;x", b"", "form", {}),
    ],
)
def test_the_prefix_of_the_content_type_chooses_the_decoder(content_type, body, kind, value):
    decoded = decode_body(request(body, content_type))
    assert (decoded.kind, decoded.value, decoded.files) == (kind, value, ())


@pytest.mark.case("T-47")
@pytest.mark.parametrize(
    "content_type", [b"text/plain", b"application/problem+json", b"", b"\xff", b"multipart/mixed"]
)
def test_other_content_types_are_refused_by_name(content_type):
    with pytest.raises(BadRequestError) as caught:
        decode_body(request(b"{}", content_type))
    assert content_type.decode("latin-1") in caught.value.public


@pytest.mark.case("T-47")
@pytest.mark.parametrize(
    ("content_type", "accepted"),
    [
        (b"application/json", True),
        (b"application/json; charset=utf-8", True),
        (b"application/problem+json", True),
        (b"text/plain", False),
        (b"text/x+json", False),
        (b"application/jsonish", False),
        (None, False),
    ],
)
def test_stock_json_endpoints_want_a_json_type(content_type, accepted):
    if accepted:
        assert decode_json_only(request(b"[]", content_type)) == []
    else:
        with pytest.raises(UnsupportedMediaError):
            decode_json_only(request(b"[]", content_type))


@pytest.mark.case("T-46")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{} x",
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a": 01}',
        b"Infinity",
        b"1e999",
        b"9" * 1000,
        b'"\xff"',
        b'"\\ud800"',
        b'"a\nb"',
        b"\xef\xbb\xbf{}",
        b'{"a": 1 /* no */}',
        b"[" * 5000 + b"]" * 5000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_json_that_is_none_is_refused_with_a_reason(body):
    with pytest.raises(BadRequestError, match="invalid JSON: "):
        decode_json(body)


def test_json_keeps_big_integers_and_the_last_of_repeated_members():
    assert decode_json(b'{"a":9223372036854775807,"b":1,"b":2}') == {"a": 2**63 - 1, "b": 2}


@pytest.mark.case("T-46")
def test_nesting_is_measured_by_depth_and_not_by_brackets():
    assert len(decode_json(b"[" + b"[{}]," * 1000 + b"0]")) == 1001
    decode_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(BadRequestError):
        decode_json(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


@given(JSON_VALUES)
def test_any_json_value_survives(value):
    assert decode_json(json.dumps(value).encode()) == value


@pytest.mark.case("T-46")
@given(st.binary())
def test_arbitrary_bytes_are_a_value_or_a_bad_request(data):
    for content_type in (None, b"application/x-www-form-urlencoded", MULTIPART):
        try:
            decode_body(request(data, content_type))
        except BadRequestError as exc:
            assert exc.public  # noqa: PT017


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"a=1&a=2", {"a": "2"}),
        (b"a=%zz%4", {"a": "%zz%4"}),
        (b"&&a&b=", {"a": "", "b": ""}),
        (b"a=x%26y%3Dz", {"a": "x&y=z"}),
        ("ü=é".encode(), {"ü": "é"}),
    ],
)
def test_forms_keep_the_last_value_and_malformed_escapes(body, value):
    assert decode_form(body) == value


@pytest.mark.parametrize("body", [b"a=%ff", b"\xff=1", b"&".join([b"a=1"] * 10_001)])
def test_forms_that_are_not_utf8_or_endless_are_refused(body):
    with pytest.raises(BadRequestError):
        decode_form(body)


async def in_pieces(*pieces):
    for piece in pieces:
        yield piece


def form_request(*pieces):
    asked = request(b"", MULTIPART)
    asked.stream = in_pieces(*pieces)
    return asked


async def test_a_form_that_arrives_in_pieces_is_the_same_form(tmp_path):
    body = part(b'form-data; name="t"', b"text") + part(
        b'form-data; name="f"; filename="f"', b"x" * 100_000
    )
    asked = form_request(body[:30], body[30:90_000], body[90_000:], b"--b--")
    async with received_body(asked, Spool(tmp_path)) as decoded:
        assert (decoded.kind, decoded.value) == ("multipart", {"t": "text"})
        assert decoded.files[0].content.read_bytes() == b"x" * 100_000
    assert list(tmp_path.iterdir()) == []


@pytest.mark.case("T-65")
async def test_spooled_files_of_a_form_that_fails_are_removed(tmp_path):
    large = part(b'form-data; name="f"; filename="f"', b"x" * 100_000)
    read = []

    async def pieces():
        for piece in (large, b"nonsense", b"the rest"):
            read.append(piece)
            yield piece

    asked = request(b"", MULTIPART)
    asked.stream = pieces()
    with pytest.raises(BadRequestError):
        async with received_body(asked, Spool(tmp_path)):
            pass
    assert list(tmp_path.iterdir()) == []
    assert read[-1] == b"the rest"


async def test_a_body_that_is_no_stream_is_decoded_as_it_is(tmp_path):
    async with received_body(request(b"[1]"), Spool(tmp_path)) as decoded:
        assert decoded.value == [1]


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"x"'])
def test_json_that_is_no_object_is_refused_where_one_is_wanted(body):
    assert decode_json_object(request(b'{"a": 1}', b"application/json")) == {"a": 1}
    with pytest.raises(UnprocessableError, match="expected an object"):
        decode_json_object(request(body, b"application/json"))
