"""Depots and machines with ailments, and healthy ones; nothing is written."""

import fcntl
import os
import resource

import pytest

from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.server import doctor
from trailbase_server.server.databases import DepotDatabases
from trailbase_server.server.disk import Room
from trailbase_server.server.doctor import examine, holder_of
from trailbase_server.server.options import ServerOptions

CONFIG = """server { application_name: "Pond" }
email { smtp_host: "mail.invalid" smtp_port: 25 smtp_username: "u" smtp_password: "hush-hush" }
"""


@pytest.fixture
def depot(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "config.textproto").write_text(CONFIG)
    DepotDatabases(tmp_path, SchemaRegistry({}), None, "NORMAL").migrate(Config())
    return tmp_path


def look(depot, name=None):
    before = {path: path.lstat().st_mtime_ns for path in depot.rglob("*")}
    found = examine(ServerOptions(depot, address="127.0.0.1:0"), {}, offline=True)
    assert {path: path.lstat().st_mtime_ns for path in depot.rglob("*")} == before
    assert "hush" not in str(found)
    if name is None:
        return found
    (verdict,) = [verdict for verdict in found if verdict.name == name]
    return verdict


def test_a_healthy_depot(depot):
    found = {verdict.name: verdict.level.value for verdict in look(depot)}
    assert found == {
        "versions": "ok",
        "limits": "ok",
        "depot": "ok",
        "disk": "ok",
        "clock": "ok",
        "secrets": "skip",
        "tls": "skip",
        "config": "ok",
        "databases": "ok",
        "backups": "warn",
        "port": "ok",
    }


def test_no_depot(tmp_path):
    found = examine(ServerOptions(tmp_path / "none"), {}, offline=True)
    assert (found[-1].name, found[-1].level) == ("depot", "fail")


def test_versions_are_for_programs(depot):
    facts = look(depot, "versions").facts
    assert "THREADSAFE" in " ".join(facts["sqlite_options"])
    assert facts["wire"] == "v0.33.2"


def test_few_open_files(depot, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    verdict = look(depot, "limits")
    assert (verdict.level, verdict.message) == ("warn", "1024 open files")


def test_little_room(depot, monkeypatch):
    class Little(Room):
        is_full, is_low = False, True

    monkeypatch.setattr(doctor, "Room", Little)
    assert look(depot, "disk").level == "warn"


def test_a_directory_that_cannot_be_written(depot, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, _: path.name != "data")
    verdict = look(depot, "depot")
    assert verdict.level == "fail"
    assert verdict.message.endswith("data")


def test_a_clock_that_is_behind(depot):
    later = (depot / "data" / "main.db").stat().st_mtime + 5000
    os.utime(depot / "data" / "main.db", (later, later))
    verdict = look(depot, "clock")
    assert verdict.level == "fail"
    assert "in the future" in verdict.message


def test_a_broken_configuration_ends_it(depot):
    (depot / "config.textproto").write_text('server { application_name: "a/b" }')
    found = look(depot)
    assert (found[-1].name, found[-1].level) == ("config", "fail")


def test_a_broken_database_is_named(depot):
    (depot / "data" / "logs.db").write_bytes(b"no database" * 100)
    found = [verdict for verdict in look(depot) if verdict.name == "databases"]
    assert [verdict.level for verdict in found] == ["fail", "ok"]
    assert found[0].message.startswith("logs.db: ")


def test_a_log_that_grows(depot, monkeypatch):
    monkeypatch.setattr(doctor, "MAX_LOG_BYTES", -1)
    found = [verdict for verdict in look(depot) if verdict.name == "databases"]
    assert {verdict.level.value for verdict in found} == {"warn", "ok"}


def test_migrations_that_wait(depot):
    (depot / "migrations" / "main").mkdir(parents=True)
    (depot / "migrations" / "main" / "U1790000000__x.sql").write_text("SELECT 1")
    assert look(depot, "databases").facts["pending"] == ["main/U1790000000__x"]


@pytest.mark.parametrize(("age_days", "level"), [(1, "ok"), (30, "warn")])
def test_the_age_of_backups(depot, monkeypatch, age_days, level):
    (depot / "backups").mkdir()
    made = doctor.SYSTEM_CLOCK.now_s() - age_days * doctor.DAY_S - 60
    monkeypatch.setattr(doctor, "newest_backup", lambda _: made)
    verdict = look(depot, "backups")
    assert verdict.level == level
    assert "BACKUP" in verdict.advice or level == "ok"
    job = 'jobs { system_jobs: [{ id: BACKUP schedule: "@daily" }] }'
    (depot / "config.textproto").write_text(CONFIG + job)
    assert look(depot, "backups").facts["is_scheduled"]


def test_who_holds_the_depot(depot):
    assert holder_of(depot) is None
    path = depot / "data" / ".lock"
    path.write_text("4711 draining\n")
    assert holder_of(depot) is None, "the process is gone"
    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert holder_of(depot) == "4711"
        assert look(depot, "port").level == "warn"
