"""Histories are compared with the files, and the databases stay as they are."""

import pytest

from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.db.errors import DatabaseError
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.server.databases import DepotDatabases
from trailbase_server.server.histories import read_histories

CONFIG = Config(databases=[{"name": "deep"}])


@pytest.fixture
def depot(tmp_path):
    (tmp_path / "data").mkdir()
    write(tmp_path, "main", "U1790000000__fish", "CREATE TABLE fish (id INTEGER)")
    DepotDatabases(tmp_path, SchemaRegistry({}), None, "NORMAL").migrate(Config())
    return tmp_path


def write(depot, database, name, sql):
    folder = depot / "migrations" / database
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.sql").write_text(sql)


def test_what_is_applied_and_what_waits(depot):
    write(depot, "main", "U1790000001__eel", "CREATE TABLE eel (id INTEGER)")
    write(depot, "deep", "U1790000002__squid", "CREATE TABLE squid (id INTEGER)")
    before = {path: path.stat().st_mtime_ns for path in depot.rglob("*")}
    main, deep = (history.render() for history in read_histories(depot, CONFIG))
    assert {path: path.stat().st_mtime_ns for path in depot.rglob("*")} == before
    assert main["applied"][-1] == {"version": 1790000000, "name": "fish", "own": False}
    assert main["applied"][0] == {"version": 1, "name": "initial", "own": True}
    assert main["pending"] == [{"version": 1790000001, "name": "eel", "own": False}]
    assert (deep["exists"], deep["applied"]) == (False, [])
    assert deep["pending"][-1]["name"] == "squid"


def test_changed_and_missing_files(depot):
    write(depot, "main", "U1790000000__fish", "CREATE TABLE fish (id TEXT)")
    (main, _) = read_histories(depot, CONFIG)
    assert main.render()["changed"] == ["U1790000000__fish"]
    (depot / "migrations" / "main" / "U1790000000__fish.sql").unlink()
    (main, _) = read_histories(depot, CONFIG)
    assert "V1790000000__fish is missing" in main.render()["problems"][0]


def test_what_is_no_database(depot):
    (depot / "data" / "main.db").write_bytes(b"no database" * 100)
    with pytest.raises(DatabaseError):
        read_histories(depot, Config())
