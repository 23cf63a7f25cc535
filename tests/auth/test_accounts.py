"""What operators do with accounts."""

import pytest

from trailbase_server.auth import accounts
from trailbase_server.auth.factors import (
    count_recovery_codes,
    list_users,
    replace_recovery_codes,
    use_step,
)
from trailbase_server.auth.imports import ImportedUser
from trailbase_server.errors import OperatorError
from trailbase_server.ids import encode_b64u, render_uuid_text

NORA, PENDING = bytes(15) + b"\x02", bytes(15) + b"\x06"


@pytest.fixture
async def nora(state):
    return await accounts.find_account(state, "nora")


@pytest.mark.parametrize(
    "reference",
    ["nora", " NORA ", "nora@auth.test", render_uuid_text(NORA), encode_b64u(NORA)],
)
async def test_a_user_is_found(state, reference):
    assert (await accounts.find_account(state, reference)).id == NORA


@pytest.mark.parametrize(
    "reference",
    [
        "",
        "nobody",
        "nobody@auth.test",
        "no@@body",
        "pending@auth.test",
        render_uuid_text(b"x" * 16),
        encode_b64u(b"x" * 16),
        "x" * 24,
        "x" * 36,
        encode_b64u(b"x" * 17),
    ],
)
async def test_nobody_is_found(state, reference):
    with pytest.raises(OperatorError):
        await accounts.find_account(state, reference)


async def test_an_added_user_is_verified(state, server):
    await accounts.add_user(state, " ivy@auth.test ", "x")
    login = await server.post("/login", {"email": "ivy@auth.test", "password": "x"})
    assert login.status == 200
    for email, password in (("ivy@auth.test", "x"), ("ivy", "x"), ("hugo@auth.test", "")):
        with pytest.raises(OperatorError):
            await accounts.add_user(state, email, password)


async def test_a_new_password_ends_sessions_and_locks(state, server, nora):
    tokens = await server.login("nora")
    for _ in range(3):
        await server.post("/login", {"username": "nora", "password": "wrong"})
    await accounts.change_password(state, nora, "x")
    assert not await server.is_live(tokens["refresh_token"])
    assert (await server.post("/login", {"username": "nora", "password": "x"})).status == 200
    with pytest.raises(OperatorError, match="empty"):
        await accounts.change_password(state, nora, "")
    with pytest.raises(OperatorError, match="meanwhile"):
        await accounts.change_password(state, nora, "y")


async def test_a_new_address(state, server, nora):
    tokens = await server.login("nora")
    await accounts.change_email(state, nora, "norah@auth.test")
    assert not await server.is_live(tokens["refresh_token"])
    assert (await accounts.find_account(state, "norah@auth.test")).id == NORA
    for email in ("norah", "lena@auth.test"):
        with pytest.raises(OperatorError):
            await accounts.change_email(state, nora, email)


async def test_a_new_name(state, nora):
    await accounts.change_username(state, nora, " norah ")
    assert (await accounts.find_account(state, "norah")).id == NORA
    for name in ("no rah", "SOLO"):
        with pytest.raises(OperatorError):
            await accounts.change_username(state, nora, name)


async def test_a_lost_second_factor(state, server):
    otto = await accounts.find_account(state, "otto")
    await state.session_database.write(replace_recovery_codes, otto.id, ["x"], 1)
    session = await accounts.mint_tokens(state, otto)
    await accounts.disable_second_factor(state, otto)
    assert await count_recovery_codes(state.session_database, otto.id) == 0
    assert not await server.is_live(session.refresh_token)
    await server.login("otto")
    with pytest.raises(OperatorError, match="no second factor"):
        await accounts.disable_second_factor(state, otto)
    with pytest.raises(OperatorError, match="no second factor"):
        await accounts.disable_second_factor(state, await accounts.find_account(state, "otto"))


def refer_to_nora(tx):
    tx.run("CREATE TABLE note (author BLOB REFERENCES _user (id)) STRICT")
    tx.run("INSERT INTO note VALUES (?1)", (NORA,))


async def test_a_user_is_removed_unless_rows_refer_to_them(state, server, nora):
    tokens = await server.login("nora")
    await state.database.write(refer_to_nora)
    with pytest.raises(OperatorError, match="refer"):
        await accounts.remove_user(state, nora)
    solo = await accounts.find_account(state, "solo")
    await state.session_database.write(use_step, solo.id, 7)
    await accounts.remove_user(state, solo)
    assert await list_users(state.session_database, b"", 9) == []
    with pytest.raises(OperatorError, match="NotFound"):
        await accounts.find_account(state, "solo")
    assert await server.is_live(tokens["refresh_token"])


async def test_confirming_and_taking_it_back(state, server):
    pending = await accounts.find_account(state, "pending")
    await accounts.verify_user(state, pending, verified=True)
    tokens = await server.login("pending")
    await accounts.verify_user(state, pending, verified=False)
    assert not await server.is_live(tokens["refresh_token"])
    await accounts.add_user(state, "pending@auth.test", "x")
    with pytest.raises(OperatorError, match="taken"):
        await accounts.verify_user(state, pending, verified=True)


async def test_demotion_ends_sessions(state, server, nora):
    await accounts.set_administrator(state, nora, admin=True)
    tokens = await server.login("nora")
    assert (await accounts.find_account(state, "nora")).admin
    await accounts.set_administrator(state, nora, admin=False)
    assert not await server.is_live(tokens["refresh_token"])


async def test_minted_tokens_live_twelve_hours(state, server, nora, clock):
    session = await accounts.mint_tokens(state, nora)
    assert session.identity.expires_at == clock.now_s() + 12 * 3600
    clock.advance(12 * 3600 - 1)
    assert await server.is_live(session.refresh_token)
    clock.advance(1)
    assert not await server.is_live(session.refresh_token)
    with pytest.raises(OperatorError):
        await accounts.mint_tokens(state, await accounts.find_account(state, "pending"))


BCRYPT = "$2b$04$BVXaM8VLYaW6MqiR02WpK.gb/nQRl0Xo4VauN3U9o3EqSazJaflrm"  # KIM-pass-77


async def test_imported_users_log_in_with_their_old_password(state, server):
    kim = ImportedUser("kim@auth.test", True, BCRYPT)
    lee = ImportedUser("lee@auth.test", False, BCRYPT)
    with pytest.raises(OperatorError, match=r"NORA@auth\.test"):
        await accounts.import_users(state, [kim, ImportedUser("NORA@auth.test", False, BCRYPT)])
    await accounts.import_users(state, [kim, lee])
    for email, status in (("kim@auth.test", 200), ("lee@auth.test", 401)):
        answer = await server.post("/login", {"email": email, "password": "KIM-pass-77"})
        assert answer.status == status
    with pytest.raises(OperatorError, match=r"kim@auth\.test"):
        await accounts.import_users(state, [kim])
