import pytest

from trailbase_server.web.cors import Cors
from trailbase_server.web.request import Request


@pytest.mark.case("T-78")
def test_other_origins_get_no_permission_when_origins_are_listed():
    cors = Cors(("http://a",))
    assert cors.headers(b"http://b") == [(b"vary", b"origin")]
    assert (b"access-control-allow-origin", b"http://a") in cors.headers(b"http://a")


@pytest.mark.case("T-78")
def test_credentials_are_allowed_in_developer_mode_only():
    credentials = (b"access-control-allow-credentials", b"true")
    assert credentials not in Cors().headers(b"http://a")
    assert credentials in Cors(dev=True).headers(b"http://a")


def test_developer_mode_repeats_what_was_asked_for():
    asked = [
        (b"origin", b"http://a"),
        (b"access-control-request-method", b"PATCH"),
        (b"access-control-request-headers", b"x-odd"),
    ]
    headers = dict(Cors(dev=True).preflight(Request("OPTIONS", "/", "", asked)).headers)
    assert headers[b"access-control-allow-methods"] == b"PATCH"
    assert headers[b"access-control-allow-headers"] == b"x-odd"
