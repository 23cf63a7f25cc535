"""
What a browser sends: the JSON form of a credential (``PublicKeyCredential.toJSON()``), taken apart.

Everything here comes from strangers and is bounded. Whatever is not of the right shape is the
client's mistake (400); whether it is true is not asked here. Binary members are URL-safe base64
without padding, in its one canonical spelling.
"""

from typing import Any

from msgspec import Struct

from trailbase_server.errors import AppError, BadRequestError
from trailbase_server.ids import decode_b64u
from trailbase_server.web.body import decode_json

MAX_CREDENTIAL_BYTES = 1023  # what the standard allows
MAX_PART_BYTES = 16_384  # of one member; real ones take hundreds of bytes
MAX_TRANSPORTS = 8  # the standard knows six
MAX_TRANSPORT_LENGTH = 32  # characters


class ClientData(Struct, frozen=True):
    """
    What the browser says about the ceremony; the device has signed it.

    Attributes:
        encoded: The bytes themselves.
        challenge: As the browser got it.
        origin: Of the page or app.
        is_framed: The page was inside a page of another site.
    """

    encoded: bytes
    challenge: bytes
    origin: str
    is_framed: bool


class Attestation(Struct, frozen=True):
    """
    A new credential.

    Attributes:
        credential: What the device calls it.
        client_data: Of the ceremony.
        attestation_object: CBOR, not decoded.
        transports: How the browser reaches the device.
    """

    credential: bytes
    client_data: ClientData
    attestation_object: bytes
    transports: tuple[str, ...]


class Assertion(Struct, frozen=True):
    """
    A log-in with a credential.

    Attributes:
        credential: What the device calls it.
        client_data: Of the ceremony.
        authenticator_data: What the device says, not decoded.
        signature: Of both.
        user_handle: Whose credential the device thinks it is; None if it does not know.
    """

    credential: bytes
    client_data: ClientData
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None


def parse_attestation(value: dict[str, Any]) -> Attestation:
    """
    Take a new credential apart.

    Raises:
        BadRequestError: It is not of the shape that browsers produce.
    """
    credential, response = _parse_head(value)
    return Attestation(
        credential,
        _parse_client_data(_bytes(response, "clientDataJSON")),
        _bytes(response, "attestationObject"),
        _parse_transports(response.get("transports")),
    )


def parse_assertion(value: dict[str, Any]) -> Assertion:
    """
    Take the answer to a log-in apart.

    Raises:
        BadRequestError: It is not of the shape that browsers produce.
    """
    credential, response = _parse_head(value)
    has_handle = response.get("userHandle") is not None
    return Assertion(
        credential,
        _parse_client_data(_bytes(response, "clientDataJSON")),
        _bytes(response, "authenticatorData"),
        _bytes(response, "signature"),
        _bytes(response, "userHandle") if has_handle else None,
    )


def _parse_head(value: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
    if value.get("type") != "public-key":
        raise _malformed("type")
    credential, raw = _bytes(value, "id"), _bytes(value, "rawId")
    if credential != raw or not 0 < len(credential) <= MAX_CREDENTIAL_BYTES:
        raise _malformed("id")
    response = value.get("response")
    if not isinstance(response, dict):
        raise _malformed("response")
    return credential, response


def _parse_client_data(encoded: bytes) -> ClientData:
    try:
        data = decode_json(encoded)
    except AppError as exc:
        raise _malformed("clientDataJSON") from exc
    if not isinstance(data, dict):
        raise _malformed("clientDataJSON")
    origin = data.get("origin")
    if not isinstance(origin, str):
        raise _malformed("origin")
    # Browsers leave the first out where it is false, and send the second inside of frames only.
    is_framed = data.get("crossOrigin", False) is not False or "topOrigin" in data
    return ClientData(encoded, _bytes(data, "challenge"), origin, is_framed)


def _parse_transports(value: Any) -> tuple[str, ...]:
    """A hint for browsers: what we do not understand is left out."""
    if not isinstance(value, list):
        return ()
    words = (word for word in value[:MAX_TRANSPORTS] if isinstance(word, str))
    return tuple(word for word in words if len(word) <= MAX_TRANSPORT_LENGTH and word.isprintable())


def _bytes(values: dict[str, Any], name: str) -> bytes:
    value = values.get(name)
    if not isinstance(value, str) or len(value) > 2 * MAX_PART_BYTES or "=" in value:
        raise _malformed(name)
    data = decode_b64u(value + "=" * (-len(value) % 4))
    if data is None or len(data) > MAX_PART_BYTES:
        raise _malformed(name)
    return data


def _malformed(name: str) -> BadRequestError:
    return BadRequestError(f"malformed credential: {name}")
