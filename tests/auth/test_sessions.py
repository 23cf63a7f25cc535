"""Sessions and codes in ``session.db``."""

import pytest

from trailbase_server.auth import sessions
from trailbase_server.auth.sessions import (
    ETERNITY,
    delete_session,
    delete_sessions,
    expiry_of,
    find_session,
    insert_code,
    insert_session,
    new_code,
    new_refresh_token,
    stored_form,
    take_code,
)

NORA, SOLO = bytes(15) + b"\x02", bytes(15) + b"\x04"
NOW = 1_800_000_000


@pytest.fixture
def store(databases):
    return databases[1]


async def open_one(store, user=NORA, expires=NOW + 60):
    token = new_refresh_token()
    await store.write(insert_session, user, stored_form(token), NOW, expires)
    return token


async def test_a_session_is_found_by_its_token_until_it_ends(store):
    token = await open_one(store)
    assert await find_session(store, token, NOW + 59) == NORA
    assert await find_session(store, token, NOW + 60) is None
    assert await find_session(store, token.swapcase(), NOW) is None


async def test_the_token_itself_is_not_stored(store):
    token = await open_one(store)
    rows = await store.query("SELECT refresh_token FROM _session")
    assert rows == [(stored_form(token),)]
    assert token not in rows[0][0]


async def test_what_is_stored_cannot_be_used_as_a_token(store):
    token = await open_one(store)
    assert await find_session(store, stored_form(token), NOW) is None
    await store.write(delete_session, stored_form(token))
    assert await find_session(store, token, NOW) == NORA


@pytest.mark.case("T-99")
async def test_a_row_of_the_reference_server_goes_on(store):
    token = new_refresh_token()
    await store.write(insert_session, NORA, token, NOW, NOW + 60)
    assert await find_session(store, token, NOW) == NORA
    await store.write(delete_session, token)
    assert await find_session(store, token, NOW) is None


@pytest.mark.parametrize("text", ["", "%", "x" * 86 + "\n", "a\0b", "ü" * 86, "x" * 100_000])
async def test_texts_that_are_no_tokens(store, text):
    await open_one(store)
    assert await find_session(store, text, NOW) is None
    await store.write(delete_session, text)
    assert await store.query("SELECT COUNT(*) FROM _session") == [(1,)]


async def test_ending_one_session_leaves_the_others(store):
    first, second = await open_one(store), await open_one(store)
    await store.write(delete_session, first)
    assert await find_session(store, first, NOW) is None
    assert await find_session(store, second, NOW) == NORA


async def test_ending_all_sessions_of_a_user_but_one(store):
    first, second, other = await open_one(store), await open_one(store), await open_one(store, SOLO)
    await store.write(delete_sessions, NORA, second)
    assert await find_session(store, first, NOW) is None
    assert await find_session(store, second, NOW) == NORA
    await store.write(delete_sessions, NORA, other)
    assert await find_session(store, second, NOW) is None
    assert await find_session(store, other, NOW) == SOLO


def test_lives():
    assert expiry_of(NOW, 60) == NOW + 60
    assert expiry_of(NOW, 0) == NOW
    assert expiry_of(NOW, -1) == ETERNITY
    assert expiry_of(NOW, ETERNITY) == ETERNITY


async def test_an_eternal_session_fits_the_column(store):
    token = await open_one(store, expires=ETERNITY)
    assert await find_session(store, token, NOW * 2) == NORA


async def test_a_code_is_used_up_by_the_one_who_asked_for_it(store):
    code = new_code()
    await store.write(insert_code, NORA, stored_form(code), "challenge", NOW)
    assert await store.write(take_code, code, "other challenge", NOW) is None
    assert await store.write(take_code, stored_form(code), "challenge", NOW) is None
    assert await store.write(take_code, code, "challenge", NOW + sessions.CODE_TTL_S) is None
    assert await store.write(take_code, code, "challenge", NOW + 299) == NORA
    assert await store.write(take_code, code, "challenge", NOW) is None


def test_tokens_and_codes_have_their_lengths():
    assert (len(new_refresh_token()), len(new_code())) == (86, 48)
    assert new_refresh_token().isalnum()
