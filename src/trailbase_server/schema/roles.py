"""
What tables and columns mean to a record API: keys, references, JSON, files, geometry.

All of it is read from constraints. Those that stand behind the columns count like those at a
column: ``effective_column`` folds the former into the latter. A key has to be an integer or a
BLOB that is known to hold UUIDs, because a check says so or because it refers to such a column.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from trailbase_server.schema.checks import all_calls, mentioned_names, promised_calls
from trailbase_server.schema.lexer import TokenKind, is_quoted, unquote
from trailbase_server.schema.model import (
    Catalog,
    Check,
    Column,
    ColumnOption,
    DataType,
    Default,
    ForeignKey,
    Generated,
    Join,
    NotNull,
    QualifiedName,
    References,
    Table,
    Unique,
    View,
    ViewColumn,
    ViewMapping,
)

USER_TABLE = "_user"
FILE_SCHEMAS = frozenset(("std.FileUpload", "std.FileUploads"))
_UUID_CHECKS = frozenset(("is_uuid", "is_uuid_v4", "is_uuid_v7"))
# Joins that may repeat a row of the table whose key would be the record's.
_UNSAFE_JOINS = Join.RIGHT | Join.CROSS | Join.NATURAL


class JsonByName(Struct, frozen=True):
    """JSON that follows a registered schema."""

    name: str


class JsonInline(Struct, frozen=True):
    """JSON that follows the schema written in the check."""

    schema_text: str


JsonRole = JsonByName | JsonInline


def effective_column(table: Table, column: Column) -> Column:
    """
    Add to a column what the table's constraints say about it alone.

    Args:
        table: Has the column.
        column: One of ``table.columns``.

    Returns:
        The column with further options behind its own; the same one if there are none.

    Spec:
        sqlite/beyond-upstream-gaps-worth-closing
    """
    added: list[ColumnOption] = [
        Unique(unique.is_primary, unique.conflict_clause)
        for unique in table.unique
        if _same_names(unique.columns, column.name)
    ]
    added += [
        References(key.foreign_table, key.referred_columns, key.on_delete, key.on_update)
        for key in table.foreign_keys
        if _same_names(key.columns, column.name)
    ]
    added += [Check(c.expr) for c in table.checks if _mentions_only(table, c, column)]
    return replace(column, options=(*column.options, *added)) if added else column


def _same_names(columns: tuple[str, ...], name: str) -> bool:
    return len(columns) == 1 and columns[0].lower() == name.lower()


def _mentions_only(table: Table, check: Check, column: Column) -> bool:
    names = {c.name.lower() for c in table.columns}
    mentioned = {unquote(token.text).lower() for token in mentioned_names(check.expr)} & names
    return mentioned == {column.name.lower()}


def json_role(column: Column) -> JsonRole | None:
    """
    Find the JSON schema that a column's check names or contains; the first one wins.

    Spec:
        sqlite/column-roles-from-column-level-checks-only
    """
    if column.data_type not in (DataType.TEXT, DataType.ANY):
        return None
    for check in _checks(column):
        for call in all_calls(check.expr):
            first = call.arguments[0] if call.arguments else None
            if first is None or len(call.arguments) < 2 or call.arguments[1].text != ",":
                continue
            if call.function == "jsonschema" and (
                first.kind is TokenKind.STRING or is_quoted(first)
            ):
                return JsonByName(unquote(first.text))
            if call.function == "jsonschema_matches" and first.kind is TokenKind.STRING:
                return JsonInline(unquote(first.text))
    return None


def is_file(column: Column) -> bool:
    """Does the column hold uploaded files?"""
    role = json_role(column)
    return isinstance(role, JsonByName) and role.name in FILE_SCHEMAS


def is_geometry(column: Column) -> bool:
    """
    Does the column hold geometries?

    Spec:
        sqlite/column-roles-from-column-level-checks-only
    """
    return column.data_type is DataType.BLOB and _is_promised(column, frozenset(("st_isvalid",)))


def is_hidden(name: str) -> bool:
    """Is this the name of a column or table that is not shown?"""
    return name.startswith("_")


def is_primary(column: Column) -> bool:
    """Is the column by itself the primary key?"""
    return any(isinstance(option, Unique) and option.is_primary for option in column.options)


def is_row_id(table: Table, column: Column) -> bool:
    """
    Is the primary key another name of the row id?

    SQLite takes the type's exact name for it, and not if the order is descending: where that word
    occurs at all, the answer is no.
    """
    return (
        column.type_name.upper() == "INTEGER"
        and is_primary(effective_column(table, column))
        and not table.without_rowid
        and bool(table.sql)
        and "DESC" not in table.sql.upper()
    )


def is_nullable(column: Column) -> bool:
    """
    Can the column be NULL as far as its declaration says? Integer primary keys cannot.

    Spec:
        sqlite/table-view-schema-mode-insert-default-select-update-case-sensitive
    """
    if any(isinstance(option, NotNull) for option in column.options):
        return False
    return not (column.data_type is DataType.INTEGER and is_primary(column))


def is_generated(column: Column) -> bool:
    """Is the value computed, so that it cannot be written?"""
    return any(isinstance(option, Generated) for option in column.options)


def has_default(column: Column) -> bool:
    """
    Can an insert leave the column out: a default, a primary key, or a computed value?

    Spec:
        sqlite/table-view-schema-mode-insert-default-select-update-case-sensitive
    """
    return is_primary(column) or any(
        isinstance(option, Default | Generated) for option in column.options
    )


def foreign_key(table: Table, column_name: str) -> ForeignKey | None:
    """
    Find the foreign key that consists of one column, wherever it is declared.

    Returns:
        The key in table form, without name if declared at the column.

    Spec:
        records/columns-classification
    """
    for column in table.columns:
        if column.name == column_name:
            return _reference(effective_column(table, column))
    return None


def _reference(column: Column) -> ForeignKey | None:
    for option in column.options:
        if isinstance(option, References):
            return ForeignKey(
                (column.name,),
                option.foreign_table,
                option.referred_columns,
                option.on_delete,
                option.on_update,
            )
    return None


def is_user_id(table: Table, column: Column) -> bool:
    """
    Does the column refer to a user?

    Args:
        table: Table the column is from.
        column: The column; in a view possibly under another name.

    Spec:
        records/columns-classification
    """
    key = _reference(column) or foreign_key(table, column.name)
    if key is None or key.foreign_table.lower() != USER_TABLE:
        return False
    return not key.referred_columns or _same_names(key.referred_columns, "id")


def find_table(catalog: Catalog, name: str, schema: str | None) -> Table | None:
    """Look a table up the way SQLite does: capitals do not matter."""
    exact = catalog.table(QualifiedName(name, schema))
    if exact is not None:
        return exact
    wanted = QualifiedName(name.lower(), schema).key
    for table in catalog.tables.values():
        if QualifiedName(table.name.name.lower(), table.name.database_schema).key == wanted:
            return table
    return None


def record_key(relation: Table | View, catalog: Catalog) -> Column | None:
    """
    Choose the column that identifies records.

    Args:
        relation: A table or view.
        catalog: Where references lead.

    Returns:
        The first suitable column, as it is in the model; None if there is none, if the table is
        not STRICT, or if the columns of the view could not be inferred.

    Spec:
        sqlite/record-primary-key-of-a-table
        sqlite/record-primary-key-of-a-view
    """
    if isinstance(relation, View):
        return None if relation.mapping is None else _view_key(relation.mapping, catalog)
    if not relation.strict:
        return None
    for column in relation.columns:
        if _is_suitable(effective_column(relation, column), relation.name, catalog):
            return column
    return None


def _view_key(mapping: ViewMapping, catalog: Catalog) -> Column | None:
    grouped = None if mapping.group_by is None else mapping.columns[mapping.group_by]
    if grouped is not None and _is_view_key(grouped, catalog):
        return grouped.column
    if any(bits & _UNSAFE_JOINS for bits in mapping.joins):
        return None
    # Without groups an aggregate yields one row that is no record; with groups a bare key belongs
    # to an arbitrary row.
    wanted = ("",) if grouped is None else ("MIN", "MAX")
    for item in mapping.columns:
        if (item.aggregation or "").upper() in wanted and _is_view_key(item, catalog):
            return item.column
    return None


def _is_view_key(item: ViewColumn, catalog: Catalog) -> bool:
    return (
        item.table is not None
        and not item.nullable_by_join
        and _is_suitable(item.column, item.table, catalog)
    )


def _is_suitable(column: Column, table: QualifiedName, catalog: Catalog) -> bool:
    if not is_primary(column):
        return False
    if column.data_type is DataType.INTEGER:
        return True
    return column.data_type is DataType.BLOB and _holds_uuids(column, table, catalog)


def _holds_uuids(column: Column, table: QualifiedName, catalog: Catalog) -> bool:
    """Follow references until a check says that the values are UUIDs."""
    seen: set[tuple[str, str, str]] = set()
    while (*table.key, column.name) not in seen:
        if _is_promised(column, _UUID_CHECKS):
            return True
        seen.add((*table.key, column.name))
        target = _referred(column, table, catalog)
        if target is None:
            return False
        column, table = target
    return False


def _referred(
    column: Column, table: QualifiedName, catalog: Catalog
) -> tuple[Column, QualifiedName] | None:
    key = _reference(column)
    if key is None:
        return None
    foreign = find_table(catalog, key.foreign_table, table.database_schema)
    if foreign is None:
        return None
    for candidate in foreign.columns:
        found = effective_column(foreign, candidate)
        is_meant = (
            _same_names(key.referred_columns, found.name)
            if key.referred_columns
            else is_primary(found)
        )
        if is_meant:
            return found, foreign.name
    return None


def _checks(column: Column) -> Iterator[Check]:
    return (option for option in column.options if isinstance(option, Check))


def _is_promised(column: Column, functions: frozenset[str]) -> bool:
    return any(
        call.function in functions
        for check in _checks(column)
        for call in promised_calls(check.expr)
    )
