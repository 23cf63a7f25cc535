import re
from functools import partial

import pytest

from trailbase_server.crypto import verify_password
from trailbase_server.migrations.embedded import system_migrations
from trailbase_server.migrations.runner import migrate
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.server.bootstrap import announce, bootstrap_admin
from trailbase_server.sqlite.functions import register_functions
from trailbase_server.sqlite.open import DatabaseFiles, open_connection


@pytest.fixture
def connection(tmp_path):
    prepare = partial(register_functions, registry=SchemaRegistry(), geoip=None)
    connection = open_connection(DatabaseFiles(tmp_path / "main.db", prepare=prepare), "migrator")
    migrate(connection, system_migrations("main"), "main")
    yield connection
    connection.close()


def test_a_new_database_gets_an_administrator_who_can_log_in(connection, capsys):
    credentials = bootstrap_admin(connection)
    ((email, name, stored, admin),) = connection.execute(
        "SELECT email, username, password_hash, admin FROM _user"
    )
    assert (email, name, admin) == ("admin@localhost", "admin", 1)
    assert re.fullmatch(r"[A-Za-z0-9]{20}", credentials.password)
    assert verify_password(stored, credentials.password)
    assert credentials.password not in repr(credentials)
    announce(credentials)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "Created new admin user:\n\temail: 'admin@localhost'\n"
        f"\tpassword: '{credentials.password}'\n"
    )


def test_there_is_only_one_of_them(connection):
    assert bootstrap_admin(connection)
    assert bootstrap_admin(connection) is None


def test_an_administrator_of_a_migration_suffices(connection):
    connection.execute("INSERT INTO _user (email, admin) VALUES ('a@b.test', TRUE)")
    assert bootstrap_admin(connection) is None
    assert connection.execute("SELECT COUNT(*) FROM _user").get == 1


def test_a_name_that_is_taken_is_told(connection, caplog):
    connection.execute("INSERT INTO _user (username) VALUES ('Admin')")
    assert bootstrap_admin(connection) is None
    assert "trail admin promote" in caplog.text
