"""Rows about second factors: what was used once is not used again."""

import apsw

from trailbase_server.auth.factors import (
    RECOVERY_ALPHABET,
    count_recovery_codes,
    delete_recovery_codes,
    new_recovery_codes,
    replace_recovery_codes,
    stored_recovery_code,
    use_recovery_code,
    use_step,
)

NORA, LENA = bytes(15) + b"\x02", bytes(15) + b"\x03"


async def test_steps_only_go_up(state):
    write = state.session_database.write
    used = [await write(use_step, NORA, step) for step in (7, 7, 6, 9, 8, 10)]
    assert used == [True, False, False, True, False, True]
    assert await write(use_step, LENA, 1)


async def test_each_recovery_code_is_good_once_and_for_its_owner(state):
    write = state.session_database.write
    await write(replace_recovery_codes, NORA, ["a", "b"], 5)
    assert not await write(use_recovery_code, LENA, "a")
    assert await write(use_recovery_code, NORA, "a")
    assert not await write(use_recovery_code, NORA, "a")
    assert await count_recovery_codes(state.session_database, NORA) == 1
    await write(replace_recovery_codes, NORA, ["c"], 6)
    assert not await write(use_recovery_code, NORA, "b")
    await write(delete_recovery_codes, NORA)
    assert await count_recovery_codes(state.session_database, NORA) == 0


def test_codes_are_read_as_people_type_them(state):
    codes = new_recovery_codes()
    assert len(set(codes)) == 10
    assert all(set(code) <= {*RECOVERY_ALPHABET, "-"} for code in codes)
    stored = stored_recovery_code(state.keys, NORA, "abcde-fgh23")
    assert stored == stored_recovery_code(state.keys, NORA, " ABCDE fgh23 ")
    assert stored != stored_recovery_code(state.keys, LENA, "abcde-fgh23")
    assert stored_recovery_code(state.keys, NORA, "123456") is None
    assert stored_recovery_code(state.keys, NORA, "abcde-fgh2o") is None


async def test_they_are_in_a_file_of_our_own(state, databases, tmp_path):
    await state.session_database.write(use_step, NORA, 7)
    own = apsw.Connection(str(tmp_path / "accounts.db"))
    assert own.execute("SELECT step FROM _totp_step").fetchall() == [(7,)]
    own.close()
    session = apsw.Connection(str(tmp_path / "session.db"))
    names = {row[0] for row in session.execute("SELECT name FROM sqlite_schema")}
    session.close()
    assert "_totp_step" not in names
