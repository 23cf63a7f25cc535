import io
import logging
import os
import stat

import pytest

from trailbase_server.errors import OperatorError
from trailbase_server.server.depot import (
    METADATA_FILE,
    prepare_depot,
    read_last_version,
    remember_version,
)

DIRECTORIES = {
    *("backups", "data", "migrations", "migrations/main", "uploads", "wasm"),
    *("secrets", "secrets/keys"),
}


@pytest.fixture
def depot(tmp_path):
    return tmp_path / "deep" / "depot"


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def forbid(monkeypatch, number, *names):
    """Let the file system refuse to make these names."""

    def wrap(real):
        def call(path, *args, **kwargs):
            if os.path.basename(os.fspath(path)) in names:
                raise OSError(number, os.strerror(number), os.fspath(path))
            return real(path, *args, **kwargs)

        return call

    monkeypatch.setattr(os, "mkdir", wrap(os.mkdir))
    monkeypatch.setattr(io, "open", wrap(io.open))


def test_an_empty_place_becomes_a_depot(depot, caplog):
    caplog.set_level(logging.INFO)
    prepare_depot(depot)
    made = {str(path.relative_to(depot)) for path in depot.rglob("*")}
    assert made == {*DIRECTORIES, ".gitignore"}
    assert mode(depot / "secrets") == mode(depot / "secrets/keys") == 0o700
    assert caplog.messages == [f'Initialized or repaired depot: "{depot}"']
    lines = (depot / ".gitignore").read_text().splitlines()
    for name in (
        "backups/",
        "data/",
        "secrets/",
        "uploads/",
        "wasm/",
        "metadata.textproto",
        "*.mmdb",
    ):
        assert name in lines


def test_a_second_time_nothing_is_touched(depot, caplog):
    caplog.set_level(logging.INFO)
    prepare_depot(depot)
    (depot / ".gitignore").write_text("mine")
    caplog.clear()
    prepare_depot(depot)
    assert (depot / ".gitignore").read_text() == "mine"
    assert caplog.messages == []


def test_a_missing_part_is_repaired(depot, caplog):
    caplog.set_level(logging.INFO)
    prepare_depot(depot)
    (depot / ".gitignore").unlink()
    (depot / "wasm").rmdir()
    caplog.clear()
    prepare_depot(depot)
    assert (depot / ".gitignore").exists()
    assert (depot / "wasm").is_dir()
    assert "Initialized or repaired" in caplog.text


@pytest.mark.case("T-94")
def test_secrets_that_were_open_are_closed(depot):
    prepare_depot(depot)
    (depot / "secrets").chmod(0o755)
    prepare_depot(depot)
    assert mode(depot / "secrets") == 0o700


def test_secrets_that_cannot_be_closed_are_worth_a_warning(depot, monkeypatch, caplog):
    prepare_depot(depot)
    (depot / "secrets").chmod(0o755)

    def refuse(*_, **__):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "chmod", refuse)
    prepare_depot(depot)
    assert "secrets" in caplog.text
    assert "is open to others" in caplog.text


def test_a_file_in_its_place_is_refused(depot):
    depot.parent.mkdir()
    depot.write_text("hello")
    with pytest.raises(OperatorError, match="is not a directory") as caught:
        prepare_depot(depot)
    assert str(depot) in str(caught.value)
    assert depot.read_text() == "hello"


def test_a_file_in_place_of_a_part_is_refused(depot):
    depot.mkdir(parents=True)
    (depot / "uploads").touch()
    with pytest.raises(OperatorError, match=r'cannot make ".*/uploads": File exists'):
        prepare_depot(depot)


@pytest.mark.parametrize("name", ["data", "uploads", "secrets"])
def test_what_is_needed_must_be_made(depot, monkeypatch, name):
    depot.mkdir(parents=True)
    forbid(monkeypatch, 30, name)
    with pytest.raises(OperatorError, match=f'cannot make ".*/{name}": Read-only file system'):
        prepare_depot(depot)


def test_data_must_be_writable(depot, monkeypatch):
    prepare_depot(depot)
    monkeypatch.setattr(os, "access", lambda path, _: path.name != "data")
    with pytest.raises(OperatorError, match='data" must be writable'):
        prepare_depot(depot)


def test_a_read_only_root_does_without_the_rest(depot, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    prepare_depot(depot)
    (depot / ".gitignore").unlink()
    (depot / "wasm").rmdir()
    (depot / "backups").rmdir()
    forbid(monkeypatch, 30, "wasm", "backups", ".gitignore")
    caplog.clear()
    prepare_depot(depot)
    assert not (depot / "wasm").exists()
    assert caplog.text.count("Read-only file system") == 3


def test_the_version_is_remembered_and_its_change_told(depot, caplog):
    prepare_depot(depot)
    assert read_last_version(depot) is None
    remember_version(depot, "v1")
    assert (depot / METADATA_FILE).read_text().rstrip() == (
        '# Auto-generated metadata.Metadata textproto\nlast_executed_version: "v1"'
    )
    assert caplog.messages == []
    before = (depot / METADATA_FILE).stat().st_mtime_ns
    remember_version(depot, "v1")
    assert (depot / METADATA_FILE).stat().st_mtime_ns == before
    remember_version(depot, "v2")
    assert read_last_version(depot) == "v2"
    assert "version v1, now by v2" in caplog.text


def test_a_version_that_cannot_be_written_is_no_failure(depot, monkeypatch):
    prepare_depot(depot)
    remember_version(depot, "v1")

    def refuse(*_):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("trailbase_server.server.depot.replace_file", refuse)
    remember_version(depot, "v2")
    assert read_last_version(depot) == "v1"


@pytest.mark.parametrize("content", [b"last_executed_version: 3", b"no_such: 1", b"\xff"])
def test_broken_metadata_stops_a_start(depot, content):
    prepare_depot(depot)
    (depot / METADATA_FILE).write_bytes(content)
    with pytest.raises(OperatorError, match=r"metadata\.textproto"):
        prepare_depot(depot)
    assert (depot / METADATA_FILE).read_bytes() == content


def test_metadata_without_a_version_is_fine(depot):
    prepare_depot(depot)
    (depot / METADATA_FILE).write_text("# nothing\n")
    assert read_last_version(depot) is None
