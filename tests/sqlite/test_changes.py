import asyncio

import pytest

from tests.write_jobs import (
    delete_all,
    fail,
    insert_or_roll_back,
    insert_slowly,
    insert_two,
    insert_word,
)


async def seen_by(database):
    seen = []
    await database.listen(
        lambda changes: seen.extend((c.action, c.schema, c.table, c.values) for c in changes)
    )
    return seen


def rename(tx, old, new):
    tx.run("UPDATE item SET word = ?2 WHERE word = ?1", (old, new))


async def test_changes_arrive_after_the_commit_in_order(database):
    seen = await seen_by(database)
    await database.write(insert_word, "oak")
    await database.write(rename, "oak", "ash")
    await database.write(delete_all)

    assert seen == [
        ("insert", "main", "item", (1, "oak")),
        ("update", "main", "item", (1, "ash")),
        ("delete", "main", "item", (1, "ash")),
    ]


@pytest.mark.case("T-54")
async def test_what_was_undone_is_never_announced(database):
    await database.write(insert_word, "taken")
    seen = await seen_by(database)
    await asyncio.gather(
        database.write(insert_word, "a"),
        database.write(insert_two, "b", "b"),
        database.write(fail),
        database.write(insert_or_roll_back, "taken"),
        database.write(insert_slowly, "slow"),
        database.write(insert_word, "z"),
        return_exceptions=True,
    )

    assert sorted(values[1] for _, _, _, values in seen) == ["a", "slow", "z"]


async def test_nothing_is_collected_when_nobody_listens(database):
    seen = await seen_by(database)
    await database.write(insert_word, "a")
    await database.listen(None)
    await database.write(insert_word, "b")

    assert [values[1] for *_, values in seen] == ["a"]
    assert database._turns.changes.mark() == 0


async def test_listening_from_the_middle_of_a_turn_starts_with_the_next(database):
    slow = asyncio.ensure_future(database.write(insert_slowly, "slow", 3_000_000))
    while database._turns.has_connection:
        await asyncio.sleep(0.001)
    seen = await seen_by(database)
    await database.write(insert_word, "after")
    await slow

    assert [values[1] for *_, values in seen] == ["after"]


async def test_a_listener_that_fails_does_not_stop_the_writer(database, caplog):
    def fail_always(changes):
        raise ZeroDivisionError

    await database.listen(fail_always)
    await database.write(insert_word, "a")
    await database.write(insert_word, "b")

    assert "ZeroDivisionError" in caplog.text
