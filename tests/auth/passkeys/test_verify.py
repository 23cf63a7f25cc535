"""Whether it is true what a device has signed: bytes of any kind are true or refused."""

from contextlib import suppress

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.passkey_device import PRESENT, Device, encode
from trailbase_server.auth.passkeys.credential import parse_assertion, parse_attestation
from trailbase_server.auth.passkeys.relying_party import RelyingParty
from trailbase_server.auth.passkeys.store import Passkey
from trailbase_server.auth.passkeys.verify import (
    FalseCredentialError,
    verify_assertion,
    verify_attestation,
)

ORIGIN = "https://auth.test"
PARTY = RelyingParty("auth.test", "Us", frozenset({ORIGIN}))
OPTIONS = {
    "publicKey": {
        "rp": {"id": "auth.test"},
        "user": {"id": encode(bytes(16))},
        "challenge": encode(b"a challenge"),
    }
}


def make(device, **changes):
    return parse_attestation(device.create(OPTIONS, **changes))


def stored(device, public_key=None):
    key = cbor2.dumps(device.key.cose) if public_key is None else public_key
    return Passkey(1, bytes(16), device.id, key, 0, False, False, (), "Key", 0, None)


def test_what_is_true_is_believed():
    device = Device(ORIGIN)
    signed = verify_attestation(PARTY, make(device), needs_user=True)
    assert cbor2.loads(signed.public_key) == device.key.cose
    assert signed.user_verified
    assertion = parse_assertion(device.get(OPTIONS))
    used = verify_assertion(PARTY, assertion, stored(device), needs_user=True)
    assert (used.sign_count, used.user_verified) == (1, True)


def test_a_device_that_does_not_ask_its_user_says_so():
    device = Device(ORIGIN, flags=PRESENT)
    attestation = make(device)
    with pytest.raises(FalseCredentialError):
        verify_attestation(PARTY, attestation, needs_user=True)
    assert not verify_attestation(PARTY, attestation, needs_user=False).user_verified
    assertion = parse_assertion(device.get(OPTIONS))
    with pytest.raises(FalseCredentialError):
        verify_assertion(PARTY, assertion, stored(device), needs_user=True)
    assert not verify_assertion(PARTY, assertion, stored(device), needs_user=False).user_verified


def test_a_key_that_is_damaged_on_disk_lets_nobody_in():
    device = Device(ORIGIN)
    device.create(OPTIONS)
    assertion = parse_assertion(device.get(OPTIONS))
    for key in (b"", b"\x04", b"\xa0", b"\xff", cbor2.dumps({1: 2, 3: -7, -1: 1, -2: 1, -3: 2})):
        with pytest.raises(FalseCredentialError):
            verify_assertion(PARTY, assertion, stored(device, key), needs_user=True)


CBOR = st.recursive(
    st.one_of(st.integers(-(2**64), 2**64), st.binary(max_size=40), st.text(max_size=8), st.none()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.integers(-4, 4), st.text(max_size=4)), inner, max_size=4),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from([1, 3, -1, -2, -3]), CBOR, max_size=5),
    st.binary(max_size=80),
    st.booleans(),
)
def test_no_key_is_too_odd_to_be_refused(changes, tail, is_raw):
    device = Device(ORIGIN)
    cose = tail if is_raw else cbor2.dumps({**device.key.cose, **changes})
    attestation = make(device, cose=cose)
    with suppress(FalseCredentialError):
        verify_attestation(PARTY, attestation, needs_user=True)


@settings(deadline=None)
@given(st.one_of(CBOR.map(cbor2.dumps), st.binary(max_size=200)))
def test_nor_is_what_surrounds_it(data):
    credential = Device(ORIGIN).create(OPTIONS)
    credential["response"]["attestationObject"] = encode(data)
    with pytest.raises(FalseCredentialError):
        verify_attestation(PARTY, parse_attestation(credential), needs_user=True)


@settings(deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_nor_is_a_log_in(data, signature):
    device = Device(ORIGIN)
    device.create(OPTIONS)
    credential = device.get(OPTIONS)
    credential["response"] |= {
        "authenticatorData": encode(data),
        "signature": encode(signature),
    }
    with pytest.raises(FalseCredentialError):
        verify_assertion(PARTY, parse_assertion(credential), stored(device), needs_user=False)
