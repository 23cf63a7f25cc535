"""What is remembered of jobs: the last run, the last good one, how far they have come."""

from trailbase_server.jobs.history import KEEP_RUNS, Memory
from trailbase_server.jobs.job import Run


async def test_the_last_run_of_each_job_is_read(history):
    assert await history.read_latest() == {}
    await history.add(1, "Tide", Run(10.5, 7))
    await history.add(1, "Tide", Run(20.0, 8, "no water", by_hand=True))
    await history.add(2, "Wind", Run(15.0, 9))
    assert await history.read_latest() == {
        (1, "Tide"): Run(20.0, 8, "no water", by_hand=True),
        (2, "Wind"): Run(15.0, 9),
    }


async def test_old_runs_are_forgotten_job_by_job(history, database):
    await history.add(2, "Wind", Run(0.0, 1))
    for number in range(KEEP_RUNS + 5):
        await history.add(1, "Tide", Run(float(number), 1))
    assert database.read("SELECT job, count(*), min(started) FROM run GROUP BY job") == [
        (1, KEEP_RUNS, 5.0),
        (2, 1, 0.0),
    ]


async def test_how_far_jobs_have_come_is_replaced(history):
    await history.save(
        [Memory(1, "Tide", "@daily", 10.0, 2, None), Memory(2, "W", None, 1.0, 0, 3)]
    )
    await history.save([Memory(1, "Tide", "@hourly", 20.0, 3, 15.0)])
    assert await history.read_jobs() == {
        1: Memory(1, "Tide", "@hourly", 20.0, 3, 15.0),
        2: Memory(2, "W", None, 1.0, 0, 3.0),
    }


async def test_a_good_run_of_a_command_is_not_overwritten_by_a_server_that_does_not_know(history):
    await history.save([Memory(1, "Tide", "@daily", 10.0, 0, 5.0)])
    await history.add(1, "Tide", Run(30.0, 1))
    await history.add(1, "Tide", Run(40.0, 1, "no water"))
    await history.save([Memory(1, "Tide", "@daily", 50.0, 0, 5.0)])
    assert (await history.read_jobs())[1].succeeded == 30.0
    await history.save([Memory(1, "Another", "@daily", 50.0, 0, None)])
    assert (await history.read_jobs())[1].succeeded is None
