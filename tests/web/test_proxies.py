import pytest

from trailbase_server.web.proxies import NEAR, NOBODY, parse_proxies, usual_proxies


@pytest.mark.case("T-80")
@pytest.mark.parametrize(
    ("peer", "near"),
    [
        *[(peer, True) for peer in ("127.0.0.1", "::1", "10.1.2.3", "192.168.0.9", "fd00::1", "")],
        *[
            (peer, True)
            for peer in ("::ffff:10.0.0.1", "169.254.1.1", "172.31.0.1", "fe80::1%eth0")
        ],
        *[(peer, False) for peer in ("9.9.9.9", "2001:db8::1", "::ffff:9.9.9.9", "172.32.0.1")],
        *[(peer, False) for peer in ("100.64.0.1", "0.0.0.0", "::", "nobody", "127.0.0.1:80")],
    ],
)
def test_who_is_near(peer, near):
    assert NEAR.trusts(peer) is near
    assert not NOBODY.trusts(peer)


@pytest.mark.parametrize(
    ("words", "trusted", "strange"),
    [
        (["203.0.113.0/24"], ["203.0.113.7"], ["203.0.114.7", "127.0.0.1", ""]),
        (["203.0.113.7, 2001:db8::/32"], ["203.0.113.7", "2001:db8:9::1"], ["203.0.113.8", "::1"]),
        (["private", "203.0.113.7"], ["10.0.0.1", "203.0.113.7", ""], ["8.8.8.8"]),
        (["unix"], [""], ["127.0.0.1"]),
        (["none"], [], ["127.0.0.1", "", "8.8.8.8"]),
        ([], [], ["127.0.0.1", ""]),
    ],
)
def test_the_list_decides(words, trusted, strange):
    proxies = parse_proxies(words, 2)
    assert proxies.hops == 2
    assert [peer for peer in (*trusted, *strange) if proxies.trusts(peer)] == trusted


@pytest.mark.parametrize("word", ["10.0.0.1/8", "example.org", "none,10.0.0.0/8", "10.0.0.0/33"])
def test_a_list_that_is_wrong_is_refused(word):
    with pytest.raises(ValueError, match=word.split(",")[0]):
        parse_proxies([word])


@pytest.mark.case("T-80")
@pytest.mark.parametrize(
    ("listening", "believed"),
    [
        (["127.0.0.1", "::1"], True),
        (["10.0.0.5"], True),
        ([""], True),
        ([], True),
        (["0.0.0.0"], False),
        (["::"], False),
        (["127.0.0.1", "203.0.113.5"], False),
    ],
)
def test_a_server_on_a_public_address_believes_nobody(listening, believed):
    assert usual_proxies(listening).trusts("127.0.0.1") is believed
    assert usual_proxies(listening, 3).hops == (3 if believed else 1)
