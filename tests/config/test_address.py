import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.config.address import is_domain, is_email_address, is_host, url_problem


@pytest.mark.parametrize(
    "text",
    [
        "http://x",
        "https://x.test:8080/a?b#c",
        "HTTP://X",
        "http://[::1]:4000",
        "http://bücher.test",
    ],
)
def test_absolute_urls(text):
    assert url_problem(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "nowhere", "harbor.conf.test", "localhost:4000", "/a", "//x", "ftp://x", "http://"),
        *(
            "http:///a",
            "http://x:port",
            "http://x:70000",
            "http://x:0",
            "http://[::1",
            "http://a b",
        ),
        *(" http://x", "http://x\n", "javascript:alert(1)", "http://:80"),
    ],
)
def test_what_is_no_absolute_url_is_explained(text):
    assert url_problem(text)


@pytest.mark.parametrize(
    "text", ["localhost", "mail.test", "mail.test.", "127.0.0.1", "::1", "a-b.c_d", "bücher.test"]
)
def test_hosts(text):
    assert is_host(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "smtp://x", "x:25", "x/y", "a b", "-a", "a-", "a..b", "[::1]", "a" * 64),
        *("a." * 127 + "a", "x\n", "a@b", "\u2028", "ü" * 300),
    ],
)
def test_what_is_no_host(text):
    assert not is_host(text)


@pytest.mark.parametrize("text", ["localhost", "harbor.test", "xn--bcher-kva.test"])
def test_domains(text):
    assert is_domain(text)


@pytest.mark.parametrize(
    "text", ["", "harbor.test.", "bücher.test", "1.2.3.4", "::1", "a:1", "a/b"]
)
def test_what_is_no_domain(text):
    assert not is_domain(text)


@pytest.mark.parametrize(
    "text", ["a@b", "noreply@harbor.test", "a.b+c@[127.0.0.1]", "a@[IPv6:::1]"]
)
def test_sender_addresses(text):
    assert is_email_address(text)


@pytest.mark.parametrize(
    "text",
    ["", "a", "@b", "a@", "a@b c", "a b@c", "a@@b", "a@[x]", "a\n@b", "<a@b>", "a" * 65 + "@b"],
)
def test_what_is_no_sender_address(text):
    assert not is_email_address(text)


@given(st.text(max_size=40))
def test_any_text_gets_an_answer(text):
    url_problem(text)
    is_host(text)
    is_email_address(text)
    is_domain(text)
