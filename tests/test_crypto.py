"""Secrets, comparisons and password hashes."""

from collections import Counter

import bcrypt
import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.crypto import (
    LOWER_ALPHANUMERIC,
    UnknownHashError,
    digest,
    hash_password,
    is_same_secret,
    random_bytes,
    random_text,
    verify_password,
)


def test_random_text_keeps_to_its_alphabet_and_length():
    text = random_text(200, LOWER_ALPHANUMERIC)
    assert len(text) == 200
    assert set(text) <= set(LOWER_ALPHANUMERIC)
    assert random_text(20) != random_text(20)
    assert len(random_bytes(7)) == 7


@pytest.mark.parametrize(
    "alphabet", ["01", "0123456789", LOWER_ALPHANUMERIC, bytes(range(256)).decode("latin-1")]
)
def test_each_character_is_as_likely_as_any_other(alphabet):
    each = 2000
    counts = Counter(random_text(each * len(alphabet), alphabet))
    assert counts.keys() == set(alphabet)
    # Seven standard deviations: once in many billions of runs.
    assert all(abs(count - each) < 7 * each**0.5 for count in counts.values())
    assert random_text(0, alphabet) == ""


@given(st.text(), st.text())
def test_secrets_are_the_same_exactly_when_their_text_is(left, right):
    assert is_same_secret(left.encode("utf-8", "replace"), right.encode("utf-8", "replace")) == (
        left.encode("utf-8", "replace") == right.encode("utf-8", "replace")
    )


def test_a_secret_may_be_text_on_one_side_and_bytes_on_the_other():
    assert is_same_secret("öl", "öl".encode())
    assert len(digest("öl")) == 32


def test_a_new_hash_is_argon2id_with_the_agreed_parameters():
    stored = hash_password("sums-and-sets")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    salt, tag = stored.split("$")[4:]
    assert (len(salt), len(tag)) == (22, 43)
    assert stored != hash_password("sums-and-sets")


def test_a_password_fits_its_own_hash_only():
    stored = hash_password("sums-and-sets")
    assert verify_password(stored, "sums-and-sets")
    assert not verify_password(stored, "sums-and-Sets")
    assert not verify_password(stored, "")


def test_an_argon2_hash_is_verified_with_the_parameters_it_carries():
    stored = PasswordHasher(time_cost=1, memory_cost=64, parallelism=2).hash("moss")
    assert verify_password(stored, "moss")
    assert not verify_password(stored, "fern")


@pytest.mark.parametrize("prefix", ["$2a$", "$2b$", "$2x$", "$2y$"])
def test_imported_bcrypt_hashes_verify(prefix):
    stored = bcrypt.hashpw(b"moss", bcrypt.gensalt(4)).decode().replace("$2b$", prefix, 1)
    assert verify_password(stored, "moss")
    assert not verify_password(stored, "fern")


def test_bcrypt_looks_at_72_bytes():
    stored = bcrypt.hashpw(b"m" * 72, bcrypt.gensalt(4)).decode()
    assert verify_password(stored, "m" * 100)
    assert not verify_password(stored, "m" * 71)


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "plain",
        "$argon2id$v=19$m=19456,t=2,p=1$short",
        "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E",
        "$2b$99$" + "a" * 53,
        "$2b$04$" + "a" * 53 + "\n",
        "ö",
    ],
)
def test_a_hash_of_another_kind_is_no_mismatch_but_an_error(stored):
    with pytest.raises(UnknownHashError):
        verify_password(stored, "moss")
