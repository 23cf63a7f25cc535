"""
Columns of views: from the query's text to columns of tables.

A result column that is a column of a table (directly, through another view, or as MIN, MAX or SUM)
inherits that column's declaration, so that a record API knows its type, whether it may be NULL and
whether it identifies records. Casts and literals have a type only. The names are SQLite's where
they are known.

Going through a view or a sub-query keeps a key a key only if every row of the inner one still
belongs to one row of the key's table.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from trailbase_server.schema.columns import make_column
from trailbase_server.schema.lexer import SchemaSyntaxError, Token, TokenKind
from trailbase_server.schema.model import (
    Column,
    DataType,
    Join,
    NotNull,
    QualifiedName,
    Table,
    Unique,
    View,
    ViewColumn,
    ViewMapping,
)
from trailbase_server.schema.parser import ViewHead
from trailbase_server.schema.roles import effective_column
from trailbase_server.schema.select import (
    Aggregate,
    Cast,
    ColumnName,
    Item,
    Literal,
    Select,
    Source,
    Star,
    UnfitQueryError,
    parse_column_name,
    parse_select,
)

Lookup = Callable[[str, str | None], Table | View | None]
"""Finds what a name (and schema, if given) means inside the view."""

Place = tuple[int, int]
"""Index of a source and of a column in it."""


class _Scope(Struct, frozen=True):
    """What a source offers; ``merged`` are columns that USING or NATURAL puts into earlier ones."""

    alias: str
    columns: tuple[ViewColumn, ...]
    merged: frozenset[str]


class _Result(Struct, frozen=True):
    """A result column: None where it is left out of the mapping."""

    column: ViewColumn | None
    place: Place | None = None


def infer_view(
    sql: str, head: ViewHead, lookup: Lookup, names: Sequence[str] | None = None
) -> ViewMapping | None:
    """
    Find out where a view's columns come from.

    Args:
        sql: Text of the view.
        head: The same, parsed.
        lookup: Finds tables and views.
        names: What SQLite calls the columns; without it the names are worked out.

    Returns:
        The mapping; None if the view cannot back a record API.

    Spec:
        sqlite/views-column-inference
        records/views
    """
    try:
        mapping, results = _infer(parse_select(sql, head.body), lookup)
    except SchemaSyntaxError:
        return None
    names = head.columns if head.columns is not None else names
    return mapping if names is None else _rename(mapping, results, names)


def _rename(
    mapping: ViewMapping, results: Sequence[_Result], names: Sequence[str]
) -> ViewMapping | None:
    if len(names) != len(results):
        return None
    columns = tuple(
        _with_name(result.column, name)
        for result, name in zip(results, names, strict=True)
        if result.column is not None
    )
    return replace(mapping, columns=columns)


def _with_name(item: ViewColumn, name: str) -> ViewColumn:
    return replace(item, column=replace(item.column, name=name))


def _infer(select: Select, lookup: Lookup) -> tuple[ViewMapping, list[_Result]]:
    for name, names, query in select.tables:
        lookup = _with_table(lookup, name, names, query)
    scopes: list[_Scope] = []
    joins: list[int] = []
    for source in select.sources:
        if source.joins:
            joins.append(source.joins)
        scope, inner_joins = _open_scope(source, scopes, lookup)
        joins += inner_joins
        if source.joins & Join.RIGHT:
            scopes = [replace(s, columns=_optional(s.columns)) for s in scopes]
        if source.joins & Join.LEFT:
            scope = replace(scope, columns=_optional(scope.columns))
        scopes.append(scope)
    results = [result for item in select.items for result in _expand(item, scopes)]
    is_aggregate = any(isinstance(item.expression, Aggregate) for item in select.items)
    if is_aggregate and not select.group_by:
        # One row whatever there is, of NULLs if there is nothing.
        results = [_of_single_row(result) for result in results]
    columns = tuple(result.column for result in results if result.column is not None)
    if not columns:
        raise UnfitQueryError("no column of known type")
    group_by = _find_group(select, scopes, results)
    return ViewMapping(columns, group_by, tuple(joins)), results


def _with_table(lookup: Lookup, table: str, names: tuple[str, ...] | None, query: Select) -> Lookup:
    """Make a lookup that also knows a table of the WITH clause."""

    def find(name: str, schema: str | None) -> Table | View | None:
        if schema is not None or name.lower() != table.lower():
            return lookup(name, schema)
        mapping, results = _infer(query, lookup)
        renamed = mapping if names is None else _rename(mapping, results, names)
        return View(QualifiedName(table), renamed, "")

    return find


def _open_scope(
    source: Source, scopes: Sequence[_Scope], lookup: Lookup
) -> tuple[_Scope, tuple[int, ...]]:
    alias = source.alias or source.name
    joins: tuple[int, ...] = ()
    if source.query is not None:
        mapping, _ = _infer(source.query, lookup)
        columns, joins = tuple(_from_inner(mapping, alias)), mapping.joins
    else:
        relation = lookup(source.name, source.schema)
        if isinstance(relation, View) and relation.mapping is not None:
            columns = tuple(_from_inner(relation.mapping, alias))
            joins = relation.mapping.joins
        elif isinstance(relation, Table) and relation.strict:
            columns = tuple(
                ViewColumn(effective_column(relation, column), alias, None, relation.name)
                for column in relation.columns
            )
        else:
            raise UnfitQueryError(f"no STRICT table {source.name}")
    merged = frozenset(name.lower() for name in source.using)
    if source.joins & Join.NATURAL:
        known = {item.column.name.lower() for scope in scopes for item in scope.columns}
        merged = frozenset(item.column.name.lower() for item in columns) & known
    if merged and source.joins & Join.RIGHT:
        raise UnfitQueryError("columns merged from both sides")
    return _Scope(alias, columns, merged), joins


def _from_inner(mapping: ViewMapping, alias: str) -> Iterator[ViewColumn]:
    """Offer the columns of a view or sub-query to the query around it."""
    for at, item in enumerate(mapping.columns):
        extreme = (item.aggregation or "").upper() in ("MIN", "MAX")
        keeps_key = at == mapping.group_by or (
            item.aggregation is None if mapping.group_by is None else extreme
        )
        column = item.column if keeps_key else _without_key(item.column)
        yield replace(item, column=column, parent=alias, aggregation=None)


def _without_key(column: Column) -> Column:
    options = tuple(
        option
        for option in column.options
        if not (isinstance(option, Unique) and option.is_primary)
    )
    return replace(column, options=options)


def _optional(columns: Sequence[ViewColumn]) -> tuple[ViewColumn, ...]:
    return tuple(replace(item, nullable_by_join=True) for item in columns)


def _of_single_row(result: _Result) -> _Result:
    if result.column is None:
        return result
    column = _without_key(result.column.column)
    options = tuple(option for option in column.options if not isinstance(option, NotNull))
    return replace(result, column=replace(result.column, column=replace(column, options=options)))


def _expand(item: Item, scopes: Sequence[_Scope]) -> Iterator[_Result]:
    match item.expression:
        case Star(table=table):
            yield from _expand_star(table, scopes)
        case ColumnName() as name:
            place = _find(name, scopes)
            found = _at(place, scopes)
            yield _Result(_with_name(found, item.alias or found.column.name), place)
        case Cast(type_name=type_name):
            yield _Result(ViewColumn(_cast_column(item.alias or item.text, type_name)))
        case Literal(data_type=data_type):
            yield _Result(ViewColumn(make_column(item.alias or item.text, data_type.upper())))
        case Aggregate(function=function, argument=argument):
            if argument is None:
                yield _Result(None)
            else:
                found = replace(_at(_find(argument, scopes), scopes), aggregation=function)
                yield _Result(_with_name(found, item.alias or item.text))


def _cast_column(name: str, type_name: str) -> Column:
    column = make_column(name, type_name)
    if type_name == "BOOLEAN":  # SQLite has none: 0 and 1
        return replace(column, data_type=DataType.INTEGER)
    return column


def _expand_star(table: str | None, scopes: Sequence[_Scope]) -> Iterator[_Result]:
    wanted = [
        (at, scope)
        for at, scope in enumerate(scopes)
        if table is None or scope.alias.lower() == table.lower()
    ]
    if not wanted:
        raise UnfitQueryError(f"no table {table}")
    for at, scope in wanted:
        for index, column in enumerate(scope.columns):
            if table is not None or column.column.name.lower() not in scope.merged:
                yield _Result(column, (at, index))


def _find(name: ColumnName, scopes: Sequence[_Scope]) -> Place:
    """Find the one column that a name can mean."""
    wanted = name.name.lower()
    found = [
        (at, index)
        for at, scope in enumerate(scopes)
        if name.table is None or scope.alias.lower() == name.table.lower()
        for index, item in enumerate(scope.columns)
        if item.column.name.lower() == wanted
        and not (name.table is None and wanted in scope.merged)
    ]
    if len(found) != 1:
        raise UnfitQueryError(f"{len(found)} columns {name.name}")
    return found[0]


def _at(place: Place, scopes: Sequence[_Scope]) -> ViewColumn:
    return scopes[place[0]].columns[place[1]]


def _find_group(select: Select, scopes: Sequence[_Scope], results: Sequence[_Result]) -> int | None:
    """Find the exposed column that the query groups by; None if it does not group."""
    if not select.group_by:
        return None
    if len(select.group_by) > 1:
        raise UnfitQueryError("grouped by more than one column")
    exposed = [result for result in results if result.column is not None]
    chosen = _group_result(select.group_by[0], scopes, results)
    if chosen is None or chosen.place is None or chosen.column is None:
        raise UnfitQueryError("grouped by what is no result column")
    return next(at for at, result in enumerate(exposed) if result is chosen)


def _group_result(
    term: Sequence[Token], scopes: Sequence[_Scope], results: Sequence[_Result]
) -> _Result | None:
    if len(term) == 1 and term[0].kind is TokenKind.NUMBER and term[0].text.isdigit():
        index = int(term[0].text) - 1
        return results[index] if 0 <= index < len(results) else None
    name = parse_column_name(term)
    if name is None:
        return None
    # Columns of the sources come before names of result columns, as in SQLite.
    try:
        place = _find(name, scopes)
    except UnfitQueryError:
        wanted = name.name.lower()
        return next(
            (r for r in results if r.column is not None and r.column.column.name.lower() == wanted),
            None,
        )
    return next((r for r in results if r.place == place), None)
