import sqlite3

import pytest

from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.errors import OperatorError
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.server.databases import DepotDatabases
from trailbase_server.server.depot import prepare_depot, remember_version
from trailbase_server.sqlite.open import open_connection

CONFIG = Config(databases=[{"name": "tide"}])
TABLE = "CREATE TABLE {} (id INTEGER PRIMARY KEY) STRICT;"


@pytest.fixture
def depot(tmp_path):
    prepare_depot(tmp_path)
    return tmp_path


@pytest.fixture
def databases(depot):
    return DepotDatabases(depot, SchemaRegistry(), None, "NORMAL")


def write(depot, path, text):
    target = depot / "migrations" / path
    target.parent.mkdir(exist_ok=True)
    target.write_text(text)
    return target


def tables(path):
    connection = sqlite3.connect(path)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    finally:
        connection.close()


def test_each_file_gets_its_tables(depot, databases):
    write(depot, "main/U1790000000__a.sql", TABLE.format("boat"))
    write(depot, "tide/U1790000000__a.sql", TABLE.format("gauge"))
    write(depot, "other/U1790000000__a.sql", "not read")
    databases.migrate(CONFIG)
    data = depot / "data"
    assert sorted(str(path.relative_to(data)) for path in data.rglob("*.db")) == [
        *("logs.db", "main.db", "own/accounts.db", "own/audit.db", "own/jobs.db", "own/outbox.db"),
        *("session.db", "tide.db"),
    ]
    assert (data / "own").stat().st_mode & 0o077 == 0
    assert {"_user", "boat", "_file_deletions"} <= tables(depot / "data/main.db")
    assert {"gauge", "_file_deletions"} <= tables(depot / "data/tide.db")
    assert "_user" not in tables(depot / "data/tide.db")
    assert "_session" in tables(depot / "data/session.db")
    assert "_logs" in tables(depot / "data/logs.db")


def test_a_database_is_fresh_once(depot, databases):
    databases.migrate(CONFIG)
    assert databases.fresh
    again = DepotDatabases(depot, SchemaRegistry(), None, "NORMAL")
    again.migrate(CONFIG)
    assert not again.fresh


def test_a_later_migration_is_applied_by_a_running_server(depot, databases):
    databases.migrate(CONFIG)
    write(depot, "main/U1790000000__a.sql", TABLE.format("boat"))
    databases.migrate(CONFIG)
    assert "boat" in tables(depot / "data/main.db")
    assert databases.fresh


def test_main_is_opened_with_the_others_attached(databases):
    databases.migrate(CONFIG)
    connection = open_connection(databases.main_files(CONFIG), "reader")
    assert connection.execute("SELECT COUNT(*) FROM tide._file_deletions").get == 0
    connection.close()
    assert list(databases.attached) == ["tide"]


def test_a_look_at_another_configuration_attaches_nothing(databases):
    databases.migrate(Config())
    databases.main_files(Config())
    databases.migrate_attached(CONFIG)
    assert ("tide", "_file_deletions") in databases.read_catalog(CONFIG).tables
    assert databases.attached == {}


def test_a_depot_whose_first_start_failed_half_way_is_still_new(tmp_path):
    def start():
        databases = DepotDatabases(tmp_path, SchemaRegistry(), None, "NORMAL")
        databases.migrate(Config())
        credentials = databases.bootstrap()
        remember_version(tmp_path, "v1")
        return credentials

    prepare_depot(tmp_path)
    script = tmp_path / "migrations/main/U1790000000__people.sql"
    script.write_text("INSERT INTO nowhere VALUES (1);")
    with pytest.raises(OperatorError, match="nowhere"):
        start()
    script.write_text("CREATE TABLE people (id INTEGER PRIMARY KEY) STRICT;")
    assert start() is not None
    with sqlite3.connect(tmp_path / "data/main.db") as connection:
        connection.execute("DROP TRIGGER __user__updated_trigger")
        connection.execute("UPDATE _user SET admin = FALSE")
    connection.close()
    assert start() is None


def test_a_file_that_is_no_database_is_named(tmp_path):
    prepare_depot(tmp_path)
    (tmp_path / "data/main.db").write_bytes(b"nonsense " * 1000)
    databases = DepotDatabases(tmp_path, SchemaRegistry(), None, "NORMAL")
    with pytest.raises(OperatorError, match=r"main\.db.*not a database"):
        databases.migrate(Config())


def test_the_access_log_is_written_to_a_file_with_the_index_of_errors(depot, databases):
    databases.migrate(CONFIG)
    assert "__logs__method_index" in tables(depot / "data/logs.db")
    store = databases.open_logs()
    store.append((1.5, 404, "GET", "/", 0.25, "", b"", b"", None, b"", "1.1", "", None))
    store.close()
    found = tables(depot / "data/logs.db")
    assert "__logs__errors_index" in found
    assert "__logs__method_index" not in found
    databases.migrate(CONFIG)  # which must not miss it
