"""Tokens that are forged, mistaken, or out of date, at the server as a whole."""

import hmac
import json
from base64 import b64decode
from hashlib import sha256

import pytest

from tests.security.conftest import AUTH, auth_places
from trailbase_server.auth.tokens import TokenKind, mint_auth_token, mint_flow_token, sign_claims
from trailbase_server.ids import encode_b64u

BOARD, CHEST, INFO = "/api/records/v1/board", "/api/records/v1/chest", "/api/_admin/info"


def part(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return encode_b64u(data).rstrip("=")


async def claims_of(quay, who="boss"):
    user, now_s = await quay.find(who), quay.auth.clock.now_s()
    return {
        "sub": encode_b64u(user.id),
        "iat": now_s,
        "exp": now_s + 600,
        "type": 1,
        "admin": True,
        "provider": 0,
        "email": user.email,
        "username": user.username,
        "csrf_token": "c" * 20,
    }


async def assert_is_nobody(quay, token):
    """The token opens nothing, anywhere, and breaks nothing."""
    for path in (INFO, CHEST, f"{AUTH}/sessions"):
        answer = await quay.ask("GET", path, bearer=token)
        assert answer.status_code in (401, 403), (path, answer.status_code)
    for headers in ({"authorization": f"Bearer {token}"}, {"cookie": f"auth_token={token}"}):
        answer = await quay.ask("GET", BOARD, headers=headers)
        assert (answer.status_code, len(answer.json()["records"])) == (200, 1)
    answer = await quay.post("/change_username", {"new_username": "taken"}, bearer=token)
    assert answer.status_code == 401


@pytest.mark.case("T-01")
@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "NONE", "", None])
async def test_a_token_without_signature_is_none(quay, algorithm):
    text = f"{part({'typ': 'JWT', 'alg': algorithm})}.{part(await claims_of(quay))}"
    for token in (f"{text}.", text, f"{text}.{part(b'')}", f"{text}.{'A' * 86}"):
        await assert_is_nobody(quay, token)


@pytest.mark.case("T-02")
@pytest.mark.parametrize("algorithm", ["HS256", "EdDSA"])
async def test_the_public_key_is_no_secret_to_sign_with(quay, algorithm):
    keys = quay.auth.keys
    text = f"{part({'typ': 'JWT', 'alg': algorithm})}.{part(await claims_of(quay))}"
    der = b64decode("".join(keys.public_pem.split("\n")[1:-2]))
    forms = [keys.public_pem.encode(), keys.public_pem.strip().encode(), der, keys.public_bytes]
    forms.append(part(keys.public_bytes).encode())
    for secret in forms:
        signature = hmac.digest(secret, text.encode(), sha256)
        await assert_is_nobody(quay, f"{text}.{part(signature)}")
        await assert_is_nobody(quay, f"{text}.{part(signature * 2)}")


@pytest.mark.case("T-03")
async def test_a_key_that_a_token_brings_along_is_not_used(quay):
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    thief = Ed25519PrivateKey.generate()
    own = {"kty": "OKP", "crv": "Ed25519", "x": part(thief.public_key().public_bytes_raw())}
    for more in (
        {"jwk": own},
        {"jku": "https://evil.test/jwks.json"},
        {"x5u": "https://evil.test/cert.pem"},
        {"x5c": ["AAAA"]},
        {"kid": "../../../../dev/null"},
        {"kid": "' UNION SELECT 'x"},
        {"kid": 7},
        {"kid": own},
        {"kid": "x" * 3000},
    ):
        head = {"typ": "JWT", "alg": "EdDSA", **more}
        text = f"{part(head)}.{part(await claims_of(quay))}"
        await assert_is_nobody(quay, f"{text}.{part(thief.sign(text.encode()))}")


async def every_kind(quay):
    """One good token of each kind, by what it is for."""
    user, auth = await quay.find(), quay.auth
    sub, soon = encode_b64u(user.id), auth.clock.now_s() + 100
    flows = {
        TokenKind.PENDING_LOGIN: {"sub": sub, "method": "pw"},
        TokenKind.RESET_PASSWORD: {"sub": user.email, "pwd": "x"},
        TokenKind.CHANGE_EMAIL: {"sub": sub, "old_email": user.email, "new_email": "n@quay.test"},
        TokenKind.VERIFY_EMAIL: {"sub": sub, "email": user.email},
    }
    tokens = {
        kind.name: mint_flow_token(auth.keys, kind, claims, soon) for kind, claims in flows.items()
    }
    session = await quay.log_in()
    return {**tokens, "AUTH": session["auth_token"], "REFRESH": session["refresh_token"]}


ENTRIES = {
    # What an endpoint takes, and how it is handed over.
    "PENDING_LOGIN": ("POST", "/login_mfa", lambda t: {"mfa_token": t, "totp": "000000"}),
    "RESET_PASSWORD": (
        "POST",
        "/reset_password/update",
        lambda t: {"password_reset_token": t, "password": "x" * 9, "password_repeat": "x" * 9},
    ),
    "CHANGE_EMAIL": ("GET", "/change_email/confirm/{}", None),
    "VERIFY_EMAIL": ("GET", "/verify_email/confirm/{}", None),
    "REFRESH": ("POST", "/refresh", lambda t: {"refresh_token": t}),
    "CODE": (
        "POST",
        "/token",
        lambda t: {"authorization_code": t[:48], "pkce_code_verifier": "v" * 43},
    ),
    "STATE": ("GET", "/oauth/discord/callback?code=c&state={}", None),
}


