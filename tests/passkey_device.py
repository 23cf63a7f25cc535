"""A device that keeps passkeys, in software: what a browser and an authenticator do together."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 1, 4, 8, 16, 64
ES256, EDDSA, RS256 = -7, -8, -257


def encode(data):
    return urlsafe_b64encode(data).decode().rstrip("=")


def decode(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Key:
    """A private key of one algorithm."""

    def __init__(self, algorithm=ES256):
        self.algorithm = algorithm
        if algorithm == ES256:
            self.private = ec.generate_private_key(ec.SECP256R1())
        elif algorithm == EDDSA:
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.private = rsa.generate_private_key(65537, 2048)

    @property
    def cose(self):
        public = self.private.public_key()
        if self.algorithm == ES256:
            numbers = public.public_numbers()
            return {
                1: 2,
                3: ES256,
                -1: 1,
                -2: numbers.x.to_bytes(32),
                -3: numbers.y.to_bytes(32),
            }
        if self.algorithm == EDDSA:
            return {1: 1, 3: EDDSA, -1: 6, -2: public.public_bytes_raw()}
        numbers = public.public_numbers()
        return {1: 3, 3: RS256, -1: numbers.n.to_bytes(256), -2: numbers.e.to_bytes(3)}

    def sign(self, data):
        if self.algorithm == ES256:
            return self.private.sign(data, ec.ECDSA(hashes.SHA256()))
        if self.algorithm == EDDSA:
            return self.private.sign(data)
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())


class Device:
    """
    Makes credentials and signs with them.

    Args:
        origin: Of the page that the browser shows.
        algorithm: Of new keys.
        flags: Set in what it signs.
        counts: Whether it counts its uses.
    """

    def __init__(self, origin, algorithm=ES256, flags=PRESENT | VERIFIED, *, counts=True):
        self.origin = origin
        self.algorithm = algorithm
        self.flags = flags
        self.counts = counts
        self.count = 0
        self.id = secrets.token_bytes(16)
        self.key = Key(algorithm)
        self.owner = None
        self.rp_id = None

    def create(self, options, **changes):
        """``navigator.credentials.create``, as JSON; ``changes`` spoil parts of it."""
        options = options["publicKey"]
        self.rp_id = options["rp"]["id"]
        self.owner = decode(options["user"]["id"])
        client_data = self._client_data("webauthn.create", options, changes)
        cose = changes.get("cose", self.key.cose)
        cose = cose if isinstance(cose, bytes) else cbor2.dumps(cose)
        attested = bytes(16) + len(self.id).to_bytes(2) + self.id + cose
        data = self._data(changes, ATTESTED) + attested
        outer = {"fmt": "none", "attStmt": {}, "authData": data, **changes.get("outer", {})}
        return {
            "id": encode(self.id),
            "rawId": encode(self.id),
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(client_data),
                "attestationObject": encode(cbor2.dumps(outer)),
                "transports": ["internal", "hybrid"],
            },
        }

    def get(self, options, **changes):
        """``navigator.credentials.get``, as JSON; ``changes`` spoil parts of it."""
        options = options["publicKey"]
        client_data = self._client_data("webauthn.get", options, changes)
        if self.counts:
            self.count += 1
        data = self._data(changes)
        signature = self.key.sign(data + hashlib.sha256(client_data).digest())
        return {
            "id": encode(self.id),
            "rawId": encode(self.id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(client_data),
                "authenticatorData": encode(data),
                "signature": encode(changes.get("signature", signature)),
                "userHandle": encode(changes.get("owner", self.owner)),
            },
        }

    def _client_data(self, kind, options, changes):
        data = {
            "type": changes.get("type", kind),
            "challenge": changes.get("challenge", options["challenge"]),
            "origin": changes.get("origin", self.origin),
            "crossOrigin": changes.get("cross_origin", False),
        }
        return json.dumps(data).encode()

    def _data(self, changes, more=0):
        rp_id = changes.get("rp_id", self.rp_id)
        flags = changes.get("flags", self.flags) | more
        count = changes.get("count", self.count)
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + count.to_bytes(4)
