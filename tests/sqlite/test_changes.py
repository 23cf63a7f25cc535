import asyncio

from tests.jobs import (
    delete_all,
    fail,
    insert_or_roll_back,
    insert_slowly,
    insert_two,
    insert_word,
)


def seen_by(database):
    seen = []
    database.listen(
        lambda changes: seen.extend((c.action, c.schema, c.table, c.values) for c in changes)
    )
    return seen


def rename(tx, old, new):
    tx.run("UPDATE item SET word = ?2 WHERE word = ?1", (old, new))


async def test_changes_arrive_after_the_commit_in_order(database):
    seen = seen_by(database)
    await database.write(insert_word, "oak")
    await database.write(rename, "oak", "ash")
    await database.write(delete_all)

    assert seen == [
        ("insert", "main", "item", (1, "oak")),
        ("update", "main", "item", (1, "ash")),
        ("delete", "main", "item", (1, "ash")),
    ]


async def test_what_was_undone_is_never_announced(database):
    await database.write(insert_word, "taken")
    seen = seen_by(database)
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
    seen = seen_by(database)
    await database.write(insert_word, "a")
    database.listen(None)
    await database.write(insert_word, "b")

    assert [values[1] for *_, values in seen] == ["a"]
    assert database._turns.changes.mark() == 0
