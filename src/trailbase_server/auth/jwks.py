"""
``/.well-known/jwks.json``: the public key, for services that check our auth tokens by themselves.

One key, named by its thumbprint (RFC 7638). Tokens do not name it: the reference's do not either.
"""

from hashlib import sha256

import orjson

from trailbase_server.auth.state import AuthState
from trailbase_server.ids import encode_b64u
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value

CACHE = (b"cache-control", b"public, max-age=3600")  # an hour: as long as a token lives


def read_jwks(state: AuthState, _request: Request) -> Response:
    """
    Answer with the key set.

    Spec:
        auth/missing-features-users-compare
    """
    # Names in this order, without blanks: that is what the thumbprint is made of.
    key = {"crv": "Ed25519", "kty": "OKP", "x": encode_b64u(state.keys.public_bytes).rstrip("=")}
    thumbprint = encode_b64u(sha256(orjson.dumps(key)).digest()).rstrip("=")
    response = json_value({"keys": [{**key, "alg": "EdDSA", "use": "sig", "kid": thumbprint}]})
    response.headers.append(CACHE)
    return response
