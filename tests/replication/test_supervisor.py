"""A child that is kept running: small shell scripts stand for what Litestream may do."""

import asyncio
import os
import time

import pytest

from trailbase_server.errors import OperatorError
from trailbase_server.replication import supervisor as module
from trailbase_server.replication.lines import LogLines
from trailbase_server.replication.supervisor import Supervisor


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(module, "LONGEST_PAUSE_S", 0.1)
    monkeypatch.setattr(module, "LOCK_STEP_S", 0.02)


@pytest.fixture
async def supervise(tmp_path, quick):
    made = []

    def make(script, lock="lock"):
        lines = LogLines()

        def prepare():
            if isinstance(script, Exception):
                raise script
            return ["/bin/sh", "-c", script]

        one = Supervisor(prepare, {"PATH": os.environ["PATH"]}, tmp_path / lock, lines)
        one.lines = lines
        made.append(one)
        one.start()
        return one

    yield make
    for one in made:
        await one.stop()


async def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


async def test_it_runs_until_it_is_told_to_stop_and_may_finish(supervise, tmp_path):
    script = (
        f"trap 'sleep 0.2; touch {tmp_path}/shipped; exit 0' TERM; while :; do sleep 0.02; done"
    )
    one = supervise(script)
    await until(lambda: one.is_running)
    assert (one.problem, one.down_since) == ("", None)
    assert await one.stop()
    assert (tmp_path / "shipped").exists()
    assert not one.is_running
    assert one.restarts == 0
    assert await one.stop(), "once more does nothing"


async def test_one_that_ends_is_started_again_and_its_last_words_are_told(supervise):
    one = supervise("echo 'Error: no such bucket' >&2; exit 3")
    await until(lambda: one.restarts > 2)
    assert one.problem == "Litestream ended with status 3: Error: no such bucket"
    assert one.down_since is not None


async def test_one_that_cannot_be_started_is_tried_again(supervise):
    one = supervise(OperatorError("litestream is not installed"))
    await until(lambda: one.restarts > 1)
    assert one.problem == "litestream is not installed"


async def test_two_never_run_at_once_whoever_started_them(supervise, tmp_path):
    one = supervise("exec sleep 60")
    await until(lambda: one.is_running)
    two = supervise("exec sleep 60")
    await until(lambda: "another Litestream" in two.problem)
    await asyncio.sleep(0.1)
    assert not two.is_running
    await one.stop()
    await until(lambda: two.is_running)


async def test_one_that_does_not_end_is_killed(supervise, monkeypatch):
    monkeypatch.setattr(module, "STOP_S", 0.3)
    one = supervise("trap '' TERM; while :; do sleep 0.05; done")
    await until(lambda: one.is_running)
    await asyncio.sleep(0.2)
    assert not await one.stop()
    assert not one.is_running


async def test_a_stop_while_it_pauses_or_waits_is_quick(supervise, monkeypatch):
    monkeypatch.setattr(module, "FIRST_PAUSE_S", 60.0)
    one = supervise("exit 1")
    await until(lambda: one.restarts == 1)
    began = time.monotonic()
    assert await one.stop()
    assert time.monotonic() - began < 5


async def test_lines_without_end_are_cut(supervise):
    one = supervise("head -c 300000 /dev/zero | tr '\\0' x; echo; echo 'last words'; exit 1")
    await until(lambda: one.restarts == 1)
    assert one.lines.last_problem == "last words"


async def test_a_new_configuration_is_no_failure(supervise, tmp_path):
    one = supervise(f"echo run >> {tmp_path}/runs; exec sleep 60")
    one.renew()
    await until((tmp_path / "runs").exists)
    one.renew()
    await until(lambda: (tmp_path / "runs").read_text() == "run\nrun\n")
    assert one.restarts == 0


async def test_one_that_others_tell_to_stop_comes_back_and_has_not_failed(supervise, tmp_path):
    one = supervise(
        f"echo run >> {tmp_path}/runs; trap 'exit 0' TERM; while :; do sleep 0.02; done"
    )
    await until((tmp_path / "runs").exists)
    first = one.pid
    await asyncio.sleep(0.1)
    os.kill(first, 15)
    await until(lambda: one.pid not in (None, first))
    assert one.restarts == 0


async def test_a_directory_that_is_gone_is_a_failure_and_may_come_back(supervise, tmp_path):
    one = supervise("exec sleep 60", lock="gone/lock")
    await until(lambda: one.restarts > 1)
    assert "No such file" in one.problem
    (tmp_path / "gone").mkdir()
    await until(lambda: one.is_running)
