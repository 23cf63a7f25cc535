"""Which message belongs to an alert."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.auth.pages import messages
from trailbase_server.auth.pages.messages import Message, choose_message
from trailbase_server.auth.pages.texts import built_in_words


@pytest.mark.parametrize(
    ("page", "alert", "expected"),
    [
        ("login", None, None),
        ("login", "email verified", Message("email_verified", "notice")),
        ("login", "Login Failed: 401 Unauthorized", Message("login_failed", "error", "password")),
        ("login", "Login Failed: 429 Too Many Requests", Message("too_many")),
        ("login_mfa", "Failed: 401 Unauthorized", Message("code_wrong_or_late", "error", "totp")),
        ("otp_login", "Failed: 401", Message("code_wrong_or_late", "error", "code")),
        ("login", "Bad request: Invalid email", Message("email_invalid", "error", "email")),
        ("login", "Invalid email", Message("email_invalid", "error", "email")),
        ("login", "Login Failed: the service or its user refused", Message("service_refused")),
        ("login", "Login Failed: the service refused: bad_scope", Message("service_refused")),
        ("profile", "Failed: 503 Service Unavailable", Message("busy")),
        ("profile", "Failed: 418 I am a teapot", Message("unknown")),
        ("login", "Your account is locked, call 555", Message("unknown")),
        ("login", "Failed: 401 Call 555 <b>now</b>", Message("unknown")),
        (
            "login",
            "Registered a@b.test. Please follow the link in the mail we sent to verify the address",
            Message("registered", "notice"),
        ),
    ],
)
def test_a_known_alert_has_its_message(page, alert, expected):
    assert choose_message(page, alert) == expected


@given(st.text(max_size=200))
def test_no_text_of_an_address_is_ever_shown(alert):
    found = choose_message("login", alert)
    assert f"messages.{found.key}" in built_in_words()


def test_every_message_has_words_and_all_words_are_used():
    keys = {messages.UNKNOWN, "registered", *messages._NOTICES.values()}
    keys |= {key for key, _ in messages._REFUSALS.values()}
    keys |= {key for key, _ in messages._BY_STATUS.values()} | {*messages._COMMON.values()}
    keys |= {"service_refused"}
    words = {name.partition(".")[2] for name in built_in_words() if name.startswith("messages.")}
    assert keys == words
