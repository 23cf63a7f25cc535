import pytest

from trailbase_server.web.client_ip import client_address, is_near


@pytest.mark.case("T-80")
@pytest.mark.parametrize(
    ("peer", "near"),
    [("127.0.0.1", True), ("::1", True), ("10.1.2.3", True), ("", True), ("9.9.9.9", False)],
)
def test_only_near_peers_are_believed(peer, near):
    assert is_near(peer) is near


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ([], "10.0.0.1"),
        ([(b"x-forwarded-for", b"1.1.1.1, 2.2.2.2")], "2.2.2.2"),
        ([(b"x-forwarded-for", b"1.1.1.1"), (b"x-forwarded-for", b"3.3.3.3")], "3.3.3.3"),
        ([(b"x-forwarded-for", b"1.1.1.1:80"), (b"x-real-ip", b"4.4.4.4")], "4.4.4.4"),
        ([(b"x-real-ip", b"4.4.4.4"), (b"x-real-ip", b"5.5.5.5")], "10.0.0.1"),
        ([(b"cloudfront-viewer-address", b"6.6.6.6:4711")], "6.6.6.6"),
        ([(b"cloudfront-viewer-address", b"2001:db8::1:4711")], "2001:db8::1"),
        ([(b"x-forwarded-for", b"'; DROP TABLE")], "10.0.0.1"),
    ],
)
def test_the_first_header_with_an_address_decides(headers, address):
    assert client_address("10.0.0.1", headers) == address
