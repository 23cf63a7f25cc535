"""Rows of passkeys and of challenges that were used."""

import pytest
from msgspec.structs import replace

from tests.auth.conftest import NORA, SOLO
from trailbase_server.auth.passkeys.challenge import Challenge
from trailbase_server.auth.passkeys.store import (
    MAX_PASSKEYS,
    Passkey,
    delete_passkey,
    find_passkey,
    has_passkey,
    insert_passkey,
    list_passkeys,
    rename_passkey,
    use_passkey,
)

NOW = 1_790_000_000
KEY = Passkey(0, NORA, b"credential", b"key", 3, True, False, ("usb",), "Key", NOW, None)


@pytest.fixture
def database(databases):
    return databases[1]


@pytest.fixture
def challenge():
    made = iter(range(1000))
    return lambda expires=NOW + 300: Challenge(next(made).to_bytes(16), expires)


async def test_what_is_stored_is_found(database, challenge):
    number = await database.write(insert_passkey, challenge(), KEY)
    stored = replace(KEY, number=number)
    assert await find_passkey(database, b"credential") == stored
    assert await list_passkeys(database, NORA) == [stored]
    assert await has_passkey(database, NORA)
    assert not await has_passkey(database, SOLO)
    assert await find_passkey(database, b"other") is None
    assert await list_passkeys(database, SOLO) == []


async def test_a_credential_is_stored_once(database, challenge):
    await database.write(insert_passkey, challenge(), KEY)
    for owner in (NORA, SOLO):
        again = replace(KEY, user_id=owner)
        assert await database.write(insert_passkey, challenge(), again) == "taken"


async def test_a_challenge_is_used_once(database, challenge):
    one = challenge()
    number = await database.write(insert_passkey, one, KEY)
    other = replace(KEY, credential=b"other")
    assert await database.write(insert_passkey, one, other) == "replayed"
    assert await database.write(use_passkey, one, number, 4, 0, NOW) == "replayed"
    assert (await find_passkey(database, b"credential")).sign_count == 3


async def test_used_challenges_are_kept_until_they_are_over(database, challenge):
    number = await database.write(insert_passkey, challenge(), KEY)
    for count in range(4, 9):
        await database.write(use_passkey, challenge(), number, count, 0, NOW)
    await database.write(use_passkey, challenge(NOW + 900), number, 9, 0, NOW + 300)
    assert await database.query("SELECT count(*) FROM accounts._used_challenge") == [(1,)]


async def test_an_account_has_so_many_and_others_do_not_count(database, challenge):
    for number in range(MAX_PASSKEYS):
        key = replace(KEY, credential=number.to_bytes(2))
        assert isinstance(await database.write(insert_passkey, challenge(), key), int)
    assert await database.write(insert_passkey, challenge(), KEY) == "full"
    foreign = replace(KEY, user_id=SOLO)
    assert isinstance(await database.write(insert_passkey, challenge(), foreign), int)


@pytest.mark.parametrize(
    ("before", "now", "outcome"),
    [
        (3, 4, "ok"),
        (3, 3, "cloned"),
        (3, 2, "cloned"),
        (3, 0, "cloned"),
        (0, 0, "ok"),
        (0, 1, "ok"),
        (2**32 - 2, 2**32 - 1, "ok"),
    ],
)
async def test_a_count_goes_up_or_there_is_none(database, challenge, before, now, outcome):
    number = await database.write(insert_passkey, challenge(), replace(KEY, sign_count=before))
    assert await database.write(use_passkey, challenge(), number, now, 1, NOW + 5) == outcome
    found = await find_passkey(database, b"credential")
    if outcome == "ok":
        assert (found.sign_count, found.backed_up, found.last_used) == (now, True, NOW + 5)
    else:
        assert found == replace(KEY, number=number, sign_count=before)


async def test_a_key_that_was_just_removed_is_no_use(database, challenge):
    number = await database.write(insert_passkey, challenge(), KEY)
    assert await database.write(delete_passkey, NORA, number, False) == "ok"
    assert await database.write(use_passkey, challenge(), number, 4, 0, NOW) == "cloned"


async def test_the_last_one_stays_where_it_is_the_only_way_in(database, challenge):
    first = await database.write(insert_passkey, challenge(), KEY)
    second = await database.write(insert_passkey, challenge(), replace(KEY, credential=b"2"))
    outcomes = [
        await database.write(delete_passkey, user, number, True)
        for user, number in ((SOLO, first), (NORA, first), (NORA, first), (NORA, second))
    ]
    assert outcomes == ["missing", "ok", "missing", "last"]
    assert await database.write(delete_passkey, NORA, second, False) == "ok"


async def test_only_the_owner_names_a_key(database, challenge):
    number = await database.write(insert_passkey, challenge(), KEY)
    assert not await database.write(rename_passkey, SOLO, number, "mine")
    assert await database.write(rename_passkey, NORA, number, "hers")
    assert (await find_passkey(database, b"credential")).name == "hers"
