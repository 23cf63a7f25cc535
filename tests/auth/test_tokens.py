"""Tokens: what we mint, and that nothing else is read."""

import json
from base64 import urlsafe_b64encode

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.auth.keys import SigningKeys, _derive_public
from trailbase_server.auth.tokens import (
    TokenKind,
    has_odd_subject,
    mint_auth_token,
    mint_flow_token,
    read_auth_token,
    read_claims,
    read_flow_token,
    sign_claims,
    subject_of,
)
from trailbase_server.auth.users import User
from trailbase_server.errors import InternalError
from trailbase_server.ids import encode_b64u

NOW = 1_800_000_000
SEED = bytes(range(32))
KEYS = SigningKeys(SEED, _derive_public(SEED))
OTHER = SigningKeys(bytes(32), _derive_public(bytes(32)))


def user(**changes):
    values = {
        "id": b"n" * 16,
        "email": "nora@auth.test",
        "unverified_email": None,
        "username": "nora",
        "password_hash": None,
        "admin": False,
        "totp_secret": None,
        "provider_id": 0,
        "created": 1,
        "updated": 1,
    }
    return User(**{**values, **changes})


def claims(**changes):
    values = {
        "sub": encode_b64u(b"n" * 16),
        "iat": NOW,
        "exp": NOW + 600,
        "type": 1,
        "provider": 0,
        "email": None,
        "username": "nora",
        "csrf_token": "A" * 20,
        **changes,
    }
    return {name: value for name, value in values.items() if value is not ...}


def b64(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header, body, keys=KEYS):
    text = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(body).encode())}"
    return f"{text}.{b64(keys.sign(text.encode()))}"


def identity_of(token, now=NOW):
    return read_auth_token(KEYS, token.encode(), now)


def test_an_auth_token_has_the_claims_in_their_order():
    token = mint_auth_token(KEYS, user(), NOW, 3600).token
    assert jwt.get_unverified_header(token) == {
        "typ": "JWT",
        "alg": "EdDSA",
        "kid": KEYS.name,
    }
    body = jwt.decode(token, options={"verify_signature": False})
    assert list(body) == [
        "sub",
        "iat",
        "exp",
        "type",
        "provider",
        "email",
        "username",
        "csrf_token",
    ]
    assert body["sub"] == encode_b64u(b"n" * 16)
    assert (body["iat"], body["exp"], body["type"], body["provider"]) == (NOW, NOW + 3600, 1, 0)
    assert len(body["csrf_token"]) == 20


def test_rights_and_second_factor_are_named_only_when_they_are_there():
    token = mint_auth_token(KEYS, user(admin=True, totp_secret="S", email=None), NOW, 60).token
    body = jwt.decode(token, options={"verify_signature": False})
    assert list(body)[4:6] == ["admin", "mfa"]
    assert body["email"] is None


def test_another_library_accepts_the_signature():
    token = mint_auth_token(KEYS, user(), 1_700_000_000, 2**31).token
    jwt.decode(token, KEYS.public_pem, algorithms=["EdDSA"])


def test_what_is_minted_is_read_again():
    minted = mint_auth_token(KEYS, user(admin=True), NOW, 3600)
    assert identity_of(minted.token) == minted


def test_every_token_has_its_own_csrf_token():
    first, second = (mint_auth_token(KEYS, user(), NOW, 3600) for _ in range(2))
    assert first.csrf_token != second.csrf_token


def test_users_with_an_unconfirmed_address_get_no_token():
    with pytest.raises(InternalError):
        mint_auth_token(KEYS, user(unverified_email="x@auth.test"), NOW, 3600)


@pytest.mark.case("T-05")
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"email": ...},
        {"username": ...},
        {"provider": ...},
        {"admin": True},
        {"nbf": NOW + 9999},
        {"iss": "elsewhere"},
        {"colour": "blue"},
        {"iat": NOW + 9999},
        {"exp": NOW - 60},
    ],
)
def test_unusual_claims_that_pass(changes):
    assert identity_of(sign_claims(KEYS, claims(**changes)))


@pytest.mark.case("T-05")
@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW - 61},
        {"exp": ...},
        {"exp": str(NOW + 600)},
        {"exp": NOW + 600.5},
        {"exp": True},
        {"iat": ...},
        {"iat": None},
        {"type": ...},
        {"type": True},
        {"type": 1.0},
        {"type": 0},
        {"type": 2},
        {"type": 5},
        {"type": "1"},
        {"aud": "elsewhere"},
        {"aud": None},
        {"csrf_token": ...},
        {"csrf_token": 7},
        {"email": 7},
        {"username": ["nora"]},
        {"admin": "true"},
        {"provider": "0"},
        {"sub": ...},
        {"sub": "nora"},
        {"sub": encode_b64u(b"n" * 16).rstrip("=")},
        {"sub": encode_b64u(b"n" * 15)},
        {"sub": "0a000000-0000-4000-8000-000000000002"},
    ],
)
def test_claims_that_are_refused(changes):
    assert identity_of(sign_claims(KEYS, claims(**changes))) is None