@pytest.mark.case("T-04", "T-19")
async def test_a_token_opens_only_the_door_that_it_was_made_for(quay):
    tokens = await every_kind(quay)
    before = await quay.find()
    for entry, (method, path, body) in ENTRIES.items():
        for kind, token in tokens.items():
            if kind != entry:
                json_body = body(token) if body else None
                answer = await quay.ask(method, AUTH + path.format(token), json=json_body)
                assert 400 <= answer.status_code < 500, (entry, kind, answer.status_code)
    for kind, token in tokens.items():
        if kind != "AUTH":
            await assert_is_nobody(quay, token)
    assert await quay.find() == before


@pytest.mark.case("T-04")
async def test_no_token_of_another_kind_is_an_error_of_the_server(quay):
    tokens = await every_kind(quay)
    for method, path in auth_places():
        for kind in ("PENDING_LOGIN", "VERIFY_EMAIL", "REFRESH"):
            answer = await quay.ask(method, path, bearer=tokens[kind], jar={"auth_token": "x"})
            assert answer.status_code < 500, (method, path, kind)


@pytest.mark.case("T-05")
@pytest.mark.parametrize(
    "times",
    [
        {"exp": 2**63},
        {"exp": 2**64},
        {"exp": 10**400},
        {"exp": -1},
        {"exp": -(2**63)},
        {"exp": 1e300},
        {"iat": 2**70},
        {"iat": "soon"},
        {"nbf": "soon"},
    ],
)
async def test_odd_times_crash_nothing(quay, times):
    claims = {**await claims_of(quay, "nora"), **times}
    claims = {k: v for k, v in claims.items() if k != "admin"}
    token = sign_claims_of_any_size(quay.auth.keys, claims)
    answer = await quay.ask("GET", CHEST, bearer=token)
    assert answer.status_code in (200, 401, 403)


def sign_claims_of_any_size(keys, claims):
    text = f"{part({'typ': 'JWT', 'alg': 'EdDSA'})}.{part(claims)}"
    return f"{text}.{part(keys.sign(text.encode()))}"


@pytest.mark.case("T-06", "T-36")
async def test_the_database_decides_who_is_an_administrator(quay):
    session = await quay.log_in("boss")
    headers = {"csrf-token": session["csrf_token"]}
    token = session["auth_token"]
    assert (await quay.ask("GET", INFO, bearer=token, headers=headers)).status_code == 200
    assert (await quay.ask("GET", INFO, bearer=token)).status_code == 400
    wrong = {"csrf-token": "x" * 20}
    assert (await quay.ask("GET", INFO, bearer=token, headers=wrong)).status_code == 400
    await quay.run("UPDATE _user SET admin = 0")
    assert (await quay.ask("GET", INFO, bearer=token, headers=headers)).status_code == 403


@pytest.mark.case("T-06")
async def test_a_claim_of_being_an_administrator_is_only_a_claim(quay):
    claims = await claims_of(quay, "nora")
    token = sign_claims(quay.auth.keys, claims)
    headers = {"csrf-token": claims["csrf_token"]}
    assert (await quay.ask("GET", INFO, bearer=token, headers=headers)).status_code == 403


@pytest.mark.case("T-06", "T-08")
@pytest.mark.parametrize(
    "change",
    ["DELETE FROM _user", "UPDATE _user SET unverified_email = email, email = NULL"],
)
async def test_who_is_gone_gets_no_new_token(quay, change):
    session = await quay.log_in()
    await quay.run(f"{change} WHERE username = 'nora'")
    answer = await quay.post("/refresh", {"refresh_token": session["refresh_token"]})
    assert answer.status_code == 401
    answer = await quay.ask("GET", CHEST, jar={"refresh_token": session["refresh_token"]})
    assert answer.status_code in (401, 403)


@pytest.mark.case("T-07")
async def test_an_expired_token_is_as_good_as_none(quay):
    user = await quay.find()
    old = mint_auth_token(quay.auth.keys, user, quay.auth.clock.now_s() - 7200, 3600).token
    for method, path, body in (
        ("GET", BOARD, None),
        ("GET", f"{BOARD}/1", None),
        ("POST", BOARD, {"text": "x"}),
        ("GET", CHEST, None),
        ("GET", f"{AUTH}/status", None),
        ("POST", f"{AUTH}/login", {"username": "nora", "password": "NORA-pass-77"}),
    ):
        with_it = await quay.ask(method, path, json=body, bearer=old)
        without = await quay.ask(method, path, json=body)
        assert with_it.status_code == without.status_code, path
        if path.startswith("/api/records"):
            shown = [{**a.json(), "cursor": 0} if a.content else None for a in (with_it, without)]
            assert shown[0] == shown[1]


@pytest.mark.case("T-08")
@pytest.mark.parametrize(
    "token", ["", "x", "' OR 1=1 --", "%", "*", "\0" * 86, "é" * 86, "a" * 86, "a" * 1_000_000]
)
async def test_odd_refresh_tokens_are_dead(quay, token):
    await quay.log_in()
    answer = await quay.post("/refresh", {"refresh_token": token})
    assert answer.status_code == 401
    assert (await quay.post("/logout", {"refresh_token": token})).status_code == 200
    if token.isascii() and token.isprintable() and len(token) < 1000:
        headers = {"refresh-token": token, "cookie": f"refresh_token={token.replace(';', '')}"}
        answer = await quay.ask("GET", f"{AUTH}/status", headers=headers)
        assert answer.status_code < 500
        assert not answer.json().get("auth_token") if answer.status_code == 200 else True


@pytest.mark.case("T-08")
async def test_two_clients_may_share_a_session_until_it_ends(quay):
    token = {"refresh_token": (await quay.log_in())["refresh_token"]}
    assert [(await quay.post("/refresh", token)).status_code for _ in range(2)] == [200, 200]
    await quay.post("/logout", token)
    assert [(await quay.post("/refresh", token)).status_code for _ in range(2)] == [401, 401]
