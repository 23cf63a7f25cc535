"""Whose address is whose: confirming, changing, giving up, and losing a claim."""

import pytest

from trailbase_server.auth.addresses import (
    change_address,
    confirm_address,
    drop_address,
    find_waiting,
)
from trailbase_server.auth.users import find_user
from trailbase_server.db.errors import ConstraintError

WARDEN, NORA, LENA, SOLO, OTTO, PENDING = (bytes(15) + bytes([n]) for n in range(1, 7))


def run(tx, sql, *values):
    tx.run(sql, values)


@pytest.fixture
def write(state):
    return state.database.write


@pytest.fixture
async def rival(write):
    """Somebody else who waits for the same address, in other letters."""
    await write(
        run,
        "INSERT INTO _user (id, unverified_email, username, password_hash, created) "
        "VALUES (?1, 'PENDING@auth.test', 'rival', 'x', 1)",
        bytes(15) + b"\x63",
    )
    return bytes(15) + b"\x63"


async def test_confirming_is_done_once_and_stays_done(state, write):
    assert await write(confirm_address, PENDING, "Pending@auth.test") == "done"
    assert await write(confirm_address, PENDING, "pending@auth.test") == "already"
    user = await find_user(state.database, PENDING)
    assert (user.email, user.unverified_email) == ("Pending@auth.test", None)


@pytest.mark.parametrize(
    ("who", "email"),
    [(PENDING, "other@auth.test"), (SOLO, "pending@auth.test"), (bytes(16), "pending@auth.test")],
)
async def test_what_an_account_does_not_wait_for_is_stale(write, who, email):
    assert await write(confirm_address, who, email) == "stale"


async def test_who_confirms_takes_the_claim_and_the_password_of_the_others(state, write, rival):
    assert await write(confirm_address, PENDING, "pending@auth.test") == "done"
    loser = await find_user(state.database, rival)
    assert (loser.email, loser.unverified_email, loser.password_hash) == (None, None, None)
    assert (await find_user(state.database, PENDING)).password_hash is not None
    assert (await find_user(state.database, NORA)).password_hash is not None
    assert await write(confirm_address, rival, "pending@auth.test") == "stale"


async def test_an_address_that_is_confirmed_is_taken(write, rival):
    await write(run, "UPDATE _user SET email = 'pending@auth.test' WHERE id = ?1", NORA)
    with pytest.raises(ConstraintError):
        await write(confirm_address, PENDING, "pending@auth.test")
    with pytest.raises(ConstraintError):
        await write(change_address, LENA, "lena@auth.test", "PENDING@auth.test")


async def test_a_change_names_what_it_replaces(state, write):
    change = (change_address, NORA, "nora@auth.test", "norah@auth.test")
    assert await write(*change) == "done"
    assert await write(*change) == "already"
    assert await write(change_address, NORA, "nora@auth.test", "third@auth.test") == "stale"
    assert await write(change_address, bytes(16), "", "third@auth.test") == "stale"
    assert (await find_user(state.database, NORA)).email == "norah@auth.test"


async def test_who_has_no_address_can_get_one(state, write):
    assert await write(change_address, SOLO, "", "solo@auth.test") == "done"
    assert await write(change_address, SOLO, "", "second@auth.test") == "stale"


async def test_other_letters_are_a_change_too(state, write):
    assert await write(change_address, NORA, "nora@auth.test", "Nora@auth.test") == "done"
    assert (await find_user(state.database, NORA)).email == "Nora@auth.test"
    assert await write(change_address, NORA, "nora@auth.test", "Nora@auth.test") == "already"


async def test_only_who_has_a_name_gives_the_address_up(write):
    assert await write(drop_address, NORA)
    assert not await write(drop_address, LENA)
    assert not await write(drop_address, bytes(16))


async def test_the_newest_claim_is_found_while_nobody_has_confirmed(state, write, rival):
    assert await find_waiting(state.database, "pending@AUTH.test") == PENDING
    assert await find_waiting(state.database, "nora@auth.test") is None
    await write(run, "UPDATE _user SET email = 'pending@auth.test' WHERE id = ?1", NORA)
    assert await find_waiting(state.database, "pending@auth.test") is None
