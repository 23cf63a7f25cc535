import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.migrations.script import ScriptError, run_script


@pytest.fixture
def memory():
    connection = apsw.Connection(":memory:")
    connection.execute("BEGIN")
    yield connection
    connection.close()


def failure(connection, sql):
    with pytest.raises(ScriptError) as caught:
        run_script(connection, sql)
    return caught.value


def test_all_statements_run_also_after_one_that_returns_rows(memory):
    run_script(
        memory, "SELECT 1; CREATE TABLE t (x);; INSERT INTO t VALUES (1) RETURNING x; -- end"
    )
    assert memory.execute("SELECT x FROM t").get == 1


@pytest.mark.parametrize("sql", ["", "  \n", "-- only a comment\n", "/* also", ";;"])
def test_a_script_without_statements_is_fine(memory, sql):
    run_script(memory, sql)


def test_a_statement_that_does_not_compile_is_found(memory):
    error = failure(
        memory, "CREATE TABLE t (x);\n\n-- é\n INSERT INTO nowhere\n VALUES (1); SELECT 1"
    )
    assert (error.line, error.statement) == (4, "INSERT INTO nowhere VALUES (1)")
    assert error.message == "no such table: nowhere"


def test_a_syntax_error_has_the_line_of_its_token(memory):
    error = failure(memory, "CREATE TABLE t (\n  \u00e9 TEXT,\n  b TEXT TEXT TEXT (,\n  c\n);")
    assert (error.line, error.statement[:14]) == (3, "CREATE TABLE t")


def test_a_statement_that_fails_while_it_runs_is_found(memory):
    sql = (
        "CREATE TABLE t (x CHECK (x > 0));\nINSERT INTO t VALUES (1);\nINSERT INTO t VALUES (-1);\n"
    )
    error = failure(memory, sql + "SELECT 1;")
    assert (error.line, error.statement) == (3, "INSERT INTO t VALUES (-1)")
    assert error.message.startswith("CHECK constraint failed")
    assert failure(memory, "SELECT 1;\nINSERT INTO t VALUES (-2)").line == 2


def test_the_first_of_two_bad_statements_is_named(memory):
    error = failure(memory, "CREATE TABLE t (x UNIQUE); INSERT INTO t VALUES (1),\n(1);\nnonsense")
    assert (error.line, error.statement) == (1, "INSERT INTO t VALUES (1), (1)")


def test_an_error_in_a_function_is_found(memory):
    def fail(_):
        raise ValueError("not this value")

    memory.create_scalar_function("f", fail, 1)
    error = failure(memory, "SELECT 1;\nSELECT f(1);\nSELECT 2;")
    assert (error.line, error.message) == (2, "not this value")


def test_long_statements_are_cut(memory):
    assert len(failure(memory, "SELECT " + "x, " * 1000).statement) == 100


def test_a_null_character_is_refused(memory):
    assert failure(memory, "SELECT 1;\nSELECT '\0'").line == 2


@pytest.mark.parametrize(
    "statement",
    ["COMMIT", "END", "ROLLBACK", "BEGIN", "/* x */ commit transaction", "begin IMMEDIATE"],
)
def test_the_transaction_is_not_the_scripts_to_end(memory, statement):
    error = failure(memory, f"CREATE TABLE t (x);\n{statement};\nINSERT INTO t VALUES (1);")
    assert error.line == 2
    assert "may not contain" in error.message
    assert memory.in_transaction
    memory.execute("ROLLBACK")
    assert memory.execute("SELECT COUNT(*) FROM sqlite_schema").get == 0
    memory.execute("BEGIN; COMMIT")


def test_savepoints_are_its_own_business(memory):
    run_script(memory, "SAVEPOINT a; CREATE TABLE t (x); ROLLBACK TO a; RELEASE a;")
    assert memory.execute("SELECT COUNT(*) FROM sqlite_schema").get == 0


@given(
    st.lists(st.sampled_from(["SELECT 1;", "-- c;\n", "/* ; */", "\n", " ", "SELECT ';';", ";"]))
)
def test_a_bad_statement_is_found_behind_anything(parts):
    connection = apsw.Connection(":memory:")
    connection.execute("BEGIN")
    before = "".join(parts)
    error = failure(connection, before + "oops é;\nSELECT 1;")
    assert error.line == 1 + before.count("\n")
    assert error.statement == "oops é"
    connection.close()


@given(st.text())
def test_any_text_runs_or_fails_properly(text):
    connection = apsw.Connection(":memory:")
    connection.execute("BEGIN")
    lines = [1]
    try:
        run_script(connection, text)
    except ScriptError as exc:
        lines.append(exc.line)
    assert 1 <= max(lines) <= 1 + text.count("\n")
    connection.close()
