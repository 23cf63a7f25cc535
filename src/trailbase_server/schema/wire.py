"""
The schema model in the shapes of the admin API (spec sqlite/json-shapes-w-admin-api).

Rust-style tagging: an option without content is its name, one with content an object of one member.
"""

from typing import Any

from trailbase_server.schema.model import (
    Check,
    Collate,
    Column,
    ColumnOption,
    Default,
    ForeignKey,
    Generated,
    Index,
    NotNull,
    Null,
    QualifiedName,
    References,
    Table,
    Trigger,
    Unique,
    UniqueConstraint,
    View,
    ViewColumn,
    ViewMapping,
)

Shape = dict[str, Any]


def render_name(name: QualifiedName) -> Shape:
    """A qualified name; ``database_schema`` is null for main."""
    schema = name.database_schema
    return {"name": name.name, "database_schema": None if schema == "main" else schema}


def render_option(option: ColumnOption) -> str | Shape:
    """One option of a column."""
    match option:
        case Null():
            return "Null"
        case NotNull():
            return "NotNull"
        case Default(sql):
            return {"Default": sql}
        case Unique(is_primary, clause):
            return {"Unique": {"is_primary": is_primary, "conflict_clause": clause}}
        case References(table, columns, on_delete, on_update):
            return {
                "ForeignKey": {
                    "foreign_table": table,
                    "referred_columns": list(columns),
                    "on_delete": on_delete,
                    "on_update": on_update,
                }
            }
        case Check(expr):
            return {"Check": expr}
        case Generated(expr, mode):
            return {"Generated": {"expr": expr, "mode": mode}}
        case Collate(name):
            return {"Collate": name}


def render_column(column: Column) -> Shape:
    """A column."""
    return {
        "name": column.name,
        "type_name": column.type_name,
        "data_type": column.data_type,
        "affinity_type": column.affinity,
        "options": [render_option(option) for option in column.options],
    }


def render_table(table: Table) -> Shape:
    """A table. A table-level primary key has no place in this shape."""
    return {
        "name": render_name(table.name),
        "strict": table.strict,
        "columns": [render_column(column) for column in table.columns],
        "foreign_keys": [_foreign_key(key) for key in table.foreign_keys],
        "unique": [_unique(one) for one in table.unique if not one.is_primary],
        "checks": [{"name": check.name, "expr": check.expr} for check in table.checks],
        "virtual_table": table.virtual_table,
        "temporary": table.temporary,
    }


def _foreign_key(key: ForeignKey) -> Shape:
    return {
        "name": key.name,
        "columns": list(key.columns),
        "foreign_table": key.foreign_table,
        "referred_columns": list(key.referred_columns),
        "on_delete": key.on_delete,
        "on_update": key.on_update,
    }


def _unique(one: UniqueConstraint) -> Shape:
    return {
        "name": one.name,
        "columns": list(one.columns),
        "conflict_clause": one.conflict_clause,
    }


def render_index(index: Index) -> Shape:
    """An index."""
    return {
        "name": render_name(index.name),
        "table_name": index.table_name,
        "columns": [
            {
                "column_name": column.column_name,
                "ascending": column.ascending,
                "nulls_first": column.nulls_first,
            }
            for column in index.columns
        ],
        "unique": index.unique,
        "predicate": index.predicate,
        "if_not_exists": False,
    }


def render_trigger(trigger: Trigger) -> Shape:
    """A trigger."""
    return {"name": render_name(trigger.name), "table_name": trigger.table_name}


def render_view(view: View) -> Shape:
    """A view."""
    return {
        "name": render_name(view.name),
        "column_mapping": None if view.mapping is None else _mapping(view.mapping),
        "query": view.query,
        "temporary": view.temporary,
        "if_not_exists": False,
    }


def _mapping(mapping: ViewMapping) -> Shape:
    return {
        "columns": [_view_column(column) for column in mapping.columns],
        "group_by": mapping.group_by,
        "joins": list(mapping.joins),
    }


def _view_column(column: ViewColumn) -> Shape:
    return {
        "column": render_column(column.column),
        "parent_name": column.parent,
        "aggregation": column.aggregation,
    }
