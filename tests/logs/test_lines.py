"""Lines of the access log, member by member."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.logs.lines import render_line
from trailbase_server.web.route import Route

ROUTE = Route("GET", "/api/records/v1/{api}/{record}", lambda state, request: None)
USER = bytes(range(16))


def entry(**changes):
    members = {
        "created": 1_700_000_000.25,
        "status": 200,
        "method": "GET",
        "url": "/a?b=c",
        "latency": 0.42042,
        "client_ip": "192.0.2.7",
        "referer": b"http://from.test/",
        "agent": b"kit/1",
        "user_id": USER,
        "host": b"trail.test:4000",
        "version": "1.1",
        "request_id": "",
        "route": None,
    }
    return tuple({**members, **changes}.values())


def line(**changes):
    data = render_line(entry(**changes))
    assert data.endswith(b"}\n")
    assert data.count(b"\n") == 1
    return json.loads(data)


def test_a_line_has_the_members_of_the_wire_in_their_order():
    assert list(line().items()) == [
        ("timestamp", "2023-11-14T22:13:20.250000Z"),
        ("method", "Get"),
        ("version", "Http11"),
        ("host", "trail.test:4000"),
        ("uri", "/a?b=c"),
        ("referer", "http://from.test/"),
        ("user_agent", "kit/1"),
        ("user", int.from_bytes(USER, "little")),
        ("client_ip", "192.0.2.7"),
        ("status", 200),
        ("latency_ms", 0.42),
    ]


def test_nobody_is_0_and_an_unknown_address_null():
    found = line(user_id=None, client_ip="")
    assert (found["user"], found["client_ip"]) == (0, None)


@pytest.mark.parametrize(
    ("method", "shown"), [("POST", "Post"), ("OPTIONS", "Options"), ("BREW", "Unknown")]
)
def test_methods_are_capitalised(method, shown):
    assert line(method=method)["method"] == shown


@pytest.mark.parametrize(
    ("version", "shown"), [("1.0", "Http10"), ("2", "Http20"), ("9", "Unknown")]
)
def test_versions_have_names(version, shown):
    assert line(version=version)["version"] == shown


def test_an_id_and_a_route_stand_behind_the_others():
    found = line(request_id="abc", route=ROUTE)
    assert list(found)[-2:] == ["request_id", "route"]
    assert (found["request_id"], found["route"]) == ("abc", "/api/records/v1/{api}/{record}")


@pytest.mark.case("T-88")
def test_secrets_are_taken_out():
    found = line(url="/api/auth/v1/verify_email/confirm/abc", referer=b"/x?code=abc")
    assert "abc" not in found["uri"] + found["referer"]


@given(st.text(alphabet=st.characters(max_codepoint=255)), st.binary(), st.binary())
def test_whatever_a_client_sends_is_one_line_of_json(url, referer, agent):
    found = line(url=url, referer=referer, agent=agent)
    assert found["user_agent"] == agent.decode("latin-1")
