"""Tidying up: what is over goes, what is in use stays."""

import pytest

from trailbase_server.auth import upkeep
from trailbase_server.auth.factors import list_users, use_step
from trailbase_server.auth.upkeep import (
    delete_abandoned_anonymous,
    delete_expired,
    delete_unconfirmed,
    forget_deleted,
)

NORA = bytes(15) + b"\x02"
DAY_S = 24 * 3600


def run(tx, sql, *values):
    tx.run(sql, values)


@pytest.fixture
def write(state, clock):
    return state.database.write


async def add_anonymous(write, created, **columns):
    columns = {"username": f"anon{created}", "created": created, **columns}
    names, marks = ", ".join(columns), ", ".join("?" * len(columns))
    await write(run, f"INSERT INTO _user ({names}) VALUES ({marks})", *columns.values())


async def names(state):
    rows = await state.database.query("SELECT username FROM _user WHERE username LIKE 'anon%'")
    return sorted(row[0] for row in rows)


@pytest.mark.parametrize("batch", [1, 2, 500])
async def test_rows_that_are_over_are_deleted(state, clock, monkeypatch, batch):
    monkeypatch.setattr(upkeep, "BATCH", batch)
    now, write = clock.now_s(), state.session_database.write
    for number, expires in enumerate((now - 61, now - 59, now - 99, now + 9, 2**63 - 1)):
        await write(
            run,
            "INSERT INTO _session (user, refresh_token, expires) VALUES (x'00', ?1, ?2)",
            str(number),
            expires,
        )
    await write(
        run,
        "INSERT INTO _otp_code (user, email, otp_code, expires) VALUES (x'00', 'a@b', 'c', 1)",
    )
    await write(
        run,
        "INSERT INTO _authorization_code (user, authorization_code, pkce_code_challenge, expires) "
        "VALUES (x'00', 'a', 'b', 1)",
    )
    assert await delete_expired(state) == 4
    assert await delete_expired(state) == 0
    left = await state.session_database.query("SELECT refresh_token FROM _session ORDER BY id")
    assert [row[0] for row in left] == ["1", "3", "4"]


async def test_anonymous_accounts_go_when_nobody_can_enter_them(state, write, clock):
    now = clock.now_s()
    await add_anonymous(write, now - 91 * DAY_S)
    await add_anonymous(write, now - 89 * DAY_S)
    old = now - 100 * DAY_S
    await add_anonymous(write, old, username="anonwithhash", password_hash="x")
    await add_anonymous(write, old, username="anonlinked", provider_id=2, provider_user_id="7")
    await add_anonymous(write, old, username="anonmail", email="anon@auth.test")
    await add_anonymous(write, old, username="anonwaits", unverified_email="wait@auth.test")
    await add_anonymous(write, old, username="anonadmin", admin=1)
    assert await delete_abandoned_anonymous(state) == 1
    assert f"anon{now - 89 * DAY_S}" in await names(state)
    assert len(await names(state)) == 6


@pytest.mark.parametrize(("ttl_s", "left"), [(-1, 2), (0, 1), (1800, 0), (7200, 2)])
async def test_how_long_they_stay(state, config, write, clock, ttl_s, left):
    config.anonymous_refresh_token_ttl_sec = ttl_s
    state.configure(config, None)
    await add_anonymous(write, clock.now_s() - 3700)
    await add_anonymous(write, clock.now_s() - 3500)
    await delete_abandoned_anonymous(state)
    assert len(await names(state)) == left


async def test_accounts_that_others_refer_to_stay(state, write, monkeypatch):
    monkeypatch.setattr(upkeep, "BATCH", 1)
    await write(run, "CREATE TABLE note (user BLOB REFERENCES _user (id)) STRICT")
    for created in (1, 2, 3):
        await add_anonymous(write, created)
    await write(run, "INSERT INTO note SELECT id FROM _user WHERE username = 'anon2'")
    assert await delete_abandoned_anonymous(state) == 2
    assert await names(state) == ["anon2"]


