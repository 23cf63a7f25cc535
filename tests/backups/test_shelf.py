import os

import pytest

from trailbase_server.backups.errors import BackupError, BusyShelfError, UnknownBackupError
from trailbase_server.backups.shelf import Shelf, newest_backup


@pytest.fixture
def shelf(tmp_path):
    return Shelf(tmp_path / "deep" / "backups")


def make(shelf, timestamp):
    with shelf.locked():
        path = shelf.begin()
        (path / "main.db").write_bytes(b"x")
        return shelf.publish(path, shelf.free_name(timestamp))


def test_a_shelf_that_is_not_there_is_empty(shelf):
    assert shelf.list() == []
    assert shelf.newest() is None
    assert newest_backup(shelf.directory) is None


def test_backups_are_listed_by_time_and_other_things_are_not(shelf, caplog):
    made = [make(shelf, timestamp).timestamp for timestamp in (20, 100, 3)]
    assert made == [20, 100, 3]
    for name in ("notes", "007", "1e3", "9" * 19, ".hidden"):
        (shelf.directory / name).mkdir()
    (shelf.directory / "5").write_text("a file")
    (shelf.directory / "6").symlink_to(shelf.directory / "20")
    assert [backup.timestamp for backup in shelf.list()] == [3, 20, 100]
    assert shelf.newest().timestamp == newest_backup(shelf.directory) == 100
    assert caplog.text.count("is not a backup") == 6


def test_two_in_one_second_do_not_collide(shelf):
    assert [make(shelf, 7).timestamp for _ in range(3)] == [7, 8, 9]


def test_unfinished_ones_are_no_backups_and_go_with_the_next_run(shelf):
    make(shelf, 1)
    with shelf.locked():
        left = shelf.begin()
        (left / "main.db").write_bytes(b"half")
        assert left.stat().st_mode & 0o777 == 0o700
    assert [backup.timestamp for backup in shelf.list()] == [1]
    with shelf.locked():
        assert not left.exists()
    assert os.listdir(shelf.directory) == ["1"]


def test_backups_that_restores_make_stand_apart_and_are_found(shelf, caplog):
    make(shelf, 7)
    before = make(shelf.before_restore, 7)
    assert before.timestamp == 8
    assert make(shelf, 8).timestamp == 9
    assert [backup.timestamp for backup in shelf.list()] == [7, 9]
    assert shelf.find(8).path == before.path
    with shelf.locked():
        shelf.remove(8)
    assert shelf.before_restore.list() == []
    assert caplog.text == ""


def test_only_one_is_at_it(shelf):
    with shelf.locked(), pytest.raises(BusyShelfError), shelf.locked():
        pass
    with shelf.locked():
        pass


def test_deleting(shelf):
    make(shelf, 1)
    with shelf.locked():
        shelf.remove(1)
        for timestamp in (1, 2, 1 << 80, -5):
            with pytest.raises(UnknownBackupError):
                shelf.remove(timestamp)
    assert os.listdir(shelf.directory) == []


def test_backups_without_manifest_are_taken_as_they_are(shelf):
    backup = make(shelf, 1)
    (backup.path / "link.db").symlink_to("/etc/passwd")
    [database] = backup.databases()
    assert (database.name, database.size, backup.manifest()) == ("main", 1, None)
    (backup.path / "main.db").unlink()
    with pytest.raises(BackupError, match="No DBs found"):
        backup.databases()


def test_a_place_that_is_no_directory_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    shelf = Shelf(tmp_path / "file")
    with pytest.raises(BackupError):
        shelf.list()
    with pytest.raises(BackupError), shelf.locked():
        pass
    assert newest_backup(tmp_path / "file") is None
