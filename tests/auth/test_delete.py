"""Deleting one's own account."""

import pytest

from trailbase_server.db.errors import BusyError


@pytest.fixture
async def nora(server):
    return await server.login("nora")


@pytest.mark.case("T-08")
async def test_the_account_and_its_sessions_are_gone(server, nora, state):
    answer = await server.ask("DELETE", "/delete", bearer=nora["auth_token"])
    assert answer.status == 200
    assert not await server.is_live(nora["refresh_token"])
    login = await server.post("/login", {"username": "nora", "password": "NORA-pass-77"})
    assert login.status == 401
    assert await state.session_database.query("SELECT COUNT(*) FROM _session") == [(0,)]
    assert (await server.ask("DELETE", "/delete", bearer=nora["auth_token"])).status == 200


async def test_it_needs_a_log_in(server):
    assert (await server.ask("DELETE", "/delete")).status == 401


@pytest.mark.case("T-77")
async def test_cookies_need_a_csrf_token(server):
    jar = await server.login_browser("solo")
    evil = {"origin": "https://evil.test", "sec-fetch-site": "cross-site"}
    assert (await server.ask("DELETE", "/delete", jar=jar, headers=evil)).status == 400
    csrf = (await server.get("/status", jar={"auth_token": jar["auth_token"]})).json["csrf_token"]
    answer = await server.ask("DELETE", "/delete", jar=jar, headers={"csrf-token": csrf})
    assert answer.status == 200
    assert sorted(answer.jar) == ["auth_token", "refresh_token"]
    assert not any(answer.jar.values())


def refer_to_nora(tx):
    tx.run("CREATE TABLE note (author BLOB REFERENCES _user (id)) STRICT")
    tx.run("INSERT INTO note SELECT id FROM _user WHERE username = 'nora'")


async def test_rows_that_refer_to_an_account_keep_it(server, nora, state):
    await state.database.write(refer_to_nora)
    assert (await server.ask("DELETE", "/delete", bearer=nora["auth_token"])).status == 400
    assert await server.is_live(nora["refresh_token"])


async def test_a_failing_session_database_keeps_nobody(server, nora, state, monkeypatch):
    async def busy(*_):
        raise BusyError

    monkeypatch.setattr(state.session_database, "write", busy)
    assert (await server.ask("DELETE", "/delete", bearer=nora["auth_token"])).status == 200


async def test_in_a_demo_others_need_the_account_too(server, state):
    tokens = await server.login("nora")
    state.demo = True
    answer = await server.ask("DELETE", "/delete", bearer=tokens["auth_token"])
    assert (answer.status, answer.text) == (400, "Disallowed in demo")
