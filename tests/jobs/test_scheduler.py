"""When jobs run. The clock stands still unless told; nobody sleeps."""

import asyncio

import pytest

from trailbase_server.clock import Clock
from trailbase_server.config.schedule import parse_schedule
from trailbase_server.db.errors import BusyError
from trailbase_server.jobs import scheduler as module
from trailbase_server.jobs.job import Job, Run, UnknownJobError
from trailbase_server.jobs.locks import JobLocks
from trailbase_server.jobs.scheduler import LATE_S, MAX_SLEEP_S, Scheduler

START = 1_800_000_000  # where the clock stands: 08:00 UTC
HOUR = 3600


class Work:
    """Counts its runs; goes on until let go, if told so."""

    def __init__(self, *, waits=False):
        self.runs = 0
        self.free = asyncio.Event()
        if not waits:
            self.free.set()

    async def __call__(self):
        self.runs += 1
        await self.free.wait()


def hourly(work, **values):
    return Job("Tide", parse_schedule("@hourly"), work, **values)


def status(scheduler, job_id=1):
    (found,) = [one for one in scheduler.statistics if one.id == job_id]
    return found


async def settle(scheduler):
    """Let runs that wait for nothing end."""
    for _ in range(1000):
        if not any(one.running for one in scheduler.statistics):
            return
        await asyncio.sleep(0.001)


async def test_nothing_runs_before_its_moment(scheduler, clock):
    work = Work()
    scheduler.add(hourly(work, id=1))
    assert status(scheduler).next == START + HOUR
    assert scheduler.tick() == MAX_SLEEP_S
    clock.advance(HOUR - 10)
    assert scheduler.tick() == 10
    await settle(scheduler)
    assert work.runs == 0
    clock.advance(10)
    scheduler.tick()
    scheduler.tick()
    await settle(scheduler)
    assert work.runs == 1
    found = status(scheduler)
    assert found.next == START + 2 * HOUR
    assert found.latest == Run(START + HOUR, 0)
    assert (found.runs, found.failures, found.missed) == (1, 0, 0)
    assert found.last_success == START + HOUR


async def test_a_disabled_job_runs_by_hand_only(scheduler, clock):
    work = Work()
    scheduler.add(hourly(work, id=1, enabled=False))
    assert status(scheduler).next is None
    clock.advance(10 * HOUR)
    assert scheduler.tick() == MAX_SLEEP_S
    await settle(scheduler)
    assert work.runs == 0
    run = await scheduler.run(1)
    assert run == Run(START + 10 * HOUR, 0, None, by_hand=True)
    assert status(scheduler).latest == run


@pytest.mark.case("T-97")
async def test_a_job_never_overlaps_itself(scheduler, clock, caplog):
    work = Work(waits=True)
    scheduler.add(hourly(work, id=1))
    for _ in range(3):
        clock.advance(HOUR)
        scheduler.tick()
        await asyncio.sleep(0)
    assert work.runs == 1
    assert status(scheduler).running
    assert status(scheduler).missed == 2
    assert "missed its moment: the run before still goes on" in caplog.text
    work.free.set()
    await settle(scheduler)
    clock.advance(HOUR)
    scheduler.tick()
    await settle(scheduler)
    assert work.runs == 2


async def test_who_asks_for_a_run_that_is_under_way_gets_its_result(scheduler, clock):
    work = Work(waits=True)
    scheduler.add(hourly(work, id=1))
    clock.advance(HOUR)
    scheduler.tick()
    both = [asyncio.create_task(scheduler.run(1)) for _ in range(2)]
    await asyncio.sleep(0.01)
    work.free.set()
    assert await asyncio.gather(*both) == [Run(START + HOUR, 0)] * 2
    assert work.runs == 1


async def test_a_run_goes_on_when_whoever_asked_for_it_has_gone(scheduler):
    work = Work(waits=True)
    scheduler.add(hourly(work, id=1))
    asking = asyncio.create_task(scheduler.run(1))
    await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert status(scheduler).running
    work.free.set()
    await settle(scheduler)
    assert status(scheduler).latest.error is None


async def test_moments_that_nobody_saw_are_counted_and_not_caught_up(scheduler, clock, caplog):
    work = Work()
    scheduler.add(hourly(work, id=1))
    clock.advance(5 * HOUR + LATE_S + 1)
    scheduler.tick()
    await settle(scheduler)
    assert work.runs == 0
    assert status(scheduler).missed == 5
    assert status(scheduler).next == START + 6 * HOUR
    assert "nobody looked at the clock in time" in caplog.text


