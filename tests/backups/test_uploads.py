import errno
import os

import pytest

from tests.backups.conftest import KEYS
from trailbase_server.backups.errors import StoppedError
from trailbase_server.backups.uploads import list_objects, size_of, take_objects


@pytest.fixture
def source(tmp_path):
    directory = tmp_path / "uploads"
    (directory / ".incoming").mkdir(parents=True)
    for key in KEYS[:2]:
        (directory / key).write_text(key)
    (directory / "notes.txt").write_text("not ours")
    return directory


@pytest.mark.parametrize("failure", [None, errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_objects_are_linked_or_copied_once(source, tmp_path, monkeypatch, failure):
    if failure is not None:

        def refuse(*_args, **_options):
            raise OSError(failure, os.strerror(failure))

        monkeypatch.setattr(os, "link", refuse)
    target, taken = tmp_path / "backup" / "uploads", set()
    take_objects(source, target, taken, lambda: None)
    assert taken == set(KEYS[:2]) == set(os.listdir(target))
    assert [(target / key).read_text() for key in KEYS[:2]] == KEYS[:2]
    linked = (source / KEYS[0]).stat().st_ino == (target / KEYS[0]).stat().st_ino
    assert linked is (failure is None)
    (source / KEYS[2]).write_text("later")
    (source / KEYS[0]).unlink()
    take_objects(source, target, taken, lambda: None)
    assert sorted(list_objects(target)) == KEYS[:3]
    assert size_of(target, taken) == 36 + 36 + 5
    # Once more over what is there.
    take_objects(source, target, set(), lambda: None)


def test_what_disappears_meanwhile_is_left_out(source, tmp_path):
    def delete():
        (source / KEYS[0]).unlink(missing_ok=True)
        (source / KEYS[1]).unlink(missing_ok=True)

    taken = set()
    take_objects(source, tmp_path / "to", taken, delete)
    assert taken == set()


def test_it_can_be_stopped(source, tmp_path):
    def stop():
        raise StoppedError

    with pytest.raises(StoppedError):
        take_objects(source, tmp_path / "to", set(), stop)


def test_a_missing_directory_is_an_empty_one(tmp_path):
    take_objects(tmp_path / "nowhere", tmp_path / "to", set(), lambda: None)
    assert list_objects(tmp_path / "nowhere") == []


def test_a_full_disk_is_no_reason_to_copy(source, tmp_path, monkeypatch):
    def refuse(*_args, **_options):
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(OSError, match="full"):
        take_objects(source, tmp_path / "to", set(), lambda: None)
