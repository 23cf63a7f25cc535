"""The database of jobs, a clock that stands still, and a scheduler that is asked by hand."""

from contextlib import closing

import pytest

from trailbase_server.clock import FrozenClock
from trailbase_server.jobs.history import JobHistory
from trailbase_server.jobs.locks import JobLocks
from trailbase_server.jobs.scheduler import Scheduler
from trailbase_server.migrations.embedded import system_migrations
from trailbase_server.migrations.runner import migrate
from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.open import DatabaseFiles, open_connection

START = 1_800_000_000  # 08:00 UTC


@pytest.fixture
def clock():
    return FrozenClock(START)


@pytest.fixture
async def database(tmp_path):
    files = DatabaseFiles(tmp_path / "jobs.db", synchronous="NORMAL")
    with closing(open_connection(files, "migrator")) as connection:
        migrate(connection, list(system_migrations("jobs")), "jobs")
    opened = SqliteDatabase(files, 1)
    yield opened
    await opened.close()


@pytest.fixture
def history(database):
    return JobHistory(database)


@pytest.fixture
async def scheduler(history, tmp_path, clock):
    made = Scheduler(history, JobLocks(tmp_path), clock)
    yield made
    await made.stop()
