"""Bodies and queries, whatever clients make of them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.auth.fields import read_body, read_json, read_query
from trailbase_server.errors import (
    BadRequestError,
    UnprocessableError,
    UnsupportedMediaError,
)
from trailbase_server.web.request import Request

FORM = "application/x-www-form-urlencoded"


def request(body=b"", content_type=None, query=""):
    headers = [(b"content-type", content_type.encode())] if content_type else []
    return Request("POST", "/", query, headers, body.encode() if isinstance(body, str) else body)


def test_json_null_and_absent_are_the_same():
    fields = read_body(request('{"a": null, "b": "x", "c": 7}', "application/json; charset=utf-8"))
    assert (fields.text("a"), fields.text("z"), fields.text("b")) == (None, None, "x")
    assert not fields.is_form


def test_forms_have_empty_texts():
    fields = read_body(request("a=&b=x+y%21", FORM))
    assert (fields.text("a"), fields.text("b")) == ("", "x y!")
    assert fields.is_form


def test_multipart_is_a_form():
    body = (
        '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
        '--B\r\nContent-Disposition: form-data; name="b"\r\n\r\n1\r\n'
        '--B\r\nContent-Disposition: form-data; name="b"\r\n\r\n2\r\n--B--\r\n'
    )
    fields = read_body(request(body, "multipart/form-data; boundary=B"))
    assert fields.text("a") == "x"
    assert fields.is_form
    with pytest.raises(BadRequestError):
        fields.text("b")


@pytest.mark.parametrize("value", ["7", "true", '["x"]', '{"$ne": null}', "1.5"])
def test_a_field_that_is_no_text_is_refused(value):
    for read, error in ((read_body, BadRequestError), (read_json, UnprocessableError)):
        fields = read(request(f'{{"a": {value}}}', "application/json"))
        with pytest.raises(error):
            fields.text("a")


def test_a_field_that_comes_twice_is_refused():
    fields = read_body(request("a=1&a=2&b=3", FORM))
    assert fields.text("b") == "3"
    with pytest.raises(BadRequestError):
        fields.text("a")
    with pytest.raises(BadRequestError):
        read_query(request(query="a=1&a=2&a=3")).text("a")


def test_required_fields():
    fields = read_body(request('{"a": null}', "application/json"))
    with pytest.raises(BadRequestError, match="missing field `a`"):
        fields.required("a")
    with pytest.raises(BadRequestError, match="one of a, b"):
        fields.first("a", "b")
    with pytest.raises(UnprocessableError):
        read_json(request("{}", "application/json")).required("a")


def test_the_first_of_several_fields():
    fields = read_body(request('{"b": "x", "c": "y"}', "application/json"))
    assert fields.first("a", "b", "c") == ("b", "x")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("", None),
        ('{"a":"b"}', None),
        ("a=b", "text/plain"),
        ("{", "application/json"),
        ("[]", "application/json"),
        ("null", "application/json"),
        ("", "application/json"),
        (b"a=\xff", FORM),
        ("x", "multipart/form-data"),
    ],
)
def test_bodies_that_are_refused(body, content_type):
    with pytest.raises(BadRequestError):
        read_body(request(body, content_type))


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        ("{}", None, UnsupportedMediaError),
        ("a=b", FORM, UnsupportedMediaError),
        ("{", "application/json", BadRequestError),
        ("null", "application/json", UnprocessableError),
        ('"x"', "application/vnd.auth+json", UnprocessableError),
    ],
)
def test_json_only(body, content_type, error):
    with pytest.raises(error):
        read_json(request(body, content_type))


def test_queries():
    fields = read_query(request(query="a=1&b&c=%zz&d=%ff"))
    assert (fields.text("a"), fields.text("b"), fields.text("c")) == ("1", "", "%zz")
    assert fields.text("d") == "\N{REPLACEMENT CHARACTER}"


def test_a_flood_of_fields_is_refused():
    with pytest.raises(BadRequestError):
        read_query(request(query="&".join(["a=1"] * 10_001)))


@given(st.binary(max_size=80), st.sampled_from(["application/json", FORM, "multipart/form-data"]))
def test_anything_is_decoded_or_refused(body, content_type):
    for read in (read_body, read_json):
        with suppress(BadRequestError, UnprocessableError, UnsupportedMediaError):
            read(request(body, content_type)).text("a")


def test_an_object_comes_as_it_is_or_as_text_in_a_form():
    fields = read_body(request('{"a": {"b": [1]}}', "application/json"))
    assert fields.structure("a") == {"b": [1]}
    assert read_body(request("a=%7B%22b%22%3A%201%7D", FORM)).structure("a") == {"b": 1}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"a": "{}"}', "application/json"),
        ('{"a": [1]}', "application/json"),
        ('{"a": null}', "application/json"),
        ("{}", "application/json"),
        ("a=%5B%5D", FORM),
        ("a=%7B", FORM),
        ("a=", FORM),
        ("a=%7B%7D&a=%7B%7D", FORM),
        ("b=1", FORM),
    ],
)
def test_what_is_no_object_is_refused(body, content_type):
    with pytest.raises(BadRequestError):
        read_body(request(body, content_type)).structure("a")
