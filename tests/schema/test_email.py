"""What an e-mail address looks like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.schema.email import is_email


@pytest.mark.parametrize(
    "text",
    [
        "moss@functions.test",
        "a@localhost",
        "..a..@b",
        "!#$%&'*+/=?^_`{|}~-@x.y",
        "a" * 64 + "@b",
        "a@" + "b" * 63 + ".de",
        "a@[127.0.0.1]",
        "a@[2001:db8::1]",
        "a@bücher.example",
        "a@例え.テスト",
        "a@x--y.z",
    ],
)
def test_addresses(text):
    assert is_email(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "moss",
        "moss@",
        "@host",
        "a b@host",
        '"a"@host',
        "a@b@c",
        "a@host\n",
        "a@-host",
        "a@host-",
        "a@ho_st",
        "a@a..b",
        "a@.b",
        "a@b.",
        "ä@host",
        "a" * 65 + "@b",
        "a@" + "b" * 64,
        "a@" + "b." * 127 + "bc",
        "a@[1.2.3]",
        "a@[::1%eth0]",
        "a@x[127.0.0.1]",
        "a@" + "ü" * 255,
    ],
)
def test_other_texts(text):
    assert not is_email(text)


@given(st.text(st.characters(codec="ascii"), min_size=1, max_size=10))
def test_no_address_contains_blanks_or_control_characters(text):
    if any(character <= " " for character in text):
        assert not is_email(f"{text}@host")
        assert not is_email(f"moss@{text}")


@given(st.text())
def test_any_text_gets_an_answer(text):
    assert is_email(f"moss@{text}") in (True, False)
