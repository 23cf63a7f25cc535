"""Who changed what: over HTTP, by commands, by a signal; and what is not recorded."""

import pytest

from tests.pier import Pier
from trailbase_server.audit.entry import Actor
from trailbase_server.audit.search import search
from trailbase_server.auth import accounts
from trailbase_server.auth.routes import ROUTES
from trailbase_server.config.proto.config_pb2 import GetConfigResponse, UpdateConfigRequest
from trailbase_server.db.errors import BusyError
from trailbase_server.errors import OperatorError
from trailbase_server.ids import render_uuid_text
from trailbase_server.query.parse import parse_list_query
from trailbase_server.server.audit import (
    SIGN_IN,
    Deed,
    command_actor,
    forget_old_entries,
    record_deed,
    reload_depot,
    watch_sign_ins,
)

ADMIN = "/api/_admin"
LOGIN = "/api/auth/v1/login"
BOSS = {"email": "boss@pier.test", "password": "rope-and-anchor"}
NEW = {"email": "ada@pier.test", "password": "wind-and-sail", "verified": True, "admin": False}


@pytest.fixture
def pier(tmp_path):
    return Pier(tmp_path / "depot")


@pytest.fixture
async def site(pier):
    async with pier.opened() as (depot, web):
        web.headers.update(await pier.boss(depot))
        yield depot, web


async def entries(depot):
    found = await search(depot.audit.database, parse_list_query("order=id"))
    return found.entries


async def only_entry(depot):
    (entry,) = await entries(depot)
    return entry


async def test_an_account_from_its_creation_to_its_end(site):
    depot, web = site
    created = await web.post(f"{ADMIN}/user", json=NEW)
    user_id = created.json()["id"]
    change = {"id": user_id, "username": "ada", "password": "salt-and-storm"}
    assert (await web.patch(f"{ADMIN}/user", json=change)).status_code == 200
    assert (await web.request("DELETE", f"{ADMIN}/user", json={"id": user_id})).status_code == 200
    first, second, third = await entries(depot)
    assert first["actor"]["name"] == "boss@pier.test"
    assert first["actor"]["kind"] == "user"
    assert [one["action"] for one in (first, second, third)] == [
        *("user.create", "user.update", "user.delete"),
    ]
    assert {one["object"] for one in (first, second, third)} == {user_id}
    assert {one["outcome"] for one in (first, second, third)} == {"done"}
    assert first["after"] == {"email": "ada@pier.test", "verified": True, "admin": False}
    assert second["before"] == {"username": None}
    assert second["after"] == {"username": "ada", "password": "<REDACTED>"}
    assert third["before"] == {"email": "ada@pier.test", "username": "ada"}
    assert first["client_ip"] == "127.0.0.1"
    assert first["request_id"]
    assert first["status"] == 200


async def test_refusals_of_administrators_are_recorded_with_what_they_were_told(site):
    depot, web = site
    boss = await accounts.find_account(depot.auth, "boss@pier.test")
    target = {"id": render_uuid_text(boss.id)}
    assert (await web.request("DELETE", f"{ADMIN}/user", json=target)).status_code == 412
    assert (await web.post(f"{ADMIN}/user", json={})).status_code == 422
    assert (await web.post(f"{ADMIN}/user", json=NEW | BOSS)).status_code == 409
    web.headers["csrf-token"] = "forged"
    assert (await web.post(f"{ADMIN}/user", json=NEW)).status_code == 400
    found = await entries(depot)
    assert [one["status"] for one in found] == [412, 422, 409, 400]
    assert {one["outcome"] for one in found} == {"refused"}
    assert found[0]["object"] == target["id"]
    assert found[0]["message"].startswith("Admins can only be deleted using the CLI")
    assert found[3]["message"] == "invalid CSRF token"


async def test_strangers_and_users_cannot_fill_the_log(site):
    depot, web = site
    await accounts.add_user(depot.auth, "eve@pier.test", "curious")
    eve = await accounts.mint_tokens(
        depot.auth, await accounts.find_account(depot.auth, "eve@pier.test")
    )
    web.headers["authorization"] = f"Bearer {eve.identity.token}"
    web.headers["csrf-token"] = eve.identity.csrf_token
    assert (await web.post(f"{ADMIN}/user", json=NEW)).status_code == 403
    del web.headers["authorization"]
    assert (await web.post(f"{ADMIN}/user", json=NEW)).status_code == 401
    assert (await web.post(LOGIN, json=BOSS | {"password": "wrong"})).status_code == 401
    login = {"email": "eve@pier.test", "password": "curious"}
    assert (await web.post(LOGIN, json=login)).status_code == 200
    assert await entries(depot) == []


async def test_somebody_who_was_administrator_until_just_now_is_recorded(site):
    depot, web = site
    await depot.database.write(demote_all)
    depot.auth.verified.clear()
    assert (await web.post(f"{ADMIN}/user", json=NEW)).status_code == 403
    entry = await only_entry(depot)
    assert (entry["outcome"], entry["actor"]["name"]) == ("refused", "boss@pier.test")


