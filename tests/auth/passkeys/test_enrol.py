"""Adding a passkey: what is offered, what is taken, and from whom."""

import json

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.auth.conftest import NORA
from tests.auth.passkeys.conftest import ORIGIN, PATH
from tests.passkey_device import (
    BACKED_UP,
    EDDSA,
    ELIGIBLE,
    ES256,
    PRESENT,
    RS256,
    VERIFIED,
    Device,
    Key,
    decode,
    encode,
)
from trailbase_server.auth.passkeys.enrol import DEFAULT_NAME, MAX_NAME_LENGTH
from trailbase_server.auth.passkeys.store import MAX_PASSKEYS


async def test_what_a_browser_needs_is_offered(nora, device):
    options = (await nora.begin()).json["publicKey"]
    assert len(decode(options.pop("challenge"))) == 56
    assert options == {
        "rp": {"id": "site.auth.test", "name": "TrailBase"},
        "user": {"id": encode(NORA), "name": "nora@auth.test", "displayName": "nora"},
        "pubKeyCredParams": [
            {"type": "public-key", "alg": number} for number in (ES256, EDDSA, RS256)
        ],
        "timeout": 300_000,
        "excludeCredentials": [],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }
    await nora.add(device)
    [excluded] = (await nora.begin()).json["publicKey"]["excludeCredentials"]
    assert excluded == {
        "type": "public-key",
        "id": encode(device.id),
        "transports": ["internal", "hybrid"],
    }


async def test_a_passkey_gets_the_name_it_is_given(nora, device):
    credential = device.create((await nora.begin()).json)
    answer = await nora.finish(credential, name="  Nora's phone ")
    assert answer.status == 200
    assert answer.json == {"id": answer.json["id"], "name": "Nora's phone"}
    other = await nora.add(Device(ORIGIN))
    assert other.json["name"] == DEFAULT_NAME


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * (MAX_NAME_LENGTH + 1), 7, ["a"]])
async def test_names_that_cannot_be_shown_are_refused(nora, device, name):
    credential = device.create((await nora.begin()).json)
    assert (await nora.finish(credential, name=name)).status == 400
    assert (await nora.finish(credential)).status == 200


async def test_whether_a_key_may_leave_its_device_is_kept(nora):
    for flags in (0, ELIGIBLE, ELIGIBLE | BACKED_UP):
        await nora.add(Device(ORIGIN, flags=PRESENT | VERIFIED | flags))
    assert [(one["backup_eligible"], one["backed_up"]) for one in await nora.listed()] == [
        (False, False),
        (True, False),
        (True, True),
    ]


async def test_a_challenge_is_good_once_and_not_for_long(nora, clock):
    begun = (await nora.begin()).json
    answers = [await nora.finish(Device(ORIGIN).create(begun)) for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 400]
    late = Device(ORIGIN).create((await nora.begin()).json)
    clock.advance(300)
    assert (await nora.finish(late)).status == 400
    assert len(await nora.listed()) == 1


async def test_a_challenge_is_good_for_the_account_that_asked_and_for_nothing_else(
    server, enter, nora, device
):
    solo = await enter("solo")
    assert (await solo.finish(device.create((await nora.begin()).json))).status == 400
    login = (await server.post(f"{PATH}/login/begin", {})).json["publicKey"]
    begun = (await nora.begin()).json
    assert (await nora.finish(device.create(begun, challenge=login["challenge"]))).status == 400
    await nora.add(device)
    for_registration = (await nora.begin()).json["publicKey"]["challenge"]
    credential = device.get({"publicKey": {"challenge": for_registration}})
    answer = await server.post(f"{PATH}/login/finish", {"credential": credential})
    assert answer.status == 401


async def test_a_known_credential_is_not_taken_again(enter, nora, device):
    solo = await enter("solo")
    assert [(await nora.add(device)).status for _ in range(2)] == [200, 409]
    assert (await solo.add(device)).status == 409
    assert await solo.listed() == []


