"""The secrets that Apple wants."""

import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from trailbase_server.auth.oauth.apple import client_secret, is_usable_secret
from trailbase_server.errors import InternalError

NOW = 1_800_000_000


def signing_key(key):
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps({"team_id": "TEAM", "key_id": "KEY", "private_key": pem})


def test_a_secret_is_sent_as_it_is():
    assert is_usable_secret("eyJ.eyJ.sig")
    assert client_secret("eyJ.eyJ.sig", "app.test", NOW) == "eyJ.eyJ.sig"


def test_a_key_signs_secrets_of_a_few_minutes():
    key = ec.generate_private_key(ec.SECP256R1())
    secret = client_secret(signing_key(key), "app.test", NOW)
    assert jwt.get_unverified_header(secret)["kid"] == "KEY"
    claims = jwt.decode(
        secret,
        key.public_key(),
        algorithms=["ES256"],
        audience="https://appleid.apple.com",
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims == {
        "iss": "TEAM",
        "iat": NOW,
        "exp": NOW + 300,
        "aud": "https://appleid.apple.com",
        "sub": "app.test",
    }


@pytest.mark.parametrize("text", ["{", "{}", '{"team_id": 1, "key_id": "", "private_key": ""}'])
def test_half_a_key_is_none(text):
    assert not is_usable_secret(text)
    with pytest.raises(InternalError):
        client_secret(text, "app.test", NOW)


def test_a_key_that_cannot_sign_is_the_operators_mistake_and_not_shown():
    text = json.dumps({"team_id": "T", "key_id": "K", "private_key": "hush"})
    assert is_usable_secret(text)
    with pytest.raises(InternalError) as caught:
        client_secret(text, "app.test", NOW)
    assert "hush" not in caught.value.detail
