"""Back into a depot: all of it or nothing, whatever happens in the middle."""

import json
import os
import shutil
from contextlib import closing

import apsw
import pytest

from tests.backups.conftest import KEYS, add_boat, ask, back_up, boats, prepare_for
from trailbase_server.backups import restore as module
from trailbase_server.backups.errors import BackupError, UnsuitableBackupError
from trailbase_server.backups.restore import (
    PLAN_FILE,
    STAGING,
    Restoration,
    Scope,
    finish_interrupted,
    restoring,
)
from trailbase_server.errors import OperatorError


def restore(depot, backup, scope=None, *, online=False):
    restoration = Restoration(depot, backup, scope or Scope(), prepare_for)
    with restoring(depot):
        restoration.stage(online=online)
        restoration.decide()
        restoration.apply()
        restoration.finish()
    return restoration.report(None)


def is_clean(depot):
    return not (depot / "data" / STAGING).exists()


@pytest.mark.parametrize("compress", [False, True])
async def test_everything_is_as_it_was(depot, compress):
    backup = await back_up(depot, compress=compress)
    add_boat(depot, "two")
    ask(depot / "data" / "tide.db", "DELETE FROM gauge")
    (depot / "uploads" / KEYS[0]).unlink()
    (depot / "uploads" / KEYS[2]).write_text("new")
    report = restore(depot, backup)
    assert boats(depot) == ["one"]
    assert ask(depot / "data" / "tide.db", "SELECT level FROM gauge") == [(2.5,)]
    assert (depot / "uploads" / KEYS[0]).read_text() == KEYS[0]
    assert (depot / "uploads" / KEYS[2]).exists()
    assert sorted(report.databases) == ["accounts", "main", "session", "tide"]
    assert (report.kept, report.uploads, report.files) == (["outbox", "jobs", "audit"], 1, [])
    assert is_clean(depot)


async def test_into_an_empty_directory(depot, tmp_path):
    backup = await back_up(depot, with_secrets=True)
    new = tmp_path / "new"
    report = restore(new, backup)
    assert boats(new) == ["one"]
    assert "outbox" in report.databases
    assert {"config.textproto", "secrets/keys/private_key.pem"} <= set(report.files)
    key = "secrets/keys/private_key.pem"
    assert (new / key).read_bytes() == (depot / key).read_bytes()
    assert (new / key).stat().st_mode & 0o777 == 0o600
    assert (new / "secrets").stat().st_mode & 0o777 == 0o700
    assert (new / "data" / "own").stat().st_mode & 0o777 == 0o700
    assert sorted(os.listdir(new / "uploads")) == KEYS[:2]
    assert (new / "migrations/main/U1790000001__boats.sql").exists()


async def test_files_that_are_there_stay_unless_told_otherwise(depot):
    backup = await back_up(depot, with_secrets=True)
    paths = [depot / name for name in ("config.textproto", "secrets/keys/public_key.pem")]
    old = [path.read_text() for path in paths]
    for path in paths:
        path.write_text("newer")
    (depot / "secrets/keys/private_key.pem").unlink()
    assert restore(depot, backup).files == []
    assert [path.read_text() for path in paths] == ["newer", "newer"]
    restore(depot, backup, Scope(config=True))
    assert [path.read_text() for path in paths] == [old[0], "newer"]
    restore(depot, backup, Scope(secrets=True))
    assert [path.read_text() for path in paths] == old


async def test_databases_can_be_left_out(depot):
    backup = await back_up(depot)
    ask(depot / "data" / "tide.db", "DELETE FROM gauge")
    report = restore(depot, backup, Scope(frozenset({"tide", "session"})))
    assert sorted(report.kept) == ["audit", "jobs", "outbox", "session", "tide"]
    assert ask(depot / "data" / "tide.db", "SELECT count(*) FROM gauge") == [(0,)]


async def test_over_databases_beyond_repair(depot):
    backup = await back_up(depot)
    (depot / "data" / "main.db").write_bytes(b"x" * 10_000)
    (depot / "data" / "tide.db").unlink()
    restore(depot, backup)
    assert boats(depot) == ["one"]
    assert ask(depot / "data" / "tide.db", "SELECT level FROM gauge") == [(2.5,)]


def refuse(depot, backup, *, online=False):
    before = boats(depot)
    with pytest.raises(UnsuitableBackupError) as caught, restoring(depot):
        Restoration(depot, backup, Scope(), prepare_for).stage(online=online)
    assert boats(depot) == before
    assert is_clean(depot)
    return "\n".join(caught.value.problems)


@pytest.mark.case("T-69")
@pytest.mark.parametrize("compress", [False, True])
async def test_a_truncated_backup_is_refused(depot, compress):
    backup = await back_up(depot, compress=compress)
    path = backup.path / ("main.db.gz" if compress else "main.db")
    path.write_bytes(path.read_bytes()[:-100])
    assert "bytes instead of" in refuse(depot, backup)


async def test_a_truncated_backup_without_manifest_is_refused(depot):
    backup = await back_up(depot)
    (backup.path / "manifest.json").unlink()
    path = backup.path / "main.db"
    path.write_bytes(path.read_bytes()[:-4096])
    assert "main: " in refuse(depot, backup)


