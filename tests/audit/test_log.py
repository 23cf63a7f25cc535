"""The audit log is only added to; whatever else is done to it shows."""

import json

import apsw
import pytest

from trailbase_server.audit import log as module
from trailbase_server.audit.entry import Actor, Entry
from trailbase_server.audit.log import KEEP_AT_LEAST_S, AuditLog
from trailbase_server.clock import Clock
from trailbase_server.db.errors import ConstraintError

BOSS = Actor("user", "boss@pier.test", bytes(range(16)))
DEED = Entry(
    BOSS,
    "user.update",
    "7f",
    {"email": "a@b.test"},
    {"email": "c@d.test", "password": "hidden"},
    status=200,
    client_ip="192.0.2.1",
    request_id="r-1",
)


async def fill(audit, clock, count, step=10):
    for number in range(count):
        await audit.record(Entry(BOSS, "user.delete", str(number)))
        clock.advance(step)


async def test_a_deed_is_on_disk_when_it_is_recorded(audit, clock, tmp_path):
    await audit.record(DEED)
    connection = apsw.Connection(str(tmp_path / "audit.db"))
    [row] = connection.execute("SELECT * FROM entry").fetchall()
    connection.close()
    assert row[:9] == (
        *(1, clock.now(), "user", bytes(range(16)), "boss@pier.test", "192.0.2.1", "r-1"),
        *("user.update", "7f"),
    )
    assert json.loads(row[9]) == {"email": "a@b.test"}
    assert json.loads(row[10]) == {"email": "c@d.test", "password": "<REDACTED>"}
    assert row[11:14] == ("done", 200, "")


async def test_what_clients_say_is_bounded(audit, database):
    long = "x" * 100_000
    entry = Entry(
        Actor("command", long), "a", long, {"b": long}, None, "refused", 400, long, long, long
    )
    await audit.record(entry)
    [(size,)] = database.read(
        "SELECT length(actor_name) + length(object) + length(before) + length(message)"
        " + length(client_ip) + length(request_id) FROM entry"
    )
    assert size < 6_000


def tamper(tx, sql):
    tx.run(sql)


@pytest.mark.parametrize("sql", ["UPDATE entry SET object = 'x'", "DELETE FROM entry"])
async def test_the_table_refuses_changes(database, sql):
    audit = AuditLog(database, Clock())
    await audit.record(DEED)
    with pytest.raises(ConstraintError):
        await database.write(tamper, sql)
    assert (await audit.prove()).is_whole


async def test_the_proof_of_a_whole_log(audit, clock):
    proof = await audit.prove()
    assert (proof.is_whole, proof.entries, proof.digest) == (True, 0, "")
    await fill(audit, clock, 3)
    proof = await audit.prove()
    assert (proof.is_whole, proof.entries, proof.first, proof.last) == (True, 3, 1, 3)
    assert len(proof.digest) == 64


@pytest.mark.parametrize(
    ("sql", "broken_at"),
    [
        ("UPDATE entry SET object = 'x' WHERE id = 2", 2),
        ("UPDATE entry SET actor_id = NULL WHERE id = 4", 4),
        ("UPDATE entry SET before = '{}' WHERE id = 1", 1),
        ("UPDATE entry SET digest = zeroblob(32) WHERE id = 3", 3),
        ("DELETE FROM entry WHERE id = 3", 4),
        ("DELETE FROM entry WHERE id >= 3", 3),
        ("DELETE FROM entry", 1),
    ],
)
async def test_tampering_shows(audit, clock, database, monkeypatch, sql, broken_at):
    monkeypatch.setattr(module, "BATCH", 2)
    await fill(audit, clock, 4)
    await database.write(tamper, "DROP TRIGGER entry_is_not_changed")
    await database.write(tamper, sql)
    assert (await audit.prove()).broken_at == broken_at
    await audit.record(DEED)
    assert not (await audit.prove()).is_whole, "later entries do not heal it"


async def test_old_entries_go_and_the_rest_is_still_whole(audit, clock, database, monkeypatch):
    monkeypatch.setattr(module, "BATCH", 2)
    start = clock.now()
    await fill(audit, clock, 7)
    clock.advance(10 * KEEP_AT_LEAST_S)
    assert await audit.delete_before(start + 45) == 5
    proof = await audit.prove()
    assert (proof.is_whole, proof.entries, proof.first, proof.last) == (True, 2, 6, 7)
    assert await audit.delete_before(clock.now()) == 1, "the last one stays: the next follows it"
    await audit.record(DEED)
    assert (await audit.prove()).is_whole


async def test_young_entries_never_go(audit, clock):
    await fill(audit, clock, 3)
    assert await audit.delete_before(clock.now()) == 0
    assert await audit.delete_before(clock.now() + 1e9) == 0


async def test_a_clock_that_was_set_back_leaves_no_gap(audit, clock):
    start = clock.now()
    await audit.record(DEED)
    clock.advance(1000)
    await audit.record(DEED)
    clock.advance(-2000)
    await audit.record(DEED)
    await audit.record(DEED)
    clock.advance(10 * KEEP_AT_LEAST_S)
    assert await audit.delete_before(start + 500) == 1
    assert (await audit.prove()).is_whole


async def test_a_log_that_cannot_be_written_does_not_undo_the_deed(audit, database, caplog):
    await database.close()
    await audit.record(DEED)
    assert audit.failed == 1
    assert "user.update" in caplog.text
    assert "hidden" not in caplog.text
