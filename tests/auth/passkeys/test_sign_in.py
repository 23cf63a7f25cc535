"""Logging in with a passkey: who gets in, and what is refused alike."""

import json
import logging

import pytest

from tests.auth.conftest import NORA, SOLO
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
    encode,
)
from trailbase_server.auth.users import set_totp_secret, set_verified


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
async def test_a_key_of_every_algorithm_logs_its_owner_in(server, nora, log_in, algorithm):
    device = Device(ORIGIN, algorithm)
    assert (await nora.add(device)).status == 200
    answer = await log_in(device)
    assert answer.status == 200, answer.text
    status = await server.get("/status", bearer=answer.json["auth_token"])
    assert status.status == 200
    assert set(answer.json) == {"auth_token", "refresh_token", "csrf_token"}
    assert await server.is_live(answer.json["refresh_token"])


async def test_nothing_is_asked_for_that_tells_who_there_is(server):
    answer = await server.post(f"{PATH}/login/begin", {})
    options = answer.json["publicKey"]
    assert options.pop("challenge")
    assert options == {
        "timeout": 300_000,
        "rpId": "site.auth.test",
        "allowCredentials": [],
        "userVerification": "required",
    }


async def test_an_answer_is_good_once(server, nora, device, log_in, databases):
    await nora.add(device)
    begun = await server.post(f"{PATH}/login/begin", {})
    credential = device.get(begun.json)
    path = f"{PATH}/login/finish"
    first, second = [await server.post(path, {"credential": credential}) for _ in range(2)]
    assert (first.status, second.status) == (200, 401)
    # Nor does a new signature for an old challenge do.
    third = await server.post(path, {"credential": device.get(begun.json)})
    assert third.status == 401
    assert (await log_in(device)).status == 200


async def test_a_challenge_is_good_for_five_minutes(server, nora, device, clock):
    await nora.add(device)
    for seconds, status in ((299, 200), (300, 401)):
        begun = await server.post(f"{PATH}/login/begin", {})
        credential = device.get(begun.json)
        clock.advance(seconds)
        answer = await server.post(f"{PATH}/login/finish", {"credential": credential})
        assert answer.status == status


@pytest.mark.parametrize(
    "changes",
    [
        {"origin": "https://site.auth.test:8080"},
        {"origin": "http://evil.test"},
        {"origin": "http://site.auth.test:8080/"},
        {"rp_id": "evil.test"},
        {"type": "webauthn.create"},
        {"challenge": encode(bytes(56))},
        {"challenge": encode(b"short")},
        {"cross_origin": True},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"flags": PRESENT | VERIFIED | ELIGIBLE},
        {"flags": PRESENT | VERIFIED | BACKED_UP},
        {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"},
        {"signature": b""},
        {"owner": SOLO},
        {"owner": b""},
    ],
    ids=str,
)
async def test_what_is_false_is_refused_like_what_is_unknown(nora, device, log_in, changes):
    await nora.add(device)
    unknown = Device(ORIGIN)
    unknown.rp_id, unknown.owner = "site.auth.test", NORA
    answers = [await log_in(device, **changes), await log_in(unknown)]
    assert [(answer.status, answer.content) for answer in answers] == [(401, b"")] * 2
    assert (await log_in(device)).status == 200


