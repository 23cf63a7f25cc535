import logging
import threading

import pytest

from trailbase_server.clock import FrozenClock
from trailbase_server.errors import OperatorError
from trailbase_server.migrations.embedded import system_migrations
from trailbase_server.migrations.runner import apply_migration, migrate
from trailbase_server.sqlite.open import DatabaseFiles, open_connection

TWO_TABLES = (
    "CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT;"
    "CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id)) STRICT;"
)


def refusal(connection, migrations):
    with pytest.raises(OperatorError) as caught:
        migrate(connection, migrations, "main")
    assert not connection.in_transaction
    assert connection.pragma("foreign_keys") == 1
    return str(caught.value)


def exists(connection, table):
    return connection.execute("SELECT COUNT(*) FROM sqlite_schema WHERE name = ?1", (table,)).get


def test_each_runs_once_in_order_and_is_told(connection, make, caplog):
    caplog.set_level(logging.INFO)
    files = [make("U2__b", "INSERT INTO t VALUES (2);"), make("V1__a", "CREATE TABLE t (x);")]
    first = migrate(connection, files, "main", FrozenClock(1_800_000_000))
    assert (first.applied, first.fresh) == (("V1__a", "U2__b"), True)
    assert caplog.messages == ["Successfully applied migrations for 'main' DB: 'V1__a', 'U2__b'"]
    second = migrate(connection, files, "main")
    assert (second.applied, second.fresh) == ((), False)
    assert connection.execute("SELECT COUNT(*) FROM t").get == 1
    times = connection.execute("SELECT DISTINCT applied_on FROM _schema_history")
    assert list(times) == [("2027-01-15T08:00:00Z",)]


def test_a_database_without_version_one_is_never_fresh(connection, make):
    assert not migrate(connection, [make("U2__b")], "x").fresh


def test_nothing_is_written_when_nothing_is_pending(connection, make):
    files = [make("V1__a")]
    migrate(connection, files, "main")
    connection.pragma("query_only", 1)
    migrate(connection, files, "main")


@pytest.mark.case("T-95")
def test_a_failure_leaves_what_ran_before_and_nothing_of_itself(connection, make):
    good = make("U1__good", "CREATE TABLE good (x);")
    bad = make("U2__bad", "CREATE TABLE half (x);\nINSERT INTO nowhere VALUES (1);")
    message = refusal(connection, [good, bad, make("U3__after", "CREATE TABLE after (x);")])
    assert message == (
        "Migration error for 'main' DB: migrations/main/U2__bad.sql:2: "
        "no such table: nowhere: INSERT INTO nowhere VALUES (1)"
    )
    assert [exists(connection, name) for name in ("good", "half", "after")] == [1, 0, 0]
    mended = make("U2__bad", "CREATE TABLE half (x);")
    assert migrate(connection, [good, mended], "main").applied == ("U2__bad",)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE half (x);\nCOMMIT;\nINSERT INTO nowhere VALUES (1);",
        "CREATE TABLE half (x);\nROLLBACK;",
        "CREATE TABLE half (x UNIQUE); INSERT OR ROLLBACK INTO half VALUES (1), (1);",
        "CREATE TABLE half (x); SELECT uuid_text(1);",
    ],
)
def test_no_script_gets_half_of_itself_in(connection, make, sql):
    assert "U2__bad.sql:" in refusal(connection, [make("U2__bad", sql)])
    assert exists(connection, "half") == 0
    assert exists(connection, "_schema_history") == 0


def test_problems_of_the_plan_stop_everything(connection, make):
    migrate(connection, [make("U5__gone")], "main")
    message = refusal(connection, [make("U6__a", "CREATE TABLE a (x);"), make("V2__late")])
    assert len(message.splitlines()) == 2
    assert all(line.startswith("Migration error for 'main' DB: ") for line in message.splitlines())
    assert exists(connection, "a") == 0


def test_an_edited_file_is_warned_about_and_does_not_run(connection, make, caplog):
    migrate(connection, [make("U5__a", "CREATE TABLE a (x);")], "main")
    migrate(connection, [make("U5__a", "CREATE TABLE b (x);")], "main")
    assert exists(connection, "b") == 0
    assert "U5__a" in caplog.text


