import os

import pytest

from tests.backups.conftest import KEYS, ask, back_up, prepare_for
from trailbase_server.backups.shelf import Shelf, StoredBackup
from trailbase_server.backups.verify import verify_backup


def verify(backup):
    return verify_backup(backup, prepare_for)


@pytest.mark.parametrize("compress", [False, True])
async def test_a_good_backup(depot, compress):
    backup = await back_up(depot, compress=compress, with_logs=True)
    before = sorted(backup.path.rglob("*"))
    report = verify(backup)
    assert (report.problems, report.remarks) == ([], [])
    assert {"accounts", "logs", "main", "outbox", "session", "tide"} <= set(report.databases)
    assert sorted(backup.path.rglob("*")) == before
    assert os.listdir(depot / "backups") == [str(backup.timestamp)]


async def test_foreign_keys_that_lead_nowhere_are_a_remark(depot):
    sql = "CREATE TABLE c (b INTEGER REFERENCES boat); INSERT INTO c VALUES (9)"
    ask(depot / "data" / "main.db", f"PRAGMA foreign_keys = OFF; {sql}")
    report = verify(await back_up(depot))
    assert report.problems == []
    assert report.remarks == ["main: 1 rows of c refer to rows of boat that are gone"]


def truncate(path):
    path.write_bytes(path.read_bytes()[:-4096])


def scratch(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def link(path):
    path.unlink()
    path.symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("name", "harm", "problem"),
    [
        ("main.db", truncate, "main.db: has "),
        ("main.db", scratch, "main.db: its checksum is wrong"),
        ("main.db", os.unlink, "main.db: No such file"),
        ("main.db", link, "main.db: is a link"),
        ("depot/config.textproto", scratch, "depot/config.textproto: its checksum is wrong"),
        (f"uploads/{KEYS[0]}", os.unlink, "uploads: there are not 2 files of 72 bytes"),
        ("manifest.json", truncate, "manifest.json is broken"),
    ],
)
async def test_harm_is_found(depot, name, harm, problem):
    backup = await back_up(depot)
    path = backup.path / name
    if path.parent.name == "uploads":  # not the original, to which it is linked
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(content)
    harm(path)
    [found] = verify(backup).problems
    assert found.startswith(problem)


async def test_harm_to_packed_ones_is_found(depot):
    backup = await back_up(depot, compress=True)
    (backup.path / "tide.db.gz").write_bytes(b"x")
    report = verify(backup)
    assert [line.partition(":")[0] for line in report.problems] == ["tide.db.gz"]
    assert "tide" not in report.databases


async def test_backups_of_the_reference_server_are_checked_page_by_page(depot):
    backup = await back_up(depot)
    (backup.path / "manifest.json").unlink()
    assert verify(backup).problems == []
    truncate(backup.path / "main.db")
    assert any(line.startswith("main: ") for line in verify(backup).problems)


def test_an_empty_directory_is_no_backup(tmp_path):
    (tmp_path / "5").mkdir()
    assert verify(StoredBackup(5, tmp_path / "5")).problems == ["Other: No DBs found"]
    assert [backup.timestamp for backup in Shelf(tmp_path).list()] == [5]
