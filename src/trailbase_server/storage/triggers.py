"""
Triggers that note which objects nobody refers to any more.

For each file column there are two, with the original's names. They are compared with what the
catalog holds: a start that finds them as they should be writes nothing. What differs from the
original: setting a column to NULL counts as a change, an update that does not mention the column
does not look at it, and triggers of columns that no longer exist are dropped.
"""

from collections.abc import Iterator, Sequence

from trailbase_server.db.base import Transaction
from trailbase_server.db.dialect import quote, quote_qualified
from trailbase_server.schema.model import Catalog, QualifiedName, Table
from trailbase_server.schema.roles import effective_column, is_file
from trailbase_server.storage.deletions import QUEUE

_ROWID_NAMES = ("rowid", "_rowid_", "oid")
_PREFIX = "CREATE TRIGGER "


def plan_file_triggers(catalog: Catalog) -> list[str]:
    """
    Find out what has to be changed.

    Args:
        catalog: What the databases contain.

    Returns:
        Statements; none if all triggers are as they should be.

    Spec:
        sqlite/file-deletion-triggers-w-stored-objects-and-rows
        server/final-schema-main
    """
    wanted = dict(_wanted(catalog))
    present = {
        trigger.name.key: trigger.sql
        for trigger in catalog.triggers
        if trigger.name.key in wanted or _is_stale(catalog, trigger.name, trigger.sql)
    }
    statements = []
    for key, sql in present.items():
        if wanted.get(key) != sql:
            statements.append(f"DROP TRIGGER {quote_qualified(*key)}")
    for key, sql in wanted.items():
        if present.get(key) != sql:
            # SQLite keeps the text from the name on, without the schema.
            statements.append(f"{_PREFIX}{quote(key[0])}.{sql.removeprefix(_PREFIX)}")
    return statements


def run_statements(tx: Transaction, statements: Sequence[str]) -> None:
    """Write job: run statements of the schema."""
    for statement in statements:
        tx.run(statement)


def _wanted(catalog: Catalog) -> Iterator[tuple[tuple[str, str], str]]:
    """Give the texts of all triggers, as SQLite keeps them, by key."""
    for table in catalog.tables.values():
        schema = table.name.database_schema
        if catalog.table(QualifiedName(QUEUE, schema)) is None:
            continue
        for column in table.columns:
            if is_file(effective_column(table, column)):
                for kind in ("update", "delete"):
                    name = f"__{table.name.name}__{column.name}__{kind}_trigger"
                    yield QualifiedName(name, schema).key, _trigger(table, column.name, kind)


def _trigger(table: Table, column: str, kind: str) -> str:
    name, own = table.name.name, quote(column)
    qualified = quote_qualified(table.name.database_schema, name)
    columns = "table_name, record_rowid, column_name, json"
    values = f"{_text(qualified)}, {_rowid(table)}, {_text(column)}, old.{own}"
    event, condition = "DELETE", f"old.{own} IS NOT NULL"
    if kind == "update":
        columns, values = f"{columns}, updated_json", f"{values}, new.{own}"
        event, condition = f"UPDATE OF {own}", f"{condition} AND old.{own} IS NOT new.{own}"
    insert = f"INSERT INTO {QUEUE} ({columns}) VALUES ({values})"  # noqa: S608  # quoted
    trigger = quote(f"__{name}__{column}__{kind}_trigger")
    return f"{_PREFIX}{trigger} AFTER {event} ON {quote(name)} WHEN {condition} BEGIN {insert}; END"


def _rowid(table: Table) -> str:
    """Render what finds the row id of the old row; 0 where the table has none to be found."""
    names = {column.name.lower() for column in table.columns}
    free = [name for name in _ROWID_NAMES if name not in names]
    return "0" if table.without_rowid or not free else f"old.{free[0]}"


def _is_stale(catalog: Catalog, name: QualifiedName, sql: str) -> bool:
    """Is it one of ours, of a column that is no longer there or no longer holds files?"""
    is_named = name.name.startswith("__") and name.name.endswith(
        ("__update_trigger", "__delete_trigger")
    )
    has_queue = catalog.table(QualifiedName(QUEUE, name.database_schema)) is not None
    return is_named and has_queue and QUEUE in sql


def _text(value: str) -> str:
    """Render a text literal: a trigger takes no parameters."""
    return "'" + value.replace("'", "''") + "'"
