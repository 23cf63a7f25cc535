"""Starts that cannot succeed end with status 1, say what is wrong, and change nothing."""

import socket
import subprocess

import pytest

from tests.integration.conftest import HERE
from tests.serving import TRAIL, Server, copy_depot, free_port


@pytest.fixture
def depot(tmp_path):
    return copy_depot(HERE / "depot", tmp_path / "depot")


def start(depot, port=None):
    command = [TRAIL, "--depot", depot, "run", "--address", f"127.0.0.1:{port or free_port()}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_a_port_in_use(depot):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        status, message = start(depot, port)
    assert status == 1
    assert f"127.0.0.1:{port}" in message


def test_a_depot_that_is_a_file(tmp_path):
    depot = tmp_path / "depot"
    depot.write_text("not a directory")
    status, message = start(depot)
    assert status == 1
    assert str(depot) in message
    assert depot.read_text() == "not a directory"


def test_a_corrupt_database(depot):
    path = depot / "data" / "main.db"
    path.parent.mkdir()
    garbage = b"this is no database file at all " * 200
    path.write_bytes(garbage)
    status, message = start(depot)
    assert status == 1
    assert "main" in message
    assert path.read_bytes() == garbage


def test_a_failing_migration_leaves_nothing_and_can_be_corrected(depot):
    migration = depot / "migrations" / "main" / "U1790000009__broken.sql"
    good = "CREATE TABLE half (id INTEGER PRIMARY KEY) STRICT;\n"
    migration.write_text(good + "INSERT INTO nowhere VALUES (1);\n")
    status, message = start(depot)
    assert status == 1
    assert "broken" in message
    assert "nowhere" in message
    migration.write_text(good)
    with Server(depot):
        pass


@pytest.mark.case("T-94")
def test_a_bad_config_is_reported_with_all_its_errors(depot):
    path = depot / "config.textproto"
    bad = path.read_text().replace('name: "comment"', 'name: "com ment"', 1)
    bad = bad.replace('application_name: "Clients"', 'application_name: "Cli/ents"')
    path.write_text(bad)
    status, message = start(depot)
    assert status == 1
    for place, text in (("application_name", "Cli/ents"), ('name: "com ment"', "com ment")):
        line = 1 + bad[: bad.index(place)].count("\n")
        assert f"config.textproto:{line}:" in message
        assert text in message
    assert path.read_text() == bad
    assert not (depot / "data" / "main.db").exists()


def test_a_config_that_does_not_fit_the_tables(depot):
    path = depot / "config.textproto"
    bad = path.read_text().replace('table_name: "comment"', 'table_name: "no_such_table"')
    path.write_text(bad)
    status, message = start(depot)
    assert status == 1
    assert "no_such_table" in message
    assert "config.textproto:" in message
    assert path.read_text() == bad


@pytest.mark.case("T-94")
def test_a_config_that_does_not_parse_is_reported_with_its_line(depot):
    path = depot / "config.textproto"
    text = path.read_text().replace("jobs {}", "jobs {}\nno_such_field: 3")
    path.write_text(text)
    line = 1 + text[: text.index("no_such_field")].count("\n")
    status, message = start(depot)
    assert status == 1
    assert f"config.textproto:{line}" in message
    assert "no_such_field" in message
    assert path.read_text() == text
    assert not (depot / "data" / "main.db").exists()
