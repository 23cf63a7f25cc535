"""Reading accounts, and the write jobs on them."""

import pytest

from trailbase_server.auth import users
from trailbase_server.db.errors import ConstraintError
from trailbase_server.errors import ConflictError

NORA = bytes(15) + b"\x02"
PENDING = bytes(15) + b"\x06"
NEW = b"\x00" * 6 + b"\x40\x00\x80" + b"\x00" * 6 + b"\x99"


@pytest.fixture
def main(databases):
    return databases[0]


async def test_an_account_is_found_by_id_address_and_name_in_any_case(main):
    nora = await users.find_user(main, NORA)
    assert nora.username == "nora"
    assert await users.find_by_email(main, "NORA@auth.TEST") == nora
    assert await users.find_by_username(main, "Nora") == nora


async def test_an_unconfirmed_address_finds_nobody(main):
    assert await users.find_by_email(main, "pending@auth.test") is None
    assert await users.find_user(main, NEW) is None


async def test_registering_stores_an_unconfirmed_address(main):
    assert await main.write(users.insert_registration, NEW, "ivy@auth.test", "ivy", "hash")
    ivy = await users.find_user(main, NEW)
    assert (ivy.email, ivy.unverified_email, ivy.admin) == (None, "ivy@auth.test", False)


async def test_registering_the_address_of_a_verified_account_stores_nothing(main):
    assert not await main.write(users.insert_registration, NEW, "NORA@auth.test", None, "hash")
    assert await users.find_user(main, NEW) is None


async def test_registering_a_taken_name_is_a_constraint(main):
    with pytest.raises(ConstraintError):
        await main.write(users.insert_registration, NEW, "ivy@auth.test", "NORA", "hash")


async def test_many_users_or_none(main):
    rows = [(NEW, "ivy@auth.test", None, "h"), (b"x" * 16, "nora@auth.test", None, "h")]
    with pytest.raises(ConflictError, match=r"nora@auth\.test"):
        await main.write(users.insert_users, rows)
    assert await users.find_user(main, NEW) is None


async def test_a_hash_is_replaced_only_while_it_is_the_expected_one(main):
    nora = await users.find_user(main, NORA)
    assert await main.write(users.set_password_hash, NORA, "new", nora.password_hash)
    assert not await main.write(users.set_password_hash, NORA, "newer", nora.password_hash)
    assert (await users.find_user(main, NORA)).password_hash == "new"


async def test_confirming_moves_the_address_and_back(main):
    await main.write(users.set_verified, PENDING, True)
    await main.write(users.set_verified, PENDING, True)
    user = await users.find_user(main, PENDING)
    assert (user.email, user.unverified_email) == ("pending@auth.test", None)
    await main.write(users.set_verified, PENDING, False)
    user = await users.find_user(main, PENDING)
    assert (user.email, user.unverified_email) == (None, "pending@auth.test")


async def test_administrators_are_listed(main):
    await main.write(users.set_admin, NORA, True)
    assert {user.username for user in await users.list_admins(main)} == {"warden", "nora"}
    await main.write(users.set_admin, NORA, False)
    assert [user.username for user in await users.list_admins(main)] == ["warden"]


async def test_name_address_and_the_row_itself_change(main):
    assert await main.write(users.set_username, NORA, None)
    await main.write(users.set_email, NORA, "n@auth.test")
    user = await users.find_user(main, NORA)
    assert (user.username, user.email) == (None, "n@auth.test")
    assert await main.write(users.delete_user, NORA)
    assert not await main.write(users.delete_user, NORA)