def test_a_new_dangling_reference_is_refused(connection, make):
    tables = make("U1__tables", TWO_TABLES)
    ghost = make("U2__ghost", "INSERT INTO child VALUES (1, 99);")
    message = refusal(connection, [tables, ghost])
    assert 'FK violations: rows refer to nothing: "child" → "parent"' in message
    assert connection.execute("SELECT COUNT(*) FROM child").get == 0


def test_one_that_was_there_before_is_nobodys_fault(connection, make):
    migrate(connection, [make("U1__tables", TWO_TABLES)], "main")
    connection.pragma("foreign_keys", 0)
    connection.execute("INSERT INTO child VALUES (1, 99)")
    connection.pragma("foreign_keys", 1)
    files = [make("U1__tables", TWO_TABLES), make("U2__other", "CREATE TABLE other (x);")]
    assert migrate(connection, files, "main").applied == ("U2__other",)
    bad = make("U3__ghost", "INSERT INTO child VALUES (2, 99);")
    assert "FK violations" in refusal(connection, [*files, bad])


def test_references_may_dangle_meanwhile(connection, make):
    sql = TWO_TABLES + "INSERT INTO child VALUES (1, 7); INSERT INTO parent VALUES (7);"
    migrate(connection, [make("U1__a", sql)], "main")
    rebuild = (
        "CREATE TABLE p (id INTEGER PRIMARY KEY) STRICT; INSERT INTO p SELECT id FROM parent;"
        "PRAGMA legacy_alter_table = ON; DROP TABLE parent; ALTER TABLE p RENAME TO parent;"
    )
    migrate(connection, [make("U1__a", sql), make("U2__b", rebuild)], "main")
    assert connection.execute("SELECT COUNT(*) FROM child").get == 1
    assert connection.pragma("legacy_alter_table") == 0


def test_foreign_keys_stay_off_where_they_were_off(connection, make):
    connection.pragma("foreign_keys", 0)
    migrate(connection, [make("U1__a")], "main")
    assert connection.pragma("foreign_keys") == 0


def test_a_script_may_be_the_first_to_use_vectors(connection, make):
    sql = "CREATE TABLE v (x BLOB); INSERT INTO v VALUES (vec_f32('[1, 2]'));"
    migrate(connection, [make("U1__v", sql)], "main")
    assert connection.execute("SELECT length(x) FROM v").get == 8
    message = refusal(connection, [make("U1__v", sql), make("U2__w", "SELECT vec_nonsense(1);")])
    assert "no such function: vec_nonsense" in message


def test_what_another_process_has_applied_meanwhile_is_skipped(connection, make):
    migration = make("U1__a", "CREATE TABLE a (x);")
    assert apply_migration(connection, migration)
    assert not apply_migration(connection, migration)


def test_processes_that_start_together_apply_everything_once(tmp_path, make):
    files = [make(f"U{n}__step", f"CREATE TABLE t{n} (x);") for n in range(1, 15)]
    applied, failures = [], []

    def start():
        connection = open_connection(DatabaseFiles(tmp_path / "shared.db"), "migrator")
        try:
            applied.extend(migrate(connection, files, "main").applied)
        except Exception as exc:  # noqa: BLE001  # shown below
            failures.append(exc)
        connection.close()

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(applied) == sorted(file.title for file in files)


def test_an_unreadable_history_is_an_operators_matter(connection):
    connection.execute("CREATE TABLE _schema_history (other)")
    with pytest.raises(
        OperatorError, match="Migration error for 'main' DB: no such column: version"
    ):
        migrate(connection, system_migrations("main"), "main")


def test_a_lock_held_for_long_is_an_operators_matter(tmp_path, make):
    files = DatabaseFiles(tmp_path / "main.db")
    holder, waiter = (open_connection(files, "migrator") for _ in range(2))
    waiter.set_busy_timeout(1)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperatorError, match="locked"):
        migrate(waiter, [make("U1__a")], "main")
    holder.close()
    waiter.close()
