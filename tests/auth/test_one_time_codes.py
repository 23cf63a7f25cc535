"""Rows of mailed codes: one for an address, good once, digests only."""

import re

import pytest

from trailbase_server.auth.one_time_codes import insert_otp, new_otp, stored_otp, take_otp

NORA, NOW = bytes(15) + b"\x02", 1_800_000_000
EMAIL = "nora@auth.test"


async def put(state, code, email=EMAIL):
    stored = stored_otp(state.keys, email, code)
    await state.session_database.write(insert_otp, NORA, email, stored, NOW)


async def take(state, code, email=EMAIL, now=NOW):
    stored = stored_otp(state.keys, email, code)
    return await state.session_database.write(take_otp, email, code, stored, now)


async def test_a_code_is_good_once_for_its_address(state):
    await put(state, "ABC123")
    assert await take(state, "ABC124") is None
    assert await take(state, "ABC123", "lena@auth.test") is None
    assert await take(state, "ABC123", "Nora@auth.test") == NORA
    assert await take(state, "ABC123") is None


async def test_a_new_code_voids_the_old_one(state):
    await put(state, "ABC123")
    await put(state, "DEF456", "NORA@auth.test")
    assert await take(state, "ABC123") is None
    assert await take(state, "DEF456") == NORA


async def test_a_code_expires(state):
    await put(state, "ABC123")
    assert await take(state, "ABC123", now=NOW + 300) is None
    assert await take(state, "ABC123", now=NOW + 299) == NORA


async def test_what_is_stored_is_no_code(state):
    await put(state, "ABC123")
    [(stored,)] = await state.session_database.query("SELECT otp_code FROM _otp_code")
    assert "ABC123" not in stored
    assert await take(state, stored) is None


@pytest.mark.case("T-99")
async def test_codes_of_the_reference_are_accepted(state):
    await state.session_database.write(insert_otp, NORA, EMAIL, "ABC123", NOW)
    assert await take(state, "ABC123") == NORA


def test_the_shape():
    assert all(re.fullmatch("[A-Z0-9]{6}", new_otp()) for _ in range(20))
