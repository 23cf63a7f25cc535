"""The cache of verified tokens."""

from time import perf_counter

import pytest

from trailbase_server.auth import verified
from trailbase_server.auth.keys import SigningKeys, _derive_public
from trailbase_server.auth.tokens import sign_claims
from trailbase_server.auth.verified import VerifiedTokens
from trailbase_server.clock import FrozenClock
from trailbase_server.ids import encode_b64u

SEED = bytes(range(32))


class CountingKeys(SigningKeys):
    checked = 0

    def is_signed(self, message, signature, now_s):
        self.checked += 1
        return super().is_signed(message, signature, now_s)


@pytest.fixture
def keys():
    return CountingKeys(SEED, _derive_public(SEED))


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def tokens(keys, clock):
    return VerifiedTokens(keys, clock)


def token(keys, clock, ttl_s=600, user=b"n" * 16, number=0):
    claims = {"sub": encode_b64u(user), "iat": 1, "exp": clock.now_s() + ttl_s, "type": 1}
    return sign_claims(keys, {**claims, "csrf_token": str(number)})


def bearer(text):
    return b"Bearer " + text.encode()


def test_a_token_is_verified_once(tokens, keys, clock):
    header = bearer(token(keys, clock))
    first = tokens.bearer(header)
    assert first.user_id == b"n" * 16
    assert tokens.bearer(header) is first
    assert keys.checked == 1


def test_until_it_expires(tokens, keys, clock):
    header = bearer(token(keys, clock, 100))
    assert tokens.bearer(header)
    clock.advance(160)
    assert tokens.bearer(header)
    clock.advance(1)
    assert tokens.bearer(header) is None
    assert tokens.bearer(header) is None
    assert not tokens._known


@pytest.mark.parametrize("prefix", [b"", b"bearer ", b"Bearer", b"Bearer  ", b"Bearer\t", b"x "])
def test_other_schemes_are_not_looked_at(tokens, keys, clock, prefix):
    assert tokens.bearer(prefix + token(keys, clock).encode()) is None


def test_blanks_after_the_token_do_not_matter(tokens, keys, clock):
    assert tokens.bearer(bearer(token(keys, clock)) + b" \t")


def test_bad_tokens_are_not_kept(tokens, keys):
    for number in range(10):
        assert tokens.bearer(b"Bearer x.y.%d" % number) is None
        assert tokens.cookie(f"x.y.{number}") is None
    assert not tokens._known


def test_a_cookie_is_known_as_one(tokens, keys, clock):
    text = token(keys, clock, 100)
    assert tokens.cookie(text).from_cookie
    assert tokens.cookie(text) is tokens.cookie(text)
    assert not tokens.bearer(bearer(text)).from_cookie
    clock.advance(161)
    assert tokens.cookie(text) is None
    assert tokens.cookie("ü") is None


def test_a_user_can_be_forgotten(tokens, keys, clock):
    nora, solo = (bearer(token(keys, clock, user=who)) for who in (b"n" * 16, b"s" * 16))
    tokens.bearer(nora)
    kept = tokens.bearer(solo)
    tokens.forget(b"n" * 16)
    assert list(tokens._known.values()) == [kept]
    assert tokens.bearer(nora)


def test_the_table_is_bounded(tokens, keys, clock, monkeypatch):
    monkeypatch.setattr(verified, "CAPACITY", 3)
    headers = [bearer(token(keys, clock, number=number)) for number in range(5)]
    for header in headers:
        tokens.bearer(header)
    assert list(tokens._known) == headers[2:]


def test_a_known_token_costs_next_to_nothing(tokens, keys, clock):
    header = bearer(token(keys, clock))
    tokens.bearer(header)
    rounds = []
    for _ in range(20):
        started = perf_counter()
        for _ in range(1000):
            tokens.bearer(header)
        rounds.append(perf_counter() - started)
    assert min(rounds) < 0.002  # two microseconds each, on a busy machine


@pytest.mark.case("T-55")
def test_who_is_forgotten_is_told_to_whoever_wants_to_know(tokens, keys, clock):
    known = tokens.bearer(b"Bearer " + token(keys, clock).encode())
    told = []
    tokens.on_forget = told.append
    tokens.forget(known.user_id)
    assert told == [known.user_id]


def test_everything_is_verified_anew_with_other_keys(tokens, keys, clock):
    header = bearer(token(keys, clock))
    tokens.bearer(header)
    tokens.clear()
    tokens.bearer(header)
    assert keys.checked == 2