@pytest.mark.case("T-01", "T-02", "T-03")
@pytest.mark.parametrize(
    ("header", "passes"),
    [
        ({"typ": "JWT", "alg": "EdDSA"}, True),
        ({"alg": "EdDSA"}, True),
        ({"alg": "EdDSA", "kid": "1"}, True),
        ({"alg": "HS256"}, False),
        ({"alg": "none"}, False),
        ({"alg": "eddsa"}, False),
        ({"typ": "JWT"}, False),
        ({"alg": "EdDSA", "crit": ["x"]}, False),
        ([], False),
    ],
)
def test_headers(header, passes):
    assert (identity_of(signed(header, claims())) is not None) is passes


def test_a_token_of_another_key_is_refused():
    assert identity_of(sign_claims(OTHER, claims())) is None


def test_damaged_tokens_are_refused():
    good = sign_claims(KEYS, claims())
    head, body, signature = good.split(".")
    for bad in (
        "",
        ".",
        "..",
        "garbage",
        f"{head}.{body}",
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-4]}",
        f"{head}.{body}.{signature}.",
        good + "==",
        " " + good,
        good + " ",
        good + "ü",
        f"{head}=.{body}.{signature}",
        "a" * 60_000,
        f"{'a' * 30_000}.{'b' * 30_000}.{signature}",
    ):
        assert identity_of(bad) is None, bad[:100]


@given(st.integers(0, 2000), st.integers(1, 255))
def test_no_single_changed_byte_goes_unnoticed(at, by):
    good = sign_claims(KEYS, claims()).encode()
    at %= len(good)
    bad = good[:at] + bytes([(good[at] + by) % 256]) + good[at + 1 :]
    assert read_auth_token(KEYS, bad, NOW) is None


@given(st.binary(max_size=300))
def test_reading_never_raises(data):
    assert read_claims(KEYS, data, NOW) is None


def test_claims_that_are_no_object_are_refused():
    header = json.dumps({"alg": "EdDSA"}).encode()
    text = f"{b64(header)}.{b64(b'[]')}"
    assert read_claims(KEYS, f"{text}.{b64(KEYS.sign(text.encode()))}".encode(), NOW) is None


FLOWS = {
    TokenKind.PENDING_LOGIN: {"sub": "u", "method": "pw"},
    TokenKind.RESET_PASSWORD: {"sub": "nora@auth.test", "pwd": "x"},
    TokenKind.CHANGE_EMAIL: {"sub": "u", "old_email": "", "new_email": "n@auth.test"},
    TokenKind.VERIFY_EMAIL: {"sub": "u", "email": "n@auth.test"},
}


@pytest.mark.case("T-04")
@pytest.mark.parametrize("kind", FLOWS)
def test_a_flow_token_counts_for_its_own_flow_only(kind):
    token = mint_flow_token(KEYS, kind, FLOWS[kind], NOW + 60)
    assert read_flow_token(KEYS, kind, token, NOW) == FLOWS[kind]
    assert read_flow_token(KEYS, kind, token, NOW + 121) is None
    assert identity_of(token) is None
    for other in FLOWS:
        if other is not kind:
            assert read_flow_token(KEYS, other, token, NOW) is None


@pytest.mark.case("T-04")
def test_an_auth_token_resets_no_password():
    token = mint_auth_token(KEYS, user(), NOW, 60).token
    assert read_flow_token(KEYS, TokenKind.RESET_PASSWORD, token, NOW) is None


def test_a_flow_token_without_its_claims_is_refused():
    token = sign_claims(KEYS, {"sub": "u", "exp": NOW + 60, "type": 5, "email": None})
    assert read_flow_token(KEYS, TokenKind.VERIFY_EMAIL, token, NOW) is None


def test_tokens_that_only_we_read_do_not_name_the_key():
    token = mint_flow_token(KEYS, TokenKind.VERIFY_EMAIL, FLOWS[TokenKind.VERIFY_EMAIL], NOW)
    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "EdDSA"}


def test_the_order_of_flow_claims_is_the_written_one():
    token = mint_flow_token(KEYS, TokenKind.VERIFY_EMAIL, FLOWS[TokenKind.VERIFY_EMAIL], NOW)
    body = jwt.decode(token, options={"verify_signature": False, "verify_exp": False})
    assert list(body) == ["sub", "exp", "type", "email"]


@pytest.mark.parametrize(
    ("changes", "is_odd"),
    [
        ({}, False),
        ({"sub": "nora"}, True),
        ({"sub": b64(bytes(16))}, True),
        ({"sub": "AAAAAAAAAAAAAAAAAAAA"}, True),
        ({"sub": 7}, False),
        ({"sub": "nora", "type": 2}, False),
        ({"sub": "nora", "exp": NOW - 61}, False),
    ],
)
def test_tokens_that_are_good_but_for_their_subject(changes, is_odd):
    token = sign_claims(KEYS, claims(**changes)).encode()
    assert has_odd_subject(KEYS, token, NOW) == is_odd
    assert not has_odd_subject(OTHER, token, NOW)


def test_the_subject_of_a_flow():
    assert subject_of({"sub": "AAAAAAAAAAAAAAAAAAAAAA=="}) == bytes(16)
    assert subject_of({"sub": "AAAAAAAAAAAAAAAAAAAAAA"}) is None
    assert subject_of({"sub": "AAAA"}) is None
    assert subject_of(None) is None
