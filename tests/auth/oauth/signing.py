"""A service that signs tokens: RSA keys, published as JSON."""

import json

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

KEYS = {kid: rsa.generate_private_key(65537, 2048) for kid in ("one", "two")}


def published(*kids):
    """What a service answers at its address of keys."""
    keys = []
    for kid in kids:
        entry = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEYS[kid].public_key()))
        keys.append({**entry, "kid": kid, "alg": "RS256", "use": "sig"})
    return {"keys": keys}


def sign(claims, kid="one", signed_with=None, algorithm="RS256"):
    key = (
        KEYS[signed_with or kid or "one"]
        if algorithm == "RS256"
        else "shared secret of enough length, yes"
    )
    return jwt.encode(claims, key, algorithm, headers={"kid": kid} if kid else {})
