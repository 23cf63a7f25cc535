"""
Is it true what a device has signed? ``webauthn`` (py_webauthn) answers; this module asks.

The library decodes CBOR and keys of strangers, so it runs in a thread, where a slow key stalls
nobody, and whatever it stumbles over is a refusal. Its first import takes some 0.2 s and 25 MiB:
servers without passkeys never pay for it.

Attestation is neither asked for nor believed: who made a device is not our concern, and judging it
takes more decoders of hostile input than all the rest.
"""

from msgspec import Struct

from trailbase_server.auth.passkeys.credential import Assertion, Attestation
from trailbase_server.auth.passkeys.relying_party import RelyingParty
from trailbase_server.auth.passkeys.store import Passkey
from trailbase_server.errors import AppError
from trailbase_server.ids import encode_b64u

ES256, EDDSA, RS256 = -7, -8, -257  # numbers that COSE gives them
ALGORITHMS = (ES256, EDDSA, RS256)  # what devices in use can sign with; the preferred one first
MAX_PUBLIC_KEY_BYTES = 600  # an RSA key of 4096 bits, and its labels
RSA_BITS = (2048, 4096)  # weaker ones are broken, larger ones slow
MAX_RSA_EXPONENT = 2**32  # a larger one only makes checking slow


class FalseCredentialError(AppError):
    """What a device sent is not what it should have signed, or not signed by it."""

    status = 400


class Signed(Struct, frozen=True):
    """
    What a device has truly said.

    Attributes:
        public_key: COSE; of a new credential, else empty.
        sign_count: Uses as the device counts; 0 where it does not count.
        backup_eligible: The key may leave the device.
        backed_up: It has done so.
        user_verified: The device made sure of who uses it: by finger, face or PIN.
    """

    public_key: bytes
    sign_count: int
    backup_eligible: bool
    backed_up: bool
    user_verified: bool


def verify_attestation(
    party: RelyingParty, attestation: Attestation, *, needs_user: bool
) -> Signed:
    """
    Check a new credential.

    Args:
        party: Who it was made for.
        attestation: Its challenge is one of ours.
        needs_user: The device must have made sure of who uses it.

    Raises:
        FalseCredentialError: It was not made by a device for us and now.
    """
    # Imported when first needed: start-up time.
    import cbor2  # noqa: PLC0415
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from webauthn import verify_registration_response  # noqa: PLC0415
    from webauthn.helpers import exceptions, structs  # noqa: PLC0415
    from webauthn.helpers.cose import COSEAlgorithmIdentifier  # noqa: PLC0415

    client_data = attestation.client_data
    _check_page(party, attestation)
    try:
        outer = cbor2.loads(attestation.attestation_object, allow_duplicate_keys=False)
        bare = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": outer["authData"]})
        verified = verify_registration_response(
            credential=structs.RegistrationCredential(
                _spelled(attestation.credential),
                attestation.credential,
                structs.AuthenticatorAttestationResponse(client_data.encoded, bare),
            ),
            expected_challenge=client_data.challenge,
            expected_rp_id=party.id,
            expected_origin=client_data.origin,
            require_user_verification=needs_user,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(number) for number in ALGORITHMS],
        )
        _check_key(verified.credential_public_key)
    except FalseCredentialError:
        raise
    except (exceptions.WebAuthnException, UnsupportedAlgorithm, cbor2.CBORError, *_STUMBLES) as exc:
        raise FalseCredentialError("refused credential", detail=repr(exc)) from exc
    if verified.credential_id != attestation.credential:
        raise FalseCredentialError("refused credential", detail="signed for another id")
    return Signed(
        verified.credential_public_key,
        verified.sign_count,
        verified.credential_device_type == structs.CredentialDeviceType.MULTI_DEVICE,
        verified.credential_backed_up,
        verified.user_verified,
    )


def verify_assertion(
    party: RelyingParty, assertion: Assertion, passkey: Passkey, *, needs_user: bool
) -> Signed:
    """
    Check a log-in. Whether the count went up is up to the caller.

    Args:
        party: Who it was made for.
        assertion: Its challenge is one of ours.
        passkey: That it names.
        needs_user: The device must have made sure of who uses it.

    Raises:
        FalseCredentialError: It was not made by this passkey for us and now.
    """
    # Imported when first needed: start-up time.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from webauthn import verify_authentication_response  # noqa: PLC0415
    from webauthn.helpers import exceptions, structs  # noqa: PLC0415

    client_data = assertion.client_data
    _check_page(party, assertion)
    try:
        verified = verify_authentication_response(
            credential=structs.AuthenticationCredential(
                _spelled(assertion.credential),
                assertion.credential,
                structs.AuthenticatorAssertionResponse(
                    client_data.encoded, assertion.authenticator_data, assertion.signature
                ),
            ),
            expected_challenge=client_data.challenge,
            expected_rp_id=party.id,
            expected_origin=client_data.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # compared in the write that stores the new one
            require_user_verification=needs_user,
        )
    except (exceptions.WebAuthnException, UnsupportedAlgorithm, *_STUMBLES) as exc:
        raise FalseCredentialError("refused credential", detail=repr(exc)) from exc
    eligible = verified.credential_device_type == structs.CredentialDeviceType.MULTI_DEVICE
    if eligible != passkey.backup_eligible:
        raise FalseCredentialError("refused credential", detail="another kind of key by now")
    return Signed(
        b"",
        verified.new_sign_count,
        eligible,
        verified.credential_backed_up,
        verified.user_verified,
    )


# What decoders of hostile bytes raise beside their own errors.
_STUMBLES = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


def _check_page(party: RelyingParty, sent: Attestation | Assertion) -> None:
    client_data = sent.client_data
    if not party.admits(client_data.origin):
        raise FalseCredentialError("refused credential", detail=f"from {client_data.origin[:200]}")
    if client_data.is_framed:
        raise FalseCredentialError("refused credential", detail="from a page inside another one")


def _check_key(public_key: bytes) -> None:
    """A key that the device cannot log in with would be found out too late."""
    # As above.
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415
    from webauthn.helpers import (  # noqa: PLC0415
        decode_credential_public_key,
        decoded_public_key_to_cryptography,
    )

    if len(public_key) > MAX_PUBLIC_KEY_BYTES:
        raise FalseCredentialError("refused credential", detail="a huge key")
    decoded = decode_credential_public_key(public_key)
    key = decoded_public_key_to_cryptography(decoded)
    if decoded.alg == ES256:
        is_good = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1"
    elif decoded.alg == EDDSA:
        is_good = isinstance(key, ed25519.Ed25519PublicKey)
    else:
        is_good = (
            isinstance(key, rsa.RSAPublicKey)
            and RSA_BITS[0] <= key.key_size <= RSA_BITS[1]
            and key.public_numbers().e < MAX_RSA_EXPONENT
        )
    if not is_good:
        raise FalseCredentialError("refused credential", detail="a key of another kind")


def _spelled(credential: bytes) -> str:
    return encode_b64u(credential).rstrip("=")
