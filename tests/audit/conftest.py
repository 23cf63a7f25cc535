"""The database of the audit log, and a log whose clock stands still."""

from contextlib import closing
from functools import partial

import pytest

from trailbase_server.audit.log import AuditLog
from trailbase_server.clock import FrozenClock
from trailbase_server.migrations.embedded import system_migrations
from trailbase_server.migrations.runner import migrate
from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.open import DatabaseFiles, open_connection


@pytest.fixture
def clock():
    return FrozenClock(1_700_000_000)  # long ago: the table lets old entries go


@pytest.fixture
async def database(tmp_path):
    prepare = partial(register_functions, registry=None, geoip=None)
    files = DatabaseFiles(tmp_path / "audit.db", prepare=prepare)
    with closing(open_connection(files, "migrator")) as connection:
        migrate(connection, list(system_migrations("audit")), "audit")
    opened = SqliteDatabase(files, 1)
    yield opened
    await opened.close()


@pytest.fixture
def audit(database, clock):
    return AuditLog(database, clock)