async def test_a_run_that_is_a_little_late_still_runs(scheduler, clock):
    work = Work()
    scheduler.add(hourly(work, id=1))
    clock.advance(HOUR + LATE_S)
    scheduler.tick()
    await settle(scheduler)
    assert work.runs == 1
    assert status(scheduler).missed == 0


async def test_a_clock_that_is_set_back_does_not_stop_the_jobs(scheduler, clock):
    work = Work()
    scheduler.add(hourly(work, id=1))
    scheduler.tick()
    clock.advance(-24 * HOUR)
    scheduler.tick()
    assert status(scheduler).next == START - 23 * HOUR


async def test_failures_are_reported_and_the_next_run_comes(scheduler, clock, caplog):
    async def bug():
        raise KeyError("tide")

    async def refused():
        raise BusyError(detail="somebody else has the lock")

    scheduler.add(Job("Bug", parse_schedule("@hourly"), bug, id=1))
    scheduler.add(Job("Busy", parse_schedule("@hourly"), refused, id=2))
    assert (await scheduler.run(1)).error == "KeyError: 'tide'"
    assert (await scheduler.run(2)).error == "somebody else has the lock"
    assert "Traceback" in caplog.text
    for job_id in (1, 2):
        found = status(scheduler, job_id)
        assert (found.runs, found.failures, found.last_success) == (1, 1, None)
        assert found.next == START + HOUR


async def test_an_error_is_kept_within_bounds(scheduler):
    async def talkative():
        raise ValueError("x" * 1_000_000)

    scheduler.add(hourly(talkative, id=1))
    assert len((await scheduler.run(1)).error) == module.MAX_ERROR_CHARS


async def test_a_run_that_takes_too_long_is_ended(scheduler):
    scheduler.add(hourly(Work(waits=True), id=1, timeout_s=0.01))
    assert (await scheduler.run(1)).error == "took longer than 0.01 seconds"


async def test_a_time_out_of_the_work_itself_is_not_ours(scheduler):
    async def impatient():
        raise TimeoutError("the disk")

    scheduler.add(hourly(impatient, id=1))
    assert (await scheduler.run(1)).error == "TimeoutError: the disk"


async def test_a_change_of_the_schedule_keeps_run_and_history(scheduler, clock):
    work = Work()
    scheduler.add(hourly(work, id=1))
    await scheduler.run(1)
    work.free.clear()
    clock.advance(HOUR)
    scheduler.tick()
    await asyncio.sleep(0)
    scheduler.plan(1, parse_schedule("@daily"), enabled=True)
    found = status(scheduler)
    assert found.running
    assert (found.schedule, found.latest.started) == ("@daily", START)
    assert found.next % (24 * HOUR) == 0
    scheduler.plan(1, parse_schedule("@daily"), enabled=False)
    assert status(scheduler).next is None
    work.free.set()
    await settle(scheduler)
    assert status(scheduler).runs == 2


async def test_planning_what_is_planned_changes_nothing(scheduler, clock):
    scheduler.add(hourly(Work(), id=1))
    clock.advance(HOUR + 1)
    scheduler.plan(1, parse_schedule("@hourly"), enabled=True)
    assert status(scheduler).next == START + HOUR


async def test_jobs_of_others_get_ids_of_their_own(scheduler):
    every, work = parse_schedule("@hourly"), Work()
    assert scheduler.add(Job("System", every, work, id=3)) == 3
    assert scheduler.add(Job("Mine", every, work)) == 1024
    assert scheduler.add(Job("Yours", every, work)) == 1025
    with pytest.raises(ValueError, match="already"):
        scheduler.add(Job("Mine", every, work))
    with pytest.raises(ValueError, match="already"):
        scheduler.add(Job("Another", every, work, id=3))
    scheduler.remove(1024)
    assert [one.name for one in scheduler.statistics] == ["System", "Yours"]


async def test_there_is_an_end_to_the_number_of_jobs(scheduler, monkeypatch):
    monkeypatch.setattr(module, "MAX_JOBS", 1)
    scheduler.add(hourly(Work()))
    with pytest.raises(ValueError, match="more than 1 jobs"):
        scheduler.add(Job("One more", parse_schedule("@hourly"), Work()))


