"""One-time codes against the vectors of RFC 6238, and which URLs are accepted."""

from base64 import b32encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.auth.totp import (
    code_at,
    decode_secret,
    encode_secret,
    matching_step,
    new_secret,
    parse_url,
    render_url,
)

KEY = b"12345678901234567890"
SECRET = encode_secret(KEY)


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_vectors_of_the_standard(at, code):
    assert code_at(KEY, at // 30) == code
    assert matching_step(SECRET, code, at) == at // 30


def test_one_step_back_and_one_ahead_are_good():
    now = 1_800_000_000
    good = [delta for delta in range(-3, 4) if _step(now, delta) is not None]
    assert good == [-1, 0, 1]


def _step(now, delta):
    return matching_step(SECRET, code_at(KEY, now // 30 + delta), now)


@pytest.mark.case("T-18")
@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "٢٨٧٠٨٢", "28708２", "\0" * 6])
def test_what_is_no_code(code):
    assert matching_step(SECRET, code, 59) is None


def test_blanks_do_not_count():
    assert matching_step(SECRET, " 287 082 ", 59) == 1


def test_secrets_that_are_not_usable():
    assert decode_secret("GEZDGNBV") is None
    assert decode_secret("1" * 32) is None
    assert decode_secret(b32encode(bytes(65)).decode()) is None
    assert decode_secret("é" * 32) is None
    assert decode_secret(SECRET.lower() + "==") == KEY
    assert matching_step("short", "000000", 0) is None


@given(st.binary(min_size=16, max_size=64), st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_a_url_gives_its_secret_back(data, issuer, account):
    try:
        url = render_url(issuer, account, encode_secret(data))
    except UnicodeEncodeError:  # half a surrogate pair
        return
    assert parse_url(url) == encode_secret(data)
    assert decode_secret(encode_secret(data)) == data


@given(st.text(max_size=200))
def test_whatever_is_sent_is_read_or_refused(text):
    parse_url(text)
    parse_url(f"otpauth://totp/{text}")


def test_new_secrets_differ():
    assert len({new_secret() for _ in range(20)}) == 20
    assert len(new_secret()) == 32


def test_escapes_in_the_url():
    url = render_url("My app", "nora@auth.test", SECRET)
    assert url == (f"otpauth://totp/My%20app:nora%40auth.test?secret={SECRET}&issuer=My%20app")


@pytest.mark.parametrize(
    ("tail", "is_good"),
    [
        ("", True),
        ("&algorithm=SHA1&digits=6&period=30", True),
        ("&algorithm=sha1", True),
        ("&algorithm=SHA256", False),
        ("&digits=8", False),
        ("&period=60", False),
        ("&period=60&period=30", False),
        ("&secret=" + SECRET, False),
        ("&" + "x" * 1024, False),
    ],
)
def test_only_our_parameters_are_accepted(tail, is_good):
    assert (parse_url(render_url("a", "b", SECRET) + tail) == SECRET) == is_good


@pytest.mark.case("T-18")
@pytest.mark.parametrize(
    "url",
    [
        "",
        "nora",
        f"https://totp/a:b?secret={SECRET}",
        f"otpauth://hotp/a:b?secret={SECRET}",
        "otpauth://totp/a:b",
        "otpauth://totp/a:b?secret=GEZDGNBV",
        "otpauth://[totp/a:b",
    ],
)
def test_other_urls_are_refused(url):
    assert parse_url(url) is None
