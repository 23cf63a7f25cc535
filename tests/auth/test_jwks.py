"""The key set, read by another library."""

import json

import jwt

from trailbase_server.auth.jwks import read_jwks
from trailbase_server.auth.keys import SigningKeys, thumbprint
from trailbase_server.auth.retired_keys import RetiredKey
from trailbase_server.web.request import Request


async def test_another_library_checks_our_tokens_with_it(server, state, clock):
    clock.at = 2_000_000_000.0  # the other library has no clock of ours
    token = (await server.login("nora"))["auth_token"]
    response = read_jwks(state, Request("GET", "/.well-known/jwks.json"))
    [key] = jwt.PyJWKSet.from_dict(json.loads(response.body)).keys
    options = {"verify_exp": True, "verify_iat": False}
    claims = jwt.decode(token, key, algorithms=["EdDSA"], options=options)
    assert claims["email"] == "nora@auth.test"
    assert dict(response.headers)[b"cache-control"] == b"public, max-age=3600"


async def test_keys_of_earlier_days_are_there_while_they_count(server, state, clock):
    clock.at = 2_000_000_000.0
    token = (await server.login("nora"))["auth_token"]
    old, new = state.keys.public_bytes, SigningKeys.of_seed(bytes(32))
    state.keys.adopt(SigningKeys(bytes(32), new.public_bytes, [RetiredKey(old, 2_000_001_000)]))
    assert (await server.get("/sessions", bearer=token)).status == 200
    for wait_s, count in ((0, 2), (1001, 1)):
        clock.advance(wait_s)
        response = read_jwks(state, Request("GET", "/.well-known/jwks.json"))
        keys = jwt.PyJWKSet.from_dict(json.loads(response.body)).keys
        assert [key.key_id for key in keys] == [new.name, thumbprint(old)][:count]
    assert jwt.get_unverified_header(token)["kid"] == thumbprint(old)
    state.verified.clear()
    assert (await server.get("/sessions", bearer=token)).status == 401


def test_the_key_is_named_by_its_thumbprint(state):
    [key] = json.loads(read_jwks(state, Request("GET", "/")).body)["keys"]
    assert key == {
        "crv": "Ed25519",
        "kty": "OKP",
        "x": "A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg",
        "alg": "EdDSA",
        "use": "sig",
        "kid": key["kid"],
    }
    assert len(key["kid"]) == 43