ADD_PASSKEY = (
    "INSERT INTO accounts._passkey (user, credential, public_key, sign_count, backup_eligible, "
    "backed_up, transports, name, created) VALUES (?1, ?1, x'00', 0, 0, 0, '[]', 'Key', 1)"
)


async def test_accounts_with_a_passkey_can_be_entered_and_stay(state, write):
    for created in (1, 2):
        await add_anonymous(write, created)
    [[user]] = await state.database.query("SELECT id FROM _user WHERE username = 'anon2'")
    await state.session_database.write(run, ADD_PASSKEY, user)
    assert await delete_abandoned_anonymous(state) == 1
    assert await names(state) == ["anon2"]


async def test_passkeys_of_deleted_accounts_go(state):
    gone = bytes(15) + b"\x63"
    for user in (gone, NORA):
        await state.session_database.write(run, ADD_PASSKEY, user)
    assert await forget_deleted(state) == 1
    rows = await state.session_database.query("SELECT user FROM accounts._passkey")
    assert rows == [(NORA,)]


async def test_what_is_left_of_deleted_accounts(state, monkeypatch):
    monkeypatch.setattr(upkeep, "BATCH", 1)
    gone = bytes(15) + b"\x63"
    for user in (gone, NORA):
        await state.session_database.write(use_step, user, 7)
    await state.session_database.write(
        run, "INSERT INTO accounts._recovery_code VALUES (?1, 'x', 1)", gone
    )
    assert await forget_deleted(state) == 1
    assert await list_users(state.session_database, b"", 9) == [NORA]


@pytest.mark.parametrize("batch", [1, 500])
async def test_registrations_that_nobody_confirms_go(
    state, config, write, clock, monkeypatch, batch
):
    monkeypatch.setattr(upkeep, "BATCH", batch)
    config.unconfirmed_account_ttl_sec = 7 * DAY_S
    state.configure(config, None)
    await write(run, "DELETE FROM _user WHERE unverified_email IS NOT NULL")
    await write(run, "DROP TRIGGER __user__updated_trigger")
    now = clock.now_s()
    old, waiting = now - 8 * DAY_S, {"unverified_email": "w@auth.test", "password_hash": "x"}

    async def add(name, created=old, **columns):
        columns = {"updated": created, **waiting, **columns, "username": f"anon{name}"}
        await add_anonymous(write, created, **columns)

    await add("old")
    await add("older", old - DAY_S)
    await add("young", now - 6 * DAY_S)
    await add("touched", updated=now - DAY_S)
    await add("changing", email="has@auth.test")
    await add("elsewhere", provider_id=2, provider_user_id="8")
    await add("boss", admin=1)
    await add("nobody", unverified_email=None)
    assert await delete_unconfirmed(state) == 2
    assert await delete_unconfirmed(state) == 0
    left = ["boss", "changing", "elsewhere", "nobody", "touched", "young"]
    assert await names(state) == [f"anon{name}" for name in left]


@pytest.mark.parametrize("ttl_s", [None, 0, -1])
async def test_registrations_stay_unless_configured(state, config, write, clock, ttl_s):
    if ttl_s is not None:
        config.unconfirmed_account_ttl_sec = ttl_s
    state.configure(config, None)
    await add_anonymous(write, 1, unverified_email="w@auth.test", updated=1)
    assert await delete_unconfirmed(state) == 0


async def test_an_account_that_is_confirmed_at_the_last_moment_stays(state, write, clock):
    assert not await write(upkeep.delete_if_unconfirmed, NORA, clock.now_s() + DAY_S)


async def test_an_unconfirmed_account_that_others_refer_to_stays(state, config, write, clock):
    config.unconfirmed_account_ttl_sec = 1
    state.configure(config, None)
    await write(run, "DROP TRIGGER __user__updated_trigger")
    await write(run, "DELETE FROM _user WHERE unverified_email IS NOT NULL")
    await add_anonymous(write, 1, unverified_email="w@auth.test", updated=1)
    await write(run, "CREATE TABLE note (author BLOB REFERENCES _user (id)) STRICT")
    await write(run, "INSERT INTO note SELECT id FROM _user WHERE unverified_email IS NOT NULL")
    assert await delete_unconfirmed(state) == 0