async def test_an_unknown_job_is_refused(scheduler):
    with pytest.raises(UnknownJobError):
        await scheduler.run(1)
    with pytest.raises(UnknownJobError):
        scheduler.plan(1, parse_schedule("@hourly"), enabled=True)


@pytest.mark.case("T-97")
async def test_another_process_that_runs_the_job_is_not_joined(scheduler, clock, tmp_path, caplog):
    work = Work()
    scheduler.add(hourly(work, id=1))
    with JobLocks(tmp_path).hold(1):
        assert (await scheduler.run(1)).error == "another process is running this job"
        assert status(scheduler).missed == 0
        clock.advance(HOUR)
        scheduler.tick()
        await settle(scheduler)
    assert status(scheduler).missed == 1
    assert work.runs == status(scheduler).runs == 0


async def restarted(scheduler, history, tmp_path, clock, **values):
    await scheduler.stop()
    after = Scheduler(history, JobLocks(tmp_path), clock)
    after.add(hourly(Work(), id=1, **values))
    await after.start()
    await after.stop()
    return status(after)


async def test_a_restart_forgets_neither_runs_nor_what_was_missed(
    scheduler, history, tmp_path, clock, caplog
):
    caplog.set_level("INFO")
    scheduler.add(hourly(Work(), id=1))
    await scheduler.start()
    run = await scheduler.run(1)
    await scheduler.stop()
    clock.advance(3 * HOUR + 5)
    found = await restarted(scheduler, history, tmp_path, clock)
    assert found.latest == run
    assert (found.missed, found.last_success) == (3, START)
    assert "Runs missed while no server ran: Tide (3)" in caplog.text
    found = await restarted(scheduler, history, tmp_path, clock)
    assert found.missed == 3, "nothing is counted twice"


async def test_what_was_disabled_or_is_planned_anew_has_missed_nothing(
    scheduler, history, tmp_path, clock
):
    scheduler.add(hourly(Work(), id=1, enabled=False))
    await scheduler.start()
    await scheduler.stop()
    clock.advance(3 * HOUR)
    assert (await restarted(scheduler, history, tmp_path, clock)).missed == 0


async def test_runs_of_commands_beside_the_server_are_taken_over(scheduler, history):
    scheduler.add(hourly(Work(), id=1))
    await history.add(1, "Tide", Run(START + 5.0, 3))
    await history.add(2, "Unknown", Run(START + 5.0, 3))
    await scheduler.recall()
    assert status(scheduler).latest == Run(START + 5.0, 3)
    await history.add(1, "Tide", Run(START - 5.0, 3))
    await scheduler.recall()
    assert status(scheduler).latest == Run(START + 5.0, 3), "the later one counts"


async def test_what_runs_every_minute_is_not_written_down(scheduler, history):
    scheduler.add(hourly(Work(), id=1, is_remembered=False))
    await scheduler.run(1)
    assert await history.read_latest() == {}
    assert status(scheduler).latest is not None


async def test_jobs_run_though_nothing_can_be_written_down(scheduler, database, caplog):
    work = Work()
    scheduler.add(hourly(work, id=1))
    await database.close()
    await scheduler.start()
    assert (await scheduler.run(1)).error is None
    assert "not written down" in caplog.text
    assert "not known" in caplog.text


async def test_the_end_does_not_wait_for_a_run_that_hangs(scheduler, history, monkeypatch):
    monkeypatch.setattr(module, "STOP_S", 0.01)
    scheduler.add(hourly(Work(waits=True), id=1))
    await scheduler.start()
    asking = asyncio.create_task(scheduler.run(1))
    await asyncio.sleep(0.01)
    await scheduler.stop()
    assert (await asking).error == "interrupted: the server stopped"
    assert (await history.read_latest())[1, "Tide"].error == "interrupted: the server stopped"
    await scheduler.stop()


async def test_by_itself_with_a_real_clock(history, tmp_path):
    scheduler = Scheduler(history, JobLocks(tmp_path), Clock())
    await scheduler.start()
    ran = asyncio.Event()

    async def work():
        ran.set()

    await asyncio.sleep(0.05)
    # Added while the scheduler sleeps: it has to be woken.
    scheduler.add(Job("Second", parse_schedule("* * * * * *"), work))
    await asyncio.wait_for(ran.wait(), 3)
    await scheduler.stop()
