"""The caller's passkeys: seen, named, removed, and nobody else's."""

import pytest

from tests.auth.conftest import LINKED, NORA
from tests.auth.passkeys.conftest import ORIGIN, PATH, Person
from tests.auth.passkeys.test_fresh import _drop_password
from tests.passkey_device import Device
from trailbase_server.auth.passkeys.fresh import FRESH_S
from trailbase_server.auth.sign_in import open_session
from trailbase_server.auth.users import find_user


@pytest.fixture
async def number(nora, device):
    return (await nora.add(device)).json["id"]


async def test_they_are_listed_with_their_last_use(nora, number, device, log_in, clock):
    created = clock.now_s()
    shown = {
        "id": number,
        "name": "Passkey",
        "created": created,
        "last_used": None,
        "backup_eligible": False,
        "backed_up": False,
        "transports": ["internal", "hybrid"],
    }
    assert await nora.listed() == [shown]
    clock.advance(60)
    await log_in(device)
    await nora.add(Device(ORIGIN))
    first, second = await nora.listed()
    assert first == {**shown, "last_used": created + 60}
    assert second["created"] == created + 60


async def test_one_gets_another_name(nora, number):
    assert (await nora.ask("PATCH", f"/{number}", {"name": " Key ring "})).status == 200
    assert [one["name"] for one in await nora.listed()] == ["Key ring"]
    for body in ({}, {"name": ""}, {"name": "\x00"}, {"name": 5}):
        assert (await nora.ask("PATCH", f"/{number}", body)).status == 400
    assert [one["name"] for one in await nora.listed()] == ["Key ring"]


async def test_one_is_removed_and_logs_nobody_in_any_more(nora, number, device, log_in):
    assert (await nora.ask("DELETE", f"/{number}")).status == 200
    assert await nora.listed() == []
    assert (await log_in(device)).status == 401
    assert (await nora.ask("DELETE", f"/{number}")).status == 404
    # The device may be added anew; the number is not used again.
    assert (await nora.add(device)).json["id"] > number


async def test_those_of_others_do_not_exist(enter, nora, number, device, log_in):
    solo = await enter("solo")
    assert await solo.listed() == []
    assert (await solo.ask("PATCH", f"/{number}", {"name": "mine"})).status == 404
    assert (await solo.ask("DELETE", f"/{number}")).status == 404
    assert (await log_in(device)).status == 200


@pytest.mark.parametrize("text", ["0", "-1", "x", "٣", "9" * 18, "9" * 40, "1.0"])
async def test_odd_numbers_do_not_exist(nora, number, text):
    assert (await nora.ask("PATCH", f"/{text}", {"name": "a"})).status == 404
    assert (await nora.ask("DELETE", f"/{text}")).status == 404


async def test_the_only_way_into_an_account_stays(nora, number, databases):
    await databases[0].write(_drop_password, NORA)
    refused = await nora.ask("DELETE", f"/{number}")
    assert (refused.status, refused.text) == (400, "this passkey is the only way into the account")
    other = (await nora.add(Device(ORIGIN))).json["id"]
    assert (await nora.ask("DELETE", f"/{number}")).status == 200
    assert (await nora.ask("DELETE", f"/{other}")).status == 400


async def test_whoever_logs_in_elsewhere_may_remove_the_last_one(server, state):
    session = await open_session(state, await find_user(state.database, LINKED))
    linked = Person(
        server,
        {"auth_token": session.identity.token, "refresh_token": session.refresh_token},
    )
    number = (await linked.add(Device(ORIGIN))).json["id"]
    assert (await linked.ask("DELETE", f"/{number}")).status == 200


async def test_removing_takes_a_fresh_log_in_and_naming_does_not(nora, number, clock):
    clock.advance(FRESH_S)
    assert (await nora.ask("DELETE", f"/{number}")).status == 403
    assert (await nora.ask("PATCH", f"/{number}", {"name": "old"})).status == 200
    body = {"password": "NORA-pass-77"}
    assert (await nora.ask("DELETE", f"/{number}", body)).status == 200


async def test_cookies_alone_from_a_foreign_page_do_not_do(server, number):
    jar = await server.login_browser("nora")
    headers = {"sec-fetch-site": "cross-site"}
    for method, body in (("DELETE", None), ("PATCH", {"name": "a"})):
        answer = await server.ask(
            method, f"{PATH}/{number}", json_body=body, jar=jar, headers=headers
        )
        assert answer.status == 400
    headers = {"sec-fetch-site": "same-origin"}
    answer = await server.ask("DELETE", f"{PATH}/{number}", jar=jar, headers=headers)
    assert answer.status == 200


async def test_nothing_is_removed_in_demo_mode(nora, number, state):
    state.demo = True
    assert (await nora.ask("DELETE", f"/{number}")).status == 400


async def test_it_is_off_unless_the_configuration_says_so(server, nora, number, state, config):
    config.passkeys.enabled = False
    state.configure(config, ORIGIN)
    statuses = [
        (await nora.ask(method, path, body)).status
        for method, path, body in (
            ("GET", "", None),
            ("PATCH", f"/{number}", {"name": "a"}),
            ("DELETE", f"/{number}", None),
        )
    ]
    assert statuses == [404, 404, 404]
    assert (await server.get(PATH)).status == 401
