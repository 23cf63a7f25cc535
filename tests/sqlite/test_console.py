from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.errors import AppError, BadRequestError, PreconditionError
from trailbase_server.sqlite import console
from trailbase_server.sqlite.console import run_console, split_statements
from trailbase_server.sqlite.open import DatabaseFiles


@pytest.fixture
def files(tmp_path):
    files = DatabaseFiles(tmp_path / "main.db", {"tide": tmp_path / "tide.db"})
    run_console(files, "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT) STRICT")
    return files


def rows(files, sql):
    return run_console(files, sql).rows


def test_the_rows_are_those_of_the_last_statement(files):
    result = run_console(files, "SELECT 1; SELECT id AS a, name FROM t; SELECT 2 AS b, 'x';")
    assert result.rows == [(2, "x")]
    assert [name for name, _ in result.columns] == ["b", "'x'"]


def test_without_rows_there_are_no_columns(files):
    result = run_console(files, "SELECT * FROM t")
    assert (result.columns, result.rows) == (None, [])


def test_a_semicolon_in_a_text_a_comment_or_a_trigger_ends_nothing(files):
    run_console(
        files,
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET name = 'a;b'; SELECT 1; END;"
        "INSERT INTO t VALUES (1, 'x') /* ; */ -- ;\n;",
    )
    assert rows(files, "SELECT name FROM t") == [("a;b",)]


def test_one_mistake_in_the_syntax_and_nothing_runs(files):
    with pytest.raises(BadRequestError, match="syntax error"):
        run_console(files, "INSERT INTO t VALUES (1, 'x'); SELEKT 1")
    assert rows(files, "SELECT * FROM t") == []


def test_what_ran_before_a_failure_stays(files):
    result = run_console(files, "INSERT INTO t VALUES (1, 'x'); SELECT * FROM missing")
    assert "no such table: missing" in result.error
    assert rows(files, "SELECT id FROM t") == [(1,)]


def test_a_statement_may_use_what_an_earlier_one_makes(files):
    assert rows(files, "CREATE TABLE u(a); INSERT INTO u VALUES (7); SELECT a FROM u") == [(7,)]


def test_a_transaction_that_is_not_ended_is_undone(files):
    run_console(files, "BEGIN; INSERT INTO t VALUES (1, 'x')")
    assert rows(files, "SELECT * FROM t") == []


@pytest.mark.case("T-48")
@pytest.mark.parametrize(
    "sql", ["ATTACH 'x.db' AS x", "DETACH tide", "SELECT 1; /* c */ attach database 'x.db' as x"]
)
def test_files_cannot_be_attached(files, sql):
    with pytest.raises(PreconditionError, match=r"(At|De)tach not allowed"):
        run_console(files, sql)
    assert not (files.path.parent / "x.db").exists()


@pytest.mark.case("T-48")
def test_vacuum_cannot_write_elsewhere(files):
    result = run_console(files, f"VACUUM INTO '{files.path.parent / 'copy.db'}'")
    assert result.error
    assert not (files.path.parent / "copy.db").exists()
    assert run_console(files, "VACUUM").error is None


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM t",
        "DELETE FROM t; SELECT 1",
        "SELECT 1; DELETE FROM t",
        "WITH a AS (SELECT 1) INSERT INTO t SELECT 2, 'y'",
        "CREATE TABLE u(a)",
        "PRAGMA query_only = OFF",
        "BEGIN",
        "ANALYZE",
    ],
)
def test_a_reading_script_can_change_nothing(files, sql):
    run_console(files, "INSERT INTO t VALUES (1, 'x')")
    with pytest.raises(PreconditionError, match="disallows mutation"):
        run_console(files, sql, read_only=True)
    assert run_console(files, "SELECT * FROM t", read_only=True).rows == [(1, "x")]


def test_a_reading_script_cannot_rewrite_the_file(files):
    assert run_console(files, "VACUUM", read_only=True).error


def test_it_tells_whether_tables_have_changed(files):
    assert run_console(files, "CREATE VIEW v AS SELECT 1").changes_schema
    assert run_console(files, "CREATE TABLE tide.u(a)").changes_schema
    assert run_console(files, "CREATE TABLE x(a); SELECT * FROM missing").changes_schema
    assert not run_console(files, "INSERT INTO t VALUES (1, 'x')").changes_schema


@pytest.mark.case("T-48")
def test_a_script_that_never_ends_is_ended(files, monkeypatch):
    monkeypatch.setattr(console, "MAX_SECONDS", 0.05)
    forever = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT i FROM c"
    assert "longer than" in run_console(files, f"SELECT max(i) FROM ({forever})").error


@pytest.mark.case("T-48")
def test_a_result_is_bounded_in_rows_and_bytes(files, monkeypatch):
    monkeypatch.setattr(console, "MAX_ROWS", 3)
    monkeypatch.setattr(console, "MAX_RESULT_BYTES", 10)
    assert rows(files, "VALUES (1), (2), (3)") == [(1,), (2,), (3,)]
    assert "too large" in run_console(files, "VALUES (1), (2), (3), (4)").error
    assert "too large" in run_console(files, "SELECT zeroblob(11)").error


@given(st.lists(st.sampled_from(["SELECT ';'", "--;\nSELECT 1", "SELECT /*;*/ 2", " ", "'"])))
def test_splitting_loses_nothing_but_blanks(parts):
    sql = ";".join(parts)
    joined = "".join(split_statements(sql))
    assert [c for c in joined if c not in " ;"] == [c for c in sql if c not in " ;"]


@given(st.text(max_size=40))
def test_no_text_does_more_than_fail(tmp_path_factory, sql):
    files = DatabaseFiles(tmp_path_factory.getbasetemp() / "hostile.db")
    with suppress(AppError):
        assert run_console(files, sql, read_only=True).changes_schema is False
