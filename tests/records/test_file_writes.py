"""The write jobs themselves: what they claim, and in which order they check."""

import pytest
from msgspec.structs import replace

from tests.records.filing import Files, file, open_files
from trailbase_server.errors import BadRequestError, ForbiddenError
from trailbase_server.records.file_writes import FileWrite, run_file_writes
from trailbase_server.records.writes import Write
from trailbase_server.storage.deletions import (
    Claim,
    PendingUpload,
    announce_uploads,
    queue_name,
)

QUEUE = queue_name("main")
DENY = "SELECT 1 WHERE 0"


@pytest.fixture
async def site(tmp_path):
    async with open_files(tmp_path) as opened:
        site = Files(opened)
        await site.create("poster", {"id": 1, "name": "a", "sheet": file(b"x")})
        yield site


def change(sql, *params, rule=None, kept=None):
    write = Write(rule, (), sql, params, True)
    return FileWrite(write, None, (), (), QUEUE, None) if kept is None else kept(write)


async def run(site, *writes, rules_first=False):
    return await site.database.write(run_file_writes, list(writes), rules_first=rules_first)


async def test_a_job_claims_what_its_own_statements_have_queued(site):
    text = site.rows("SELECT sheet FROM poster")[0][0]

    def earlier(tx):
        tx.run(
            "INSERT INTO _file_deletions (table_name, record_rowid, column_name, json) "
            "VALUES ('t', 1, 'c', '{}')"
        )

    await site.database.write(earlier)
    outcome = await run(
        site,
        change("UPDATE poster SET name = 'b' RETURNING 1"),
        change("DELETE FROM poster RETURNING 1"),
    )
    assert outcome.rows == [[(1,)], [(1,)]]
    assert outcome.claims == [Claim(QUEUE, 2, text, None)]
    assert [row[2] for row in site.queue()] == [0, 1]


async def test_with_rules_first_no_statement_runs_before_a_refusal(site):
    writes = [
        change("UPDATE poster SET name = 'b' RETURNING 1"),
        change("UPDATE nonsense SET name = 'b'", rule=DENY),
    ]
    for rules_first in (True, False):
        with pytest.raises(ForbiddenError):
            await run(site, *writes, rules_first=rules_first)
        assert site.rows("SELECT name FROM poster") == [("a",)]


async def test_the_rule_comes_before_a_missing_file(site):
    from trailbase_server.records.file_entries import read_files

    value = read_files("sheet", {"filename": "other"}, is_list=False)

    def keeping(write):
        sql = "SELECT sheet FROM poster WHERE id = ?1"
        return FileWrite(write, sql, (1,), ("sheet",), QUEUE, None)

    sql = "UPDATE poster SET sheet = ?1 RETURNING 1"
    with pytest.raises(ForbiddenError):
        await run(site, change(sql, value, rule=DENY, kept=keeping))
    with pytest.raises(BadRequestError):
        await run(site, change(sql, value, kept=keeping))
    assert site.queue() == []


async def test_the_upload_of_a_swallowed_record_stays_announced(site):
    (row_id,) = await site.database.write(announce_uploads, [(QUEUE, '"main"."poster"', "[]")])
    sql = "INSERT INTO poster (id, name) VALUES (1, 'b') ON CONFLICT (id) DO NOTHING RETURNING id"
    pending = PendingUpload(row_id, "[]")
    write = FileWrite(Write(None, (), sql, (), False), None, (), (), QUEUE, pending)
    assert (await run(site, write)).rows == [[]]
    assert len(site.queue()) == 1
    taken = write._replace(write=replace(write.write, sql=sql.replace("(1,", "(2,")))
    assert (await run(site, taken)).rows == [[(2,)]]
    assert site.queue() == []


async def test_tables_without_files_take_part(site):
    note = FileWrite(
        Write(None, (), "INSERT INTO note (text) VALUES (?1) RETURNING id", ("x",), False),
        None,
        (),
        (),
        None,
        None,
    )
    outcome = await run(site, note, change("DELETE FROM poster RETURNING 1"))
    assert outcome.rows == [[(1,)], [(1,)]]
    assert len(outcome.claims) == 1
