"""Real statements on a real connection; what they wait for is a function of the test."""

import threading
import time

import apsw
import pytest

from tests.write_jobs import ENDLESS
from trailbase_server.sqlite.budget import GRACE_S, STEPS_PER_CHECK, Budget

LIMIT_S = 0.002
WAITS = ENDLESS.replace("COUNT(*)", "SUM(pause(0.001))")


@pytest.fixture
def budget():
    return Budget(LIMIT_S)


@pytest.fixture
def run(budget):
    connection = apsw.Connection(":memory:")
    connection.set_progress_handler(budget.is_over, STEPS_PER_CHECK)
    connection.create_scalar_function("pause", lambda s: time.sleep(s) or 0)

    def run(sql):
        budget.started = time.perf_counter()
        return connection.execute(sql).fetchall()

    yield run
    connection.close()


def test_who_keeps_the_processor_is_stopped(run):
    begun = time.thread_time()
    with pytest.raises(apsw.InterruptError):
        run(ENDLESS.format(10**9))
    assert time.thread_time() - begun < 100 * LIMIT_S


def test_who_was_kept_from_the_processor_goes_on(run):
    assert run(f"SELECT pause(0.05); {ENDLESS.format(100)}") == [(0,), (100,)]


def test_who_waits_again_and_again_is_stopped_too(run):
    begun = time.perf_counter()
    with pytest.raises(apsw.InterruptError):
        run(WAITS.format(10_000))
    assert time.perf_counter() - begun < 100 * GRACE_S


def test_each_statement_has_time_again(run):
    for _ in range(3):
        assert run(f"SELECT pause(0.005); {ENDLESS.format(100)}") == [(0,), (100,)]
        with pytest.raises(apsw.InterruptError):
            run(ENDLESS.format(10**9))


def test_another_threads_work_is_not_ours(run):
    """Which is what an access log on the same processor is."""
    is_over = threading.Event()

    def work():
        while not is_over.is_set():
            sum(range(1000))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        for _ in range(20):
            assert run(ENDLESS.format(150)) == [(150,)]
    finally:
        is_over.set()
        thread.join()


def test_where_nothing_is_running_nothing_is_over(budget):
    assert not budget.is_over()
