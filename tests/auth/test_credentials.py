"""Checking passwords: one answer for every failure, locks, renewal of old hashes."""

import asyncio

import bcrypt
import pytest

from trailbase_server.auth.credentials import check_credentials
from trailbase_server.auth.password import CURRENT_HASH
from trailbase_server.auth.users import find_user
from trailbase_server.errors import InternalError, TooManyRequestsError, UnauthorizedError

NORA, PENDING, LINKED = (bytes(15) + bytes([n]) for n in (2, 6, 7))
RIGHT = "NORA-pass-77"


def put_hash(tx, password_hash):
    tx.run("UPDATE _user SET password_hash = ?2 WHERE id = ?1", (NORA, password_hash))


async def nora(state):
    return await find_user(state.database, NORA)


async def test_the_right_password(state):
    user = await nora(state)
    assert await check_credentials(state, user, RIGHT) == user


@pytest.mark.case("T-09")
@pytest.mark.parametrize("who", [None, PENDING, LINKED, NORA])
async def test_all_failures_look_the_same_and_cost_a_comparison(state, monkeypatch, who):
    compared = []
    verify = state.passwords.verify

    async def counting(password_hash, password):
        compared.append(password_hash)
        return await verify(password_hash, password)

    monkeypatch.setattr(state.passwords, "verify", counting)
    user = await find_user(state.database, who) if who else None
    with pytest.raises(UnauthorizedError) as caught:
        await check_credentials(state, user, "PENDING-pass-77")
    assert caught.value.public == ""
    assert len(compared) == 1


async def test_three_wrong_ones_lock_the_account_for_the_right_one_too(state, clock):
    user = await nora(state)
    for _ in range(3):
        with pytest.raises(UnauthorizedError):
            await check_credentials(state, user, "wrong")
    with pytest.raises(TooManyRequestsError):
        await check_credentials(state, user, RIGHT)
    clock.advance(61)
    await check_credentials(state, user, RIGHT)


@pytest.mark.case("T-12")
async def test_parallel_guesses_get_three_answers(state):
    user = await nora(state)
    results = await asyncio.gather(
        *(check_credentials(state, user, "wrong") for _ in range(8)), return_exceptions=True
    )
    kinds = [type(result) for result in results]
    assert kinds.count(UnauthorizedError) == 3
    assert kinds.count(TooManyRequestsError) == 5


async def test_an_imported_hash_is_renewed_at_log_in(state):
    await state.database.write(put_hash, bcrypt.hashpw(RIGHT.encode(), bcrypt.gensalt(4)).decode())
    user = await check_credentials(state, await nora(state), RIGHT)
    assert user.password_hash.startswith(CURRENT_HASH)
    assert (await nora(state)).password_hash == user.password_hash
    assert await check_credentials(state, user, RIGHT) == user


async def test_a_hash_that_was_changed_meanwhile_is_not_overwritten(state):
    await state.database.write(put_hash, bcrypt.hashpw(RIGHT.encode(), bcrypt.gensalt(4)).decode())
    user = await nora(state)
    await state.database.write(put_hash, "changed meanwhile")
    assert await check_credentials(state, user, RIGHT) == user
    assert (await nora(state)).password_hash == "changed meanwhile"


async def test_an_unusable_hash_is_our_mistake_and_counts(state):
    await state.database.write(put_hash, "plain")
    user = await nora(state)
    for _ in range(3):
        with pytest.raises(InternalError):
            await check_credentials(state, user, "plain")
    with pytest.raises(TooManyRequestsError):
        await check_credentials(state, user, "plain")
