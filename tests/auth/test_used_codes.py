"""What is remembered of exchanged codes."""

from trailbase_server.auth import used_codes
from trailbase_server.auth.sessions import CODE_TTL_S, stored_form
from trailbase_server.auth.used_codes import UsedCodes


def test_a_session_is_found_once_by_code_and_challenge(clock):
    codes = UsedCodes(clock)
    codes.remember("code", "challenge", "token")
    assert codes.take("code", "another") is None
    assert codes.take("other", "challenge") is None
    assert codes.take("code", "challenge") == stored_form("token")
    assert codes.take("code", "challenge") is None


def test_it_is_forgotten_when_the_code_would_have_expired(clock):
    codes = UsedCodes(clock)
    codes.remember("code", "challenge", "token")
    clock.advance(CODE_TTL_S + 1)
    assert codes.take("code", "challenge") is None


def test_the_oldest_goes_when_it_is_full(clock, monkeypatch):
    monkeypatch.setattr(used_codes, "CAPACITY", 3)
    codes = UsedCodes(clock)
    for number in range(5):
        codes.remember(str(number), "c", "token")
    assert [codes.take(str(number), "c") is not None for number in range(5)] == [False] * 2 + [
        True
    ] * 3


def test_neither_codes_nor_tokens_are_kept_in_the_clear(clock):
    codes = UsedCodes(clock)
    codes.remember("secret code", "challenge", "secret token")
    assert "secret" not in repr(vars(codes))
