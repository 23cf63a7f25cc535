import os
import stat

import pytest

from trailbase_server.config.files import (
    OWNER_ONLY,
    StagedFile,
    make_private_directory,
    replace_file,
)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o640)
    replace_file(path, b"new")
    assert path.read_text() == "new"
    assert mode(path) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_what_the_umask_leaves_or_what_was_asked_for(tmp_path):
    before = os.umask(0o027)
    try:
        replace_file(tmp_path / "a", b"")
        replace_file(tmp_path / "b", b"", OWNER_ONLY)
    finally:
        os.umask(before)
    assert (mode(tmp_path / "a"), mode(tmp_path / "b")) == (0o640, 0o600)


def test_a_symbolic_link_stays_one(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_text("old")
    link = tmp_path / "a"
    link.symlink_to("real/a")
    replace_file(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "real" / "a").read_text() == "new"


def test_what_is_not_published_leaves_nothing(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    with StagedFile(path, b"new"):
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "old"


def test_a_failure_leaves_nothing(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="a"):
        replace_file(tmp_path / "a", b"new")
    with pytest.raises(OSError, match="nowhere"):
        replace_file(tmp_path / "nowhere" / "a", b"new")
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_a_private_directory_is_made_or_closed(tmp_path):
    path = tmp_path / "a" / "b"
    make_private_directory(path)
    assert mode(path) == 0o700
    path.chmod(0o755)
    make_private_directory(path)
    assert mode(path) == 0o700
    path.chmod(0o500)
    make_private_directory(path)
    assert mode(path) == 0o500
