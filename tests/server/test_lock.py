import os
import subprocess
import sys

import pytest

from trailbase_server.errors import OperatorError
from trailbase_server.server.lock import LOCK_FILE, lock_depot, open_lock


@pytest.mark.case("T-92")
def test_a_second_server_is_turned_away_and_told_who_is_there(tmp_path):
    with lock_depot(tmp_path):
        assert (tmp_path / LOCK_FILE).read_text() == f"{os.getpid()}\n"
        words = f"in use by another server .process {os.getpid()}"
        with pytest.raises(OperatorError, match=words), lock_depot(tmp_path):
            pass
    with lock_depot(tmp_path):
        pass


def test_other_depots_are_other_locks(tmp_path):
    with lock_depot(tmp_path / "a"), lock_depot(tmp_path / "b"):
        pass


def test_the_lock_ends_with_the_process_however_it_ends(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from trailbase_server.server.lock import lock_depot;"
        "lock_depot(Path(sys.argv[1])).__enter__(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], check=False, timeout=20)
    assert done.returncode == -9
    assert (tmp_path / LOCK_FILE).exists()
    with lock_depot(tmp_path):
        pass


def test_a_place_that_is_no_directory_is_refused(tmp_path):
    place = tmp_path / "file"
    place.touch()
    with pytest.raises(OperatorError, match="cannot use the depot") as caught, lock_depot(place):
        pass
    assert str(place) in str(caught.value)


def test_a_file_system_without_locks_is_only_worth_a_warning(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", refuse)
    with lock_depot(tmp_path):
        pass
    assert "Operation not supported" in caplog.text


def test_others_read_who_holds_it_and_what_it_is_doing(tmp_path):
    with lock_depot(tmp_path) as lock:
        other = open_lock(tmp_path)
        assert other.read() == (str(os.getpid()), "")
        lock.mark("draining")
        assert other.read() == (str(os.getpid()), "draining")
        assert not other.acquire()
        other.close()


def test_a_full_disk_takes_no_lock_away(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", refuse)
    with lock_depot(tmp_path), pytest.raises(OperatorError), lock_depot(tmp_path):
        pass
