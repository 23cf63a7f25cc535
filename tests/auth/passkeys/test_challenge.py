"""Challenges: ours, for one purpose and account, for a while."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.auth.conftest import SEED
from trailbase_server.auth.keys import SigningKeys, _derive_public
from trailbase_server.auth.passkeys.challenge import (
    CHALLENGE_BYTES,
    TTL_S,
    mint_challenge,
    read_challenge,
)

KEYS = SigningKeys(SEED, _derive_public(SEED))
OTHER_KEYS = SigningKeys(bytes(32), _derive_public(bytes(32)))
NOW = 1_790_000_000
USER, OTHER = bytes(16), bytes(15) + b"\1"


@pytest.mark.parametrize(("purpose", "user"), [("login", None), ("register", USER)])
def test_one_is_good_until_it_is_over(purpose, user):
    challenge = mint_challenge(KEYS, purpose, NOW, user)
    assert len(challenge) == CHALLENGE_BYTES
    for later, is_good in ((0, True), (TTL_S - 1, True), (TTL_S, False), (2**40, False)):
        found = read_challenge(KEYS, purpose, challenge, NOW + later, user)
        assert (found is not None) == is_good
    assert found is None
    assert read_challenge(KEYS, purpose, challenge, NOW, user).expires == NOW + TTL_S


def test_no_two_are_alike():
    nonces = {
        read_challenge(KEYS, "login", mint_challenge(KEYS, "login", NOW), NOW).nonce
        for _ in range(50)
    }
    assert len(nonces) == 50


@pytest.mark.parametrize(
    ("purpose", "user"),
    [("login", None), ("login", USER), ("register", None), ("register", OTHER)],
)
def test_one_is_good_for_its_purpose_and_account_alone(purpose, user):
    challenge = mint_challenge(KEYS, "register", NOW, USER)
    assert read_challenge(KEYS, purpose, challenge, NOW, user) is None


def test_one_of_another_depot_is_not_ours():
    challenge = mint_challenge(OTHER_KEYS, "login", NOW)
    assert read_challenge(KEYS, "login", challenge, NOW) is None


@given(st.integers(0, CHALLENGE_BYTES * 8 - 1))
def test_every_bit_counts(bit):
    challenge = bytearray(mint_challenge(KEYS, "login", NOW))
    challenge[bit // 8] ^= 1 << bit % 8
    assert read_challenge(KEYS, "login", bytes(challenge), NOW) is None


@given(st.binary(max_size=2 * CHALLENGE_BYTES))
def test_no_other_bytes_are_one(data):
    assert read_challenge(KEYS, "login", data, NOW) is None