async def test_every_byte_that_is_signed_counts(server, nora, device):
    await nora.add(device)
    begun = await server.post(f"{PATH}/login/begin", {})
    good = device.get(begun.json)
    for name in ("authenticatorData", "clientDataJSON", "signature"):
        text = good["response"][name]
        for at in (0, len(text) // 2, len(text) - 2):
            other = "A" if text[at] != "A" else "B"
            response = {**good["response"], name: text[:at] + other + text[at + 1 :]}
            answer = await server.post(
                f"{PATH}/login/finish", {"credential": {**good, "response": response}}
            )
            assert answer.status in (400, 401), (name, at)
    assert (await server.post(f"{PATH}/login/finish", {"credential": good})).status == 200


async def test_the_credential_of_somebody_else_is_no_use(enter, nora, device, log_in):
    solo, foreign = await enter("solo"), Device(ORIGIN)
    await nora.add(device)
    await solo.add(foreign)
    # Signed with one's own key, in the name of another credential, or of its owner.
    foreign.id, own = device.id, foreign.id
    assert (await log_in(foreign)).status == 401
    foreign.owner = NORA
    assert (await log_in(foreign)).status == 401
    foreign.id = own
    assert (await log_in(foreign)).status == 401


async def test_a_count_that_does_not_go_up_is_refused_and_told(nora, device, log_in, caplog):
    await nora.add(device)
    assert (await log_in(device, count=7)).status == 200
    with caplog.at_level(logging.WARNING):
        for count in (7, 6, 0):
            assert (await log_in(device, count=count)).status == 401
    assert "went from 7 to 6; is it a copy?" in caplog.text
    assert (await log_in(device, count=8)).status == 200


async def test_a_device_that_does_not_count_may_go_on(enter, log_in):
    device = Device(ORIGIN, counts=False)
    await (await enter("nora")).add(device)
    assert [(await log_in(device)).status for _ in range(2)] == [200, 200]


async def test_whoever_is_unconfirmed_or_gone_stays_out(enter, device, log_in, state, databases):
    nora = await enter("nora")
    await nora.add(device)
    await databases[0].write(set_verified, NORA, False)
    assert (await log_in(device)).status == 401
    await databases[0].write(set_verified, NORA, True)
    assert (await log_in(device)).status == 200
    gone = await nora.server.ask("DELETE", "/delete", bearer=nora.tokens["auth_token"])
    assert gone.status == 200
    assert (await log_in(device)).status == 401
    rows = await databases[1].query("SELECT count(*) FROM accounts._passkey")
    assert rows == [(0,)]


async def test_a_lock_after_wrong_passwords_does_not_count(server, nora, device, log_in):
    await nora.add(device)
    wrong = {"email_or_username": "nora", "password": "no such thing"}
    statuses = [(await server.post("/login", wrong)).status for _ in range(4)]
    assert statuses[-1] == 429
    assert (await log_in(device)).status == 200


async def test_a_verified_user_needs_no_second_factor_and_others_do(
    nora, device, log_in, state, config, databases, clock
):
    await nora.add(device)
    await databases[0].write(set_totp_secret, NORA, "GE3DIMZVGQ2TMNZYHE4DANBSGM2DKNRX", None)
    assert (await log_in(device)).status == 200
    assert (await log_in(device, flags=PRESENT)).status == 401
    config.passkeys.user_verification = "USER_VERIFICATION_PREFERRED"
    state.configure(config, ORIGIN)
    assert (await log_in(device)).status == 200
    asked = await log_in(device, flags=PRESENT)
    assert asked.status == 403
    assert set(asked.json) == {"mfa_token"}


async def test_a_code_is_handed_over_where_one_is_wanted(server, nora, device, log_in):
    await nora.add(device)
    wanted = {
        "redirect_uri": "authapp://cb",
        "response_type": "code",
        "pkce_code_challenge": "A" * 43,
    }
    answer = await log_in(device, more=wanted)
    assert answer.status == 303
    assert answer.location.startswith("authapp://cb?code=")
    assert (await log_in(device, more={**wanted, "redirect_uri": "//evil"})).status == 400


async def test_a_form_gets_cookies_or_a_message(server, nora, device):
    await nora.add(device)

    async def send(**changes):
        begun = await server.post(f"{PATH}/login/begin", {})
        form = {
            "credential": json.dumps(device.get(begun.json, **changes)),
            "redirect_uri": "/in",
            "err_redirect_uri": "/out",
        }
        return await server.post(f"{PATH}/login/finish", form=form)

    good = await send()
    assert (good.status, good.location) == (303, "/in")
    assert set(good.jar) == {"auth_token", "refresh_token"}
    bad = await send(origin="http://evil.test")
    assert (bad.status, bad.location) == (303, "/out?alert=passkey+refused")
    assert bad.jar == {}


async def test_it_is_off_unless_the_configuration_says_so(server, state, config, nora, device):
    await nora.add(device)
    config.passkeys.enabled = False
    state.configure(config, ORIGIN)
    for path in ("login/begin", "login/finish"):
        assert (await server.post(f"{PATH}/{path}", {})).status == 404
    config.passkeys.enabled = True
    state.configure(config, None)
    assert (await server.post(f"{PATH}/login/begin", {})).status == 404
