"""Locks of jobs: one holder at a time, none at all where the disk refuses."""

import stat
import subprocess
import sys

from trailbase_server.jobs.locks import JobLocks


def test_a_lock_has_one_holder(tmp_path):
    first, second = JobLocks(tmp_path), JobLocks(tmp_path)
    with first.hold(1) as mine:
        assert mine
        with second.hold(1) as theirs, second.hold(2) as other:
            assert not theirs
            assert other
    with second.hold(1) as free:
        assert free
    assert stat.S_IMODE((tmp_path / ".job-1.lock").stat().st_mode) == 0o600


def test_another_process_counts_and_its_end_frees_the_lock(tmp_path):
    script = (
        "import sys, pathlib\n"
        "from trailbase_server.jobs.locks import JobLocks\n"
        "with JobLocks(pathlib.Path(sys.argv[1])).hold(1):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        with JobLocks(tmp_path).hold(1) as mine:
            assert not mine
        other.kill()
        other.wait()
        with JobLocks(tmp_path).hold(1) as mine:
            assert mine


def test_a_job_runs_even_where_no_lock_can_be_made(tmp_path, caplog):
    with JobLocks(tmp_path / "missing").hold(1) as mine:
        assert mine
    assert "without a lock" in caplog.text
