import re

from trailbase_server.migrations.applied import (
    create_history,
    find_applied,
    read_applied,
    record_applied,
)


def test_a_database_without_history_has_seen_nothing_and_stays_as_it_is(connection):
    assert read_applied(connection) == []
    assert connection.execute("SELECT COUNT(*) FROM sqlite_schema").get == 0


def test_what_is_recorded_is_read_in_order(connection, make):
    create_history(connection)
    create_history(connection)
    younger, older = make("U2__b"), make("V1__a")
    record_applied(connection, younger, 1_800_000_000)
    record_applied(connection, older, 1_800_000_001)
    assert [row.version for row in read_applied(connection)] == [1, 2]
    assert find_applied(connection, 2) == (2, "b", younger.checksum)
    assert find_applied(connection, 3) is None
    cells = connection.execute("SELECT * FROM _schema_history WHERE version = 2").fetchone()
    assert cells == (2, "b", "2027-01-15T08:00:00Z", younger.checksum)
    assert re.fullmatch(r"[0-9]+", cells[3])


def test_the_table_has_the_shape_that_other_implementations_expect(connection):
    create_history(connection)
    columns = connection.execute("SELECT name, type, pk FROM pragma_table_info('_schema_history')")
    assert list(columns) == [
        ("version", "INT", 1),
        ("name", "TEXT", 0),
        ("applied_on", "TEXT", 0),
        ("checksum", "TEXT", 0),
    ]
    assert connection.execute("SELECT strict FROM pragma_table_list('_schema_history')").get == 1