async def test_a_backup_of_a_newer_schema_is_refused(depot):
    for database, path in (("main", "main.db"), ("accounts", "own/accounts.db")):
        newer = "INSERT INTO _schema_history VALUES (1999000000, 'newer', 'now', '1')"
        ask(depot / "data" / path, newer)
        backup = await back_up(depot)
        told = refuse(depot, backup)
        assert f"{database}: migration V1999000000__newer is missing" in told
        assert "or by a newer server" in told
        ask(depot / "data" / path, "DELETE FROM _schema_history WHERE version = 1999000000")
    # Unless what it needs comes with it.
    (depot / "migrations/main/U1999000000__newer.sql").write_text("SELECT 1;")
    backup = await back_up(depot)
    (depot / "migrations/main/U1999000000__newer.sql").unlink()
    restore(depot, backup, Scope(config=True))
    assert (depot / "migrations/main/U1999000000__newer.sql").exists()


async def test_another_page_size_is_refused_while_the_database_is_in_use(depot):
    backup = await back_up(depot)
    with closing(apsw.Connection(str(depot / "data" / "tide.db"))) as connection:
        for sql in ("journal_mode = DELETE", "page_size = 8192"):
            connection.execute(f"PRAGMA {sql}")
        connection.execute("VACUUM")
    assert "tide: has another page size" in refuse(depot, backup, online=True)
    restore(depot, backup)
    assert ask(depot / "data" / "tide.db", "PRAGMA page_size") == [(4096,)]


async def test_a_small_disk_is_told_before_anything_happens(depot, monkeypatch):
    backup = await back_up(depot)
    usage = shutil.disk_usage(depot)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(BackupError, match="the disk is full"):
        restore(depot, backup)
    assert is_clean(depot)


class PowerCutError(BaseException):
    """The process is gone."""


def cut_at(monkeypatch, number):
    """Take the power away in front of the database with this number."""
    put, count = module._put_in_place, iter(range(100))

    def put_or_die(*args):
        if next(count) == number:
            raise PowerCutError
        put(*args)

    monkeypatch.setattr(module, "_put_in_place", put_or_die)


@pytest.mark.parametrize("number", range(4))
async def test_a_crash_after_the_decision_is_finished_by_the_next_start(depot, monkeypatch, number):
    backup = await back_up(depot)
    add_boat(depot, "two")
    ask(depot / "data" / "tide.db", "DELETE FROM gauge")
    with monkeypatch.context() as patch:
        cut_at(patch, number)
        with pytest.raises(PowerCutError):
            restore(depot, backup)
    shutil.rmtree(backup.path)  # it is not needed any more
    with pytest.raises(BackupError, match="an earlier restore is not finished"):
        restore(depot, backup)
    assert finish_interrupted(depot) == backup.timestamp
    assert boats(depot) == ["one"]
    assert ask(depot / "data" / "tide.db", "SELECT count(*) FROM gauge") == [(1,)]
    assert is_clean(depot)
    assert finish_interrupted(depot) is None


async def test_a_crash_while_a_broken_database_is_replaced(depot, monkeypatch):
    backup = await back_up(depot)
    (depot / "data" / "main.db").write_bytes(b"x" * 10_000)
    monkeypatch.setattr(module, "finish_plan", lambda _: None)
    restore(depot, backup)
    monkeypatch.undo()
    assert finish_interrupted(depot) == backup.timestamp
    assert boats(depot) == ["one"]


async def test_a_crash_before_the_decision_changes_nothing(depot):
    backup = await back_up(depot)
    add_boat(depot, "two")
    staging = depot / "data" / STAGING
    with restoring(depot):
        Restoration(depot, backup, Scope(), prepare_for).stage(online=False)
        shutil.copytree(staging, depot / "kept")
    shutil.copytree(depot / "kept", staging)
    assert finish_interrupted(depot) is None
    assert boats(depot) == ["one", "two"]
    assert is_clean(depot)
    # Nor does it stand in the way of another attempt.
    shutil.copytree(depot / "kept", staging)
    restore(depot, backup)
    assert boats(depot) == ["one"]


async def test_undoing(depot):
    backup = await back_up(depot)
    add_boat(depot, "two")
    safety = await back_up(depot)
    restoration = Restoration(depot, backup, Scope(), prepare_for)
    with restoring(depot):
        restoration.stage(online=True)
        restoration.decide()
        restoration.apply()
        assert boats(depot) == ["one"]
        restoration.undo(safety)
    assert boats(depot) == ["one", "two"]
    assert is_clean(depot)


async def test_one_restore_at_a_time(depot):
    with restoring(depot):
        with pytest.raises(BackupError, match="another process"), restoring(depot):
            pass
        with pytest.raises(OperatorError, match="another process"):
            finish_interrupted(depot)
    assert finish_interrupted(depot) is None


def test_a_broken_plan_is_told(tmp_path):
    staging = tmp_path / "data" / STAGING
    staging.mkdir(parents=True)
    for content in (b"", b"[]", json.dumps({"timestamp": 5}).encode()):
        (staging / PLAN_FILE).write_bytes(content)
        with pytest.raises(OperatorError, match="is broken"):
            finish_interrupted(tmp_path)