def demote_all(tx):
    tx.run("UPDATE _user SET admin = FALSE")


async def test_log_ins_of_administrators_are_recorded(site):
    depot, web = site
    del web.headers["authorization"]
    assert (await web.post(LOGIN, json=BOSS)).status_code == 200
    entry = await only_entry(depot)
    assert (entry["action"], entry["outcome"]) == ("session.open", "done")
    assert entry["actor"]["name"] == "boss@pier.test"
    assert "rope" not in str(entry)


async def test_a_configuration_is_recorded_by_what_has_changed(site):
    depot, web = site
    answer = GetConfigResponse.FromString((await web.get(f"{ADMIN}/config")).content)
    answer.config.server.application_name = "Haven"
    answer.config.email.smtp_password = "horn-and-seal"
    update = UpdateConfigRequest(config=answer.config, hash=answer.hash)
    assert (
        await web.post(f"{ADMIN}/config", content=update.SerializeToString())
    ).status_code == 400
    answer.config.email.ClearField("smtp_password")
    update = UpdateConfigRequest(config=answer.config, hash=answer.hash)
    for status in (200, 409):
        response = await web.post(f"{ADMIN}/config", content=update.SerializeToString())
        assert response.status_code == status
    invalid, done, stale = await entries(depot)
    assert [one["outcome"] for one in (invalid, done, stale)] == ["refused", "done", "refused"]
    assert done["action"] == "config.update"
    assert done["before"] == {"server.application_name": "Pier"}
    assert done["after"] == {"server.application_name": "Haven"}
    assert stale["before"] is stale["after"] is None
    assert "horn-and-seal" not in str(await entries(depot))


async def test_jobs_that_are_run_by_hand_are_recorded(site):
    depot, web = site
    assert (await web.post(f"{ADMIN}/job/run", json={"id": 4})).status_code == 200
    entry = await only_entry(depot)
    assert (entry["action"], entry["object"], entry["after"]) == ("job.run", "4", {"error": None})


async def test_reading_is_no_deed(site):
    depot, web = site
    for path in ("config", "user", "jobs", "audit", "audit/verify", "info"):
        assert (await web.get(f"{ADMIN}/{path}")).status_code == 200
    assert await entries(depot) == []


async def test_a_reload_is_recorded_with_its_changes_or_its_failure(pier, site):
    depot, _ = site
    pier.edit('"Pier"', '"Haven"')
    await reload_depot(depot)
    pier.edit('"Haven"', "7")
    with pytest.raises(OperatorError):
        await reload_depot(depot)
    done, refused = await entries(depot)
    assert done["actor"] == {"kind": "server", "id": None, "name": "SIGHUP"}
    assert (done["action"], done["after"]) == (
        "config.reload",
        {"server.application_name": "Haven"},
    )
    assert (refused["outcome"], refused["after"]) == ("refused", {})
    assert "config.textproto" in refused["message"]


async def test_what_becomes_of_a_command_is_recorded(site, monkeypatch):
    depot, _ = site

    async def work(error):
        if error is not None:
            raise error

    monkeypatch.setenv("SUDO_USER", "kim")
    await record_deed(depot.audit, Deed("user.delete", "7"), work(None), command_actor())
    for error in (OperatorError("no such user"), BusyError(detail="locked"), KeyError("bug")):
        with pytest.raises(type(error)):
            await record_deed(depot.audit, Deed("user.delete", "7"), work(error), command_actor())
    found = await entries(depot)
    assert [(one["outcome"], one["message"]) for one in found] == [
        ("done", ""),
        ("refused", "no such user"),
        ("failed", "locked"),
        ("failed", "KeyError"),
    ]
    assert found[0]["actor"]["kind"] == "command"
    assert found[0]["actor"]["name"].endswith("(sudo by kim)")


def test_whose_shell_it_is_without_a_name(monkeypatch):
    monkeypatch.delenv("SUDO_USER", raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)
    assert command_actor() == Actor("command", "uid 4000000000")


def test_every_way_to_log_in_is_watched():
    assert {route.audit for route in watch_sign_ins(ROUTES)} == {SIGN_IN}
    assert {route.audit for route in ROUTES} == {""}


@pytest.mark.parametrize(
    ("retention", "left"),
    [("", 2), ("audit_retention_sec: 100000", 1), ("audit_retention_sec: 0", 3)],
)
async def test_old_entries_go_after_the_configured_time(pier, retention, left):
    pier.edit("server {", f"server {{ {retention} ")
    async with pier.opened() as (depot, _):
        for age_s in (500 * 86400, 300 * 86400, 0):
            await depot.audit.database.write(add_old, age_s)
        await forget_old_entries(depot)
        assert len(await entries(depot)) == left


def add_old(tx, age_s):
    tx.run(
        "INSERT INTO entry (time, actor_kind, actor_name, client_ip, request_id, action, object,"
        " outcome, message, digest) VALUES (unixepoch() - ?1, 'server', '', '', '', 'x', '',"
        " 'done', '', zeroblob(32))",
        (age_s,),
    )
