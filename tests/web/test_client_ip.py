import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.web.client_ip import client_address, client_origin
from trailbase_server.web.proxies import NEAR, Proxies, parse_proxies

PEER = "10.0.0.1"
TWO = parse_proxies(["private", "203.0.113.0/24"], 2)
LIST = b"x-forwarded-for"


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ([], PEER),
        ([(LIST, b"1.1.1.1, 2.2.2.2")], "2.2.2.2"),
        ([(LIST, b"1.1.1.1"), (LIST, b"3.3.3.3")], "3.3.3.3"),
        ([(LIST, b"1.1.1.1:80"), (b"x-real-ip", b"4.4.4.4")], "4.4.4.4"),
        ([(LIST, b""), (b"x-real-ip", b"4.4.4.4")], "4.4.4.4"),
        ([(b"x-real-ip", b"4.4.4.4"), (b"x-real-ip", b"5.5.5.5")], PEER),
        ([(b"cloudfront-viewer-address", b"6.6.6.6:4711")], "6.6.6.6"),
        ([(b"cloudfront-viewer-address", b"2001:db8::1:4711")], "2001:db8::1"),
        ([(LIST, b"'; DROP TABLE")], PEER),
        ([(b"forwarded", b"for=1.1.1.1, for=7.7.7.7")], "7.7.7.7"),
        ([(b"forwarded", b"for=1.1.1.1"), (b"forwarded", b"for=7.7.7.7:80")], "7.7.7.7"),
        ([(b"forwarded", b'for="[2001:db8::9]:4711"')], "2001:db8::9"),
        ([(b"forwarded", b'for="[2001:db8::9]"')], "2001:db8::9"),
        ([(b"forwarded", b"for=2001:db8::9")], "2001:db8::9"),
        ([(b"forwarded", b"for=unknown"), (b"x-real-ip", b"4.4.4.4")], "4.4.4.4"),
        ([(b"forwarded", b"for=_hidden")], PEER),
        ([(b"forwarded", b"for=7.7.7.7 nonsense")], PEER),
        # Who speaks one dialect passes the other on as the client has sent it.
        ([(b"forwarded", b"for=7.7.7.7"), (LIST, b"2.2.2.2")], "2.2.2.2"),
    ],
)
def test_the_first_header_with_an_address_decides(headers, address):
    assert client_address(PEER, headers, NEAR) == address


@pytest.mark.case("T-80")
@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("198.51.100.7, 203.0.113.1", "198.51.100.7"),
        ("6.6.6.6, 198.51.100.7, 203.0.113.1", "198.51.100.7"),
        ("6.6.6.6, 203.0.113.1, 203.0.113.2", "203.0.113.1"),
        ("6.6.6.6, 198.51.100.7", "198.51.100.7"),  # around the outer proxy
        ("203.0.113.1", "203.0.113.1"),
        ("6.6.6.6, nonsense", PEER),
        ("6.6.6.6, _", PEER),
    ],
)
def test_places_of_trusted_proxies_are_passed_over(value, address):
    elements = ",".join(f"for={place.strip()}" for place in value.split(","))
    for headers in (
        [(LIST, value.encode())],
        [(LIST, place.encode()) for place in value.split(",")],
        [(b"forwarded", elements.encode())],
    ):
        assert client_address(PEER, headers, TWO) == address


ADDRESSES = st.ip_addresses(v=4).map(str)


@given(st.lists(ADDRESSES), ADDRESSES, st.integers(1, 4))
def test_a_client_cannot_choose_its_address(forged, client, hops):
    proxies = Proxies(TWO.networks, hops=hops)
    if proxies.trusts(client):
        return
    told = [*forged, client, *["203.0.113.9"] * (hops - 1)]
    assert client_address(PEER, [(LIST, ", ".join(told).encode())], proxies) == client


@given(st.lists(st.tuples(st.sampled_from([LIST, b"forwarded", b"x-real-ip"]), st.binary())))
def test_any_bytes_give_an_address(headers):
    assert client_address(PEER, headers, TWO)
    assert client_origin("http", "h", headers, TWO) == "http://h"


@pytest.mark.case("T-79")
@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ([], "http://inner:4000"),
        ([(b"x-forwarded-proto", b"https")], "https://inner:4000"),
        ([(b"x-forwarded-proto", b"HTTPS"), (b"x-forwarded-host", b"a.test")], "https://a.test"),
        ([(b"x-forwarded-host", b"evil.test, a.test:8443")], "http://a.test:8443"),
        ([(b"x-forwarded-host", b"[::1]:80")], "http://[::1]:80"),
        ([(b"x-forwarded-host", b"a.test/@evil")], "http://inner:4000"),
        ([(b"x-forwarded-host", b"a.test\r\nx: y")], "http://inner:4000"),
        ([(b"x-forwarded-proto", b"javascript")], "http://inner:4000"),
        ([(b"forwarded", b"for=1.1.1.1;proto=https;host=a.test")], "https://a.test"),
        ([(b"forwarded", b"proto=https;host=evil.test, for=1.1.1.1")], "http://inner:4000"),
        ([(b"forwarded", b"proto=https"), (LIST, b"1.1.1.1")], "http://inner:4000"),
    ],
)
def test_what_the_client_has_typed(headers, origin):
    assert client_origin("http", "inner:4000", headers, NEAR) == origin


def test_what_the_outermost_proxy_was_asked_for():
    headers = [
        (LIST, b"6.6.6.6, 198.51.100.7, 203.0.113.1"),
        (b"x-forwarded-proto", b"ftp, https, http"),
        (b"x-forwarded-host", b"evil.test, a.test, inner.test"),
    ]
    assert client_origin("http", "h", headers, TWO) == "https://a.test"
    headers = [(b"forwarded", b"proto=https;for=198.51.100.7;host=a.test, for=203.0.113.1")]
    assert client_origin("http", "h", headers, TWO) == "https://a.test"
