"""What browsers send, and everything else that may come."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.passkey_device import Device, encode
from trailbase_server.auth.passkeys.credential import (
    MAX_CREDENTIAL_BYTES,
    MAX_PART_BYTES,
    MAX_TRANSPORTS,
    parse_assertion,
    parse_attestation,
)
from trailbase_server.errors import BadRequestError

ORIGIN = "https://auth.test"
OPTIONS = {
    "publicKey": {
        "rp": {"id": "auth.test"},
        "user": {"id": encode(bytes(16))},
        "challenge": encode(b"a challenge"),
    }
}


def made():
    return Device(ORIGIN).create(OPTIONS)


def used():
    device = Device(ORIGIN)
    device.create(OPTIONS)
    return device.get(OPTIONS)


def test_a_new_one_is_taken_apart():
    attestation = parse_attestation(made())
    assert attestation.client_data.origin == ORIGIN
    assert attestation.client_data.challenge == b"a challenge"
    assert not attestation.client_data.is_framed
    assert attestation.transports == ("internal", "hybrid")


def test_a_log_in_is_taken_apart():
    assertion = parse_assertion(used())
    assert assertion.user_handle == bytes(16)
    assert len(assertion.authenticator_data) == 37


@pytest.mark.parametrize("handle", [None, ...])
def test_a_device_may_not_know_its_owner(handle):
    credential = used()
    credential["response"].pop("userHandle")
    if handle is None:
        credential["response"]["userHandle"] = None
    assert parse_assertion(credential).user_handle is None


@pytest.mark.parametrize(
    ("more", "is_framed"),
    [
        ({}, False),
        ({"crossOrigin": False}, False),
        ({"crossOrigin": True}, True),
        ({"crossOrigin": 0}, True),
        ({"crossOrigin": "false"}, True),
        ({"topOrigin": "https://evil.test"}, True),
    ],
)
def test_pages_inside_of_others_are_told_apart(more, is_framed):
    credential = used()
    data = {"type": "webauthn.get", "challenge": encode(b"c"), "origin": ORIGIN, **more}
    credential["response"]["clientDataJSON"] = encode(json.dumps(data).encode())
    assert parse_assertion(credential).client_data.is_framed == is_framed


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        ("", "type", "password"),
        ("", "id", encode(b"other")),
        ("", "rawId", None),
        ("", "response", []),
        ("", "response", None),
        ("response", "clientDataJSON", encode(b"[]")),
        ("response", "clientDataJSON", encode(b"\xff")),
        ("response", "clientDataJSON", encode(b'{"challenge":"YQ"}')),
        ("response", "clientDataJSON", encode(b'{"challenge":"YQ","origin":1}')),
        ("response", "clientDataJSON", encode(b'{"challenge":1,"origin":"a"}')),
        ("response", "clientDataJSON", encode(b"[" * 5000)),
        ("response", "signature", "YR"),
        ("response", "signature", "YQ=="),
        ("response", "signature", "Y+/="),
        ("response", "signature", "Y Q"),
        ("response", "signature", encode(bytes(MAX_PART_BYTES + 1))),
        ("response", "signature", 5),
        ("response", "userHandle", 5),
        ("response", "authenticatorData", None),
    ],
)
def test_another_shape_is_the_clients_mistake(place, name, value):
    credential = used()
    (credential[place] if place else credential)[name] = value
    with pytest.raises(BadRequestError, match="malformed credential"):
        parse_assertion(credential)


@pytest.mark.parametrize("data", [b"", bytes(MAX_CREDENTIAL_BYTES + 1)])
def test_ids_have_a_length(data):
    credential = used() | {"id": encode(data), "rawId": encode(data)}
    with pytest.raises(BadRequestError):
        parse_assertion(credential)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (None, ()),
        ("usb", ()),
        ([1, "usb", "x" * 33, "a\nb"], ("usb",)),
        (["usb"] * 100, ("usb",) * MAX_TRANSPORTS),
    ],
)
def test_hints_that_nobody_understands_are_left_out(value, kept):
    credential = made()
    credential["response"]["transports"] = value
    assert parse_attestation(credential).transports == kept


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=10,
)
NAMES = st.sampled_from(
    ["id", "rawId", "type", "response", "clientDataJSON", "attestationObject", "signature"]
)


@given(st.dictionaries(NAMES, JSON, max_size=6), st.dictionaries(NAMES, JSON, max_size=6))
def test_whatever_comes_is_taken_apart_or_refused(outer, inner):
    for base in (made(), used()):
        changed = {**base, **outer}
        if isinstance(changed["response"], dict):
            changed["response"] = {**changed["response"], **inner}
        for parse in (parse_attestation, parse_assertion):
            with suppress(BadRequestError):
                parse(changed)
