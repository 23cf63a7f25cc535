"""
``/.well-known/jwks.json``: the public keys, for services that check our auth tokens by themselves.

Each is named by its thumbprint (RFC 7638), as tokens do in ``kid``. Keys of earlier days are there
for as long as they count.
"""

from trailbase_server.auth.keys import thumbprint
from trailbase_server.auth.state import AuthState
from trailbase_server.ids import encode_b64u
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value

CACHE = (b"cache-control", b"public, max-age=3600")  # an hour: as long as a token lives


def read_jwks(state: AuthState, _request: Request) -> Response:
    """
    Answer with the key set, the key that signs first.

    Spec:
        auth/missing-features-users-compare
    """
    keys = [_describe(public) for public in state.keys.verifying(state.clock.now())]
    response = json_value({"keys": keys})
    response.headers.append(CACHE)
    return response


def _describe(public: bytes) -> dict[str, str]:
    return {
        "crv": "Ed25519",
        "kty": "OKP",
        "x": encode_b64u(public).rstrip("="),
        "alg": "EdDSA",
        "use": "sig",
        "kid": thumbprint(public),
    }
