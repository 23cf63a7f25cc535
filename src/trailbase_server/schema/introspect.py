"""
A whole database as a ``Catalog``: every schema's definitions, parsed; views with their columns.

An object that cannot be read is listed under ``problems`` and takes nothing else down: a record
API over it is refused when it is configured, the rest of the server works.
"""

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from trailbase_server.db.dialect import quote
from trailbase_server.db.errors import DatabaseError
from trailbase_server.db.values import Row
from trailbase_server.schema.lexer import SchemaSyntaxError
from trailbase_server.schema.model import (
    Catalog,
    Index,
    QualifiedName,
    Table,
    Trigger,
    View,
)
from trailbase_server.schema.parser import (
    ViewHead,
    parse_index,
    parse_table,
    parse_trigger,
    parse_view_head,
)
from trailbase_server.schema.views import infer_view

Read = Callable[[str], list[Row]]
"""Runs one statement and returns its rows."""

Key = tuple[str, str]
UNAVAILABLE = 503  # status of errors that say nothing about the object
MAX_DEPTH = 20  # views that are read one through another


def read_catalog(read: Read) -> Catalog:
    """
    Read the definitions of all open databases.

    Args:
        read: Runs one statement, ``Reader.read`` for instance.

    Returns:
        The catalog; names carry their schema, ``main`` included.

    Raises:
        DatabaseError: The main database cannot be read, or the engine is not available now.

    Spec:
        sqlite/build
        sqlite/schema-model
    """
    return _Reading(read).run()


class _Reading:
    """One run: views need each other, so they are inferred on demand and remembered."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._tables: dict[Key, Table] = {}
        self._views: dict[Key, View] = {}
        self._indexes: list[Index] = []
        self._triggers: list[Trigger] = []
        self._problems: dict[Key, str] = {}
        self._heads: dict[Key, tuple[str, ViewHead]] = {}
        # SQLite does not mind capitals: schema and name in lower case → key.
        self._folded: dict[Key, Key] = {}
        self._schemas: list[str] = []
        self._depth = 0

    def run(self) -> Catalog:
        self._schemas = [str(row[1]) for row in self._read("PRAGMA database_list")]
        for schema in self._schemas:
            for kind, name, sql in self._definitions(schema):
                try:
                    self._add(kind, QualifiedName(name, schema), sql)
                except SchemaSyntaxError as exc:
                    self._problems[(schema, name)] = str(exc)
        for key in list(self._heads):
            self._view(key)
        return Catalog(
            tables=self._tables,
            views=self._views,
            indexes=tuple(self._indexes),
            triggers=tuple(self._triggers),
            problems=self._problems,
        )

    def _definitions(self, schema: str) -> Iterator[tuple[str, str, str]]:
        sql = f"SELECT type, name, sql FROM {quote(schema)}.sqlite_schema ORDER BY rowid"  # noqa: S608 quoted
        try:
            rows = self._read(sql)
        except DatabaseError as exc:
            if schema == "main" or exc.status == UNAVAILABLE:
                raise
            self._problems[(schema, "")] = str(exc)
            return
        for kind, name, definition in rows:
            if isinstance(definition, str):  # automatic indexes have none
                yield str(kind), str(name), definition

    def _add(self, kind: str, name: QualifiedName, sql: str) -> None:
        schema = name.database_schema
        match kind:
            case "table":
                self._tables[name.key] = replace(parse_table(sql, schema), name=name)
                self._fold(name)
            case "view":
                self._heads[name.key] = (sql, parse_view_head(sql, schema))
                self._fold(name)
            case "index":
                self._indexes.append(replace(parse_index(sql, schema), name=name))
            case "trigger":
                self._triggers.append(replace(parse_trigger(sql, schema), name=name))

    def _fold(self, name: QualifiedName) -> None:
        schema, text = name.key
        self._folded[(schema.lower(), text.lower())] = name.key

    def _view(self, key: Key) -> View | None:
        """Give a view with its columns; None while it is being inferred, or if it is none."""
        if key in self._views or key not in self._heads or self._depth > MAX_DEPTH:
            return self._views.get(key)
        sql, head = self._heads.pop(key)
        self._depth += 1
        names = self._column_names(key)
        mapping = None
        if names is not None:
            mapping = infer_view(
                sql, head, lambda name, schema: self._find(name, schema, key[0]), names
            )
        view = View(QualifiedName(key[1], key[0]), mapping, head.query, head.temporary, sql)
        self._views[key] = view
        self._depth -= 1
        return view

    def _column_names(self, key: Key) -> list[str] | None:
        """Ask SQLite what it calls the columns; a view that it cannot open is a problem."""
        schema, name = key
        try:
            rows = self._read(f"PRAGMA {quote(schema)}.table_xinfo({quote(name)})")
        except DatabaseError as exc:
            if exc.status == UNAVAILABLE:
                raise
            self._problems[key] = str(exc)
            return None
        return [str(row[1]) for row in rows]

    def _find(self, name: str, schema: str | None, home: str) -> Table | View | None:
        """Find what a name means in a view of the schema ``home``."""
        if schema is not None:
            homes = [schema]
        elif home == "temp":
            homes = ["temp", *self._schemas]
        else:
            homes = [home]  # the only place SQLite looks
        for place in homes:
            key = self._folded.get((place.lower(), name.lower()))
            if key is not None:
                return self._tables.get(key) or self._view(key)
        return None
