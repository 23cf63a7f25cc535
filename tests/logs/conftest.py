"""A migrated ``logs.db`` with a reader and a writer."""

import pytest

from tests.sqlite.maxmind import write_database
from trailbase_server.migrations.embedded import system_migrations
from trailbase_server.migrations.runner import migrate
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.geoip import open_geoip
from trailbase_server.sqlite.open import DatabaseFiles, open_connection

NOW = 1_800_000_000.0
SWEDISH, ELSEWHERE = "89.160.20.7", "192.0.2.7"


class Log:
    """The database, to be filled and read."""

    def __init__(self, directory, geoip):
        self.geoip = geoip

        def prepare(connection):
            register_functions(connection, None, geoip)

        self.files = DatabaseFiles(directory / "logs.db", prepare=prepare)
        self.connection = open_connection(self.files, "migrator")
        migrate(self.connection, system_migrations("logs"), "logs")

    def add(self, url="/", created=NOW, **values):
        row = {"url": url, "created": created, "method": "GET", "status": 200, **values}
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        self.connection.execute(
            f"INSERT INTO _logs ({names}) VALUES ({marks})", tuple(row.values())
        )

    def read(self, sql, params=()):
        return self.connection.execute(sql, tuple(params)).fetchall()


@pytest.fixture
def places(tmp_path):
    """Make a database of addresses of some kind."""
    opened = []

    def make(kind):
        record = {"country": {"iso_code": "SE"}, "city": {"names": {"en": "Linköping"}}}
        path = write_database(tmp_path / f"{kind}.mmdb", kind, {"89.160.20.0/24": record})
        opened.append(open_geoip(path))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def open_log(tmp_path):
    logs = []

    def make(geoip=None):
        logs.append(Log(tmp_path, geoip))
        return logs[-1]

    yield make
    for log in logs:
        log.connection.close()


@pytest.fixture
def log(open_log):
    return open_log()
