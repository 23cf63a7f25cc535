"""The schema of a depot, found out without touching the depot."""

from pathlib import Path

import pytest

from trailbase_server.config.load import load_config
from trailbase_server.errors import OperatorError
from trailbase_server.schema.model import QualifiedName
from trailbase_server.server.rehearsal import rehearse

CONFIG = """
email {} server { application_name: "Pond" } auth {} jobs {}
databases: [{ name: "deep" }]
schemas: [{ name: "tags" schema: '{"type": "array"}' }]
"""


@pytest.fixture
def depot(tmp_path):
    for name, sql in (
        (
            "main",
            "CREATE TABLE fish (id INTEGER PRIMARY KEY, t TEXT CHECK (jsonschema('tags', t)))",
        ),
        ("deep", "CREATE TABLE eel (id INTEGER PRIMARY KEY) STRICT"),
    ):
        folder = tmp_path / "depot" / "migrations" / name
        folder.mkdir(parents=True)
        (folder / "U1790000000__first.sql").write_text(sql)
    (tmp_path / "depot" / "config.textproto").write_text(CONFIG)
    return tmp_path / "depot"


def state(depot):
    return {path: path.stat().st_mtime_ns for path in [depot, *depot.rglob("*")]}


def test_migrations_are_applied_elsewhere(depot):
    before = state(depot)
    with rehearse(load_config(depot, {}, create=False)) as rehearsal:
        catalog = rehearsal.catalog
        assert catalog.table(QualifiedName("fish")) is not None
        assert catalog.table(QualifiedName("eel", "deep")) is not None
        assert catalog.table(QualifiedName("_user")) is not None
        assert rehearsal.read("SELECT count(*) FROM deep.eel", ()) == [(0,)]
        assert rehearsal.prepare_error("SELECT x FROM fish") == "no such column: x"
        assert state(depot) == before
    assert state(depot) == before


def test_a_depot_may_be_named_relatively_and_have_no_migrations(tmp_path, monkeypatch):
    (tmp_path / "config.textproto").write_text('server { application_name: "x" }')
    monkeypatch.chdir(tmp_path)
    loaded = load_config(Path(), {}, create=False)
    with rehearse(loaded) as rehearsal:
        assert rehearsal.catalog.table(QualifiedName("_user")) is not None
    assert [path.name for path in tmp_path.iterdir()] == ["config.textproto"]


def test_a_migration_that_fails_is_told(depot):
    path = depot / "migrations" / "main" / "U1790000001__second.sql"
    path.write_text("CREATE TABLE fish (id INTEGER)")
    loaded = load_config(depot, {}, create=False)
    with pytest.raises(OperatorError, match="U1790000001__second"), rehearse(loaded):
        pass