def _rsa(bits, exponent=65537):
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    return {1: 3, 3: RS256, -1: numbers.n.to_bytes(bits // 8), -2: exponent.to_bytes(5)}


def _p384():
    numbers = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
    return {1: 2, 3: -7, -1: 2, -2: numbers.x.to_bytes(48), -3: numbers.y.to_bytes(48)}


# Made when they are needed: they are random, and workers must agree on the names of tests.
ODD_KEYS = {
    "an algorithm that was not offered": lambda: {**Key().cose, 3: -35},
    "EdDSA with a P-256 key": lambda: {**Key().cose, 3: EDDSA},
    "RS256 with a P-256 key": lambda: {**Key().cose, 3: RS256},
    "ES256 with an RSA key": lambda: {**Key(RS256).cose, 3: ES256},
    "a point beside the curve": lambda: {**Key().cose, -3: bytes(32)},
    "half a key": lambda: {1: 2, 3: ES256},
    "another curve": _p384,
    "a short RSA key": lambda: _rsa(1024),
    "a huge exponent": lambda: _rsa(2048, 2**33 + 1),
    "a huge RSA key": lambda: {1: 3, 3: RS256, -1: b"\xff" * 1024, -2: b"\1\0\1"},
    "a short EdDSA key": lambda: {1: 1, 3: EDDSA, -1: 6, -2: bytes(31)},
    "a number": lambda: b"\x04",
    "nothing": lambda: b"",
    "deep nesting": lambda: b"\x81" * 900,
}


@pytest.mark.parametrize("name", ODD_KEYS)
async def test_a_key_that_nobody_could_log_in_with_is_refused(nora, device, name):
    assert (await nora.add(device, cose=ODD_KEYS[name]())).status == 400
    assert await nora.listed() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "http://evil.test"},
        {"rp_id": "evil.test"},
        {"type": "webauthn.get"},
        {"cross_origin": True},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"flags": PRESENT | VERIFIED | BACKED_UP},
        {"challenge": encode(bytes(56))},
        {"outer": {"authData": None}},
        {"outer": {"authData": b"short"}},
    ],
    ids=str,
)
async def test_a_credential_that_is_false_is_refused(nora, device, changes):
    answer = await nora.add(device, **changes)
    assert answer.status == 400
    assert await nora.listed() == []
    assert (await nora.add(device)).status == 200


async def test_whoever_made_the_device_does_not_matter(nora):
    statement = {"alg": -7, "sig": b"no signature", "x5c": [b"no certificate"]}
    outer = {"fmt": "packed", "attStmt": statement}
    assert (await nora.add(Device(ORIGIN), outer=outer)).status == 200


async def test_the_id_must_be_the_one_that_is_signed(nora, device):
    credential = device.create((await nora.begin()).json)
    credential["id"] = credential["rawId"] = encode(b"another one")
    assert (await nora.finish(credential)).status == 400


async def test_an_attestation_that_is_no_object_is_refused(nora, device):
    for value in (cbor2.dumps([1]), cbor2.dumps("x"), b"\xff", b"", b"\x81" * 10_000):
        credential = device.create((await nora.begin()).json)
        credential["response"]["attestationObject"] = encode(value)
        assert (await nora.finish(credential)).status == 400


async def test_there_may_be_so_many_and_no_more(nora):
    begun = (await nora.begin()).json
    for _ in range(MAX_PASSKEYS):
        assert (await nora.add(Device(ORIGIN, counts=False))).status == 200
    refused = await nora.begin()
    assert (refused.status, refused.text) == (400, "too many passkeys: remove one first")
    assert (await nora.finish(Device(ORIGIN).create(begun))).status == 400


async def test_cookies_alone_from_a_foreign_page_do_not_do(server):
    jar = await server.login_browser("nora")
    path = f"{PATH}/register/begin"
    foreign = await server.post(path, {}, jar=jar, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status == 400
    own = await server.post(path, {}, jar=jar, headers={"sec-fetch-site": "same-origin"})
    assert own.status == 200


async def test_nothing_is_added_in_demo_mode(nora, state):
    state.demo = True
    answer = await nora.begin()
    assert (answer.status, answer.text) == (400, "Disallowed in demo")


async def test_it_is_off_unless_the_configuration_says_so(nora, state, config, device):
    credential = device.create((await nora.begin()).json)
    config.passkeys.enabled = False
    state.configure(config, ORIGIN)
    assert (await nora.begin()).status == 404
    assert (await nora.finish(credential)).status == 404


async def test_a_form_may_send_the_credential_as_text(server, nora, device):
    credential = device.create((await nora.begin()).json)
    for text, status in (("[]", 400), ("{", 400), ("", 400), (json.dumps(credential), 200)):
        answer = await server.post(
            f"{PATH}/register/finish", form={"credential": text}, bearer=nora.tokens["auth_token"]
        )
        assert answer.status == status, answer.text
