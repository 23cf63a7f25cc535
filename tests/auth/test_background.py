"""Work beside requests: the pace, the bound, failures, the end."""

import asyncio
import logging
from time import perf_counter

import pytest

from trailbase_server.auth import background
from trailbase_server.auth.background import Background
from trailbase_server.errors import DependencyError, UnavailableError


async def sleep(seconds=0.0, error=None):
    await asyncio.sleep(seconds)
    if error is not None:
        raise error


@pytest.mark.case("T-15")
@pytest.mark.parametrize("seconds", [0, 0.2])
async def test_the_wait_does_not_depend_on_the_work(seconds):
    runner = Background()
    runner.pace_s = 0.05
    started = perf_counter()
    await runner.run(sleep(seconds))
    assert 0.04 < perf_counter() - started < 0.15
    await runner.finish()


@pytest.mark.case("T-87")
async def test_failures_are_logged_and_not_told(caplog):
    runner = Background()
    runner.pace_s = 0
    with caplog.at_level(logging.WARNING):
        await runner.run(sleep(error=DependencyError(detail="the mail server is away")))
        await runner.run(sleep(error=ValueError("a bug")))
        await runner.finish()
    assert "the mail server is away" in caplog.text
    assert "a bug" in caplog.text


async def test_it_is_bounded(monkeypatch):
    monkeypatch.setattr(background, "MAX_RUNNING", 1)
    runner = Background()
    runner.pace_s = 0
    await runner.run(sleep(0.01))
    with pytest.raises(UnavailableError):
        await runner.run(sleep())
    await runner.finish()
    await runner.run(sleep())
    await runner.finish()


async def test_the_end_does_not_wait_for_ever(monkeypatch):
    monkeypatch.setattr(background, "CLOSE_S", 0.01)
    runner = Background()
    runner.pace_s = 0
    await runner.run(sleep(60))
    await runner.finish()
    assert not runner._tasks
