"""Good depots and broken ones, looked at without being touched."""

from dataclasses import replace

import pytest

from tests.authority import Authority, store
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.errors import OperatorError
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.server.databases import DepotDatabases
from trailbase_server.server.depot_check import check_depot
from trailbase_server.server.options import ServerOptions

CONFIG = """server { application_name: "Pond" }
record_apis: [{ name: "fishes" table_name: "fish" acl_world: [READ] }]
"""
SQL = "CREATE TABLE fish (id INTEGER PRIMARY KEY NOT NULL, color TEXT) STRICT;"
FIRST = "migrations/main/U1790000000__fish.sql"


@pytest.fixture
def depot(tmp_path):
    depot = tmp_path / "depot"
    write(depot, "config.textproto", CONFIG)
    write(depot, FIRST, SQL)
    return depot


def write(depot, name, content, mode=0o600):
    path = depot / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)


def start(depot):
    """What a start leaves in the databases."""
    (depot / "data").mkdir()
    DepotDatabases(depot, SchemaRegistry({}), None, "NORMAL").migrate(Config())


def look(depot, *ignored, **options):
    before = {path: path.lstat().st_mtime_ns for path in depot.rglob("*")}
    found = check_depot(replace(ServerOptions(depot), **options), {}, frozenset(ignored))
    assert {path: path.lstat().st_mtime_ns for path in depot.rglob("*")} == before
    return found


def levels(found):
    return [(verdict.name, verdict.level.value) for verdict in found]


def only(found, name):
    (verdict,) = [verdict for verdict in found if verdict.name == name]
    return verdict


def test_a_good_depot(depot):
    assert levels(look(depot)) == [
        ("config", "ok"),
        ("migrations", "ok"),
        ("access", "ok"),
        ("secrets", "skip"),
        ("tls", "skip"),
    ]


def test_without_a_depot_there_is_nothing_to_say(tmp_path):
    with pytest.raises(OperatorError, match="there is no depot"):
        check_depot(ServerOptions(tmp_path / "none"), {})


def test_a_broken_configuration_is_told_and_the_rest_still_looked_at(depot):
    write(depot, "config.textproto", 'server { application_name: "a/b" site_url: "x" }')
    assert levels(look(depot)) == [
        ("config", "fail"),
        ("config", "fail"),
        ("secrets", "skip"),
        ("tls", "skip"),
    ]


def test_a_migration_that_fails_on_an_empty_database(depot):
    write(depot, "migrations/main/U1790000001__again.sql", SQL)
    verdict = only(look(depot), "config")
    assert verdict.level == "fail"
    assert "U1790000001__again" in verdict.message


def test_migrations_that_wait_are_named(depot):
    start(depot)
    write(depot, "migrations/main/U1790000001__more.sql", "CREATE TABLE eel (id INTEGER)")
    verdict = only(look(depot), "migrations")
    assert verdict.level == "ok"
    assert verdict.message.endswith("the next start applies main/U1790000001__more")


def test_a_migration_that_was_changed_or_taken_away(depot):
    start(depot)
    write(depot, FIRST, SQL + "-- new\n")
    verdict = only(look(depot), "migrations")
    assert (verdict.level, verdict.advice[:16]) == ("warn", "put the old text")
    (depot / FIRST).rename(depot / "migrations/main/U1790000005__fish.sql")
    found = [verdict for verdict in look(depot) if verdict.name == "migrations"]
    assert [verdict.level for verdict in found] == ["fail"]
    assert "is missing from the filesystem" in found[0].message


def test_access_is_looked_at(depot):
    write(depot, "config.textproto", CONFIG.replace("READ", "READ, CREATE"))
    verdict = only(look(depot), "access")
    assert (verdict.level, verdict.facts["code"]) == ("warn", "world-writable")
    assert only(look(depot, "world-writable"), "access").level == "ok"


@pytest.mark.parametrize(
    ("directory", "file", "level"),
    [
        (0o700, 0o600, "ok"),
        (0o700, 0o644, "ok"),
        (0o750, 0o640, "ok"),
        (0o755, 0o600, "ok"),
        (0o755, 0o644, "warn"),
        (0o755, 0o602, "fail"),
        (0o777, 0o600, "fail"),
    ],
)
def test_secrets_are_kept_from_others(depot, directory, file, level):
    write(depot, "secrets/keys/private_key.pem", "key", file)
    (depot / "secrets").chmod(directory)
    (depot / "secrets" / "gone").symlink_to("nowhere")
    verdict = only(look(depot), "secrets")
    assert verdict.level == level
    assert bool(verdict.advice) == (level != "ok")


@pytest.mark.parametrize(
    ("days", "level"), [(80, "ok"), (5, "warn"), (-1, "fail")], ids=["good", "soon", "over"]
)
def test_certificates_and_their_time(depot, days, level):
    store(depot / "secrets" / "certs", *Authority().issue("pond.test", start_days=days - 90))
    (depot / "secrets").chmod(0o700)
    verdict = only(look(depot), "tls")
    assert verdict.level == level
    assert verdict.facts["names"] == ["pond.test"]


def test_a_certificate_without_key(depot):
    write(depot, "cert.pem", "x")
    verdict = only(look(depot, tls_cert=depot / "cert.pem"), "tls")
    assert (verdict.level, verdict.message) == (
        "fail",
        "--tls-cert and --tls-key belong together: give both",
    )
