"""
Tables, views and their parts as immutable values.

The shapes follow the wire (spec sqlite/5.2) and keep more than it shows: table-level keys,
``WITHOUT ROWID``, the original SQL. Lookups in a ``Catalog`` treat a missing schema, ``main`` and
``public`` as the same one.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct, field


class DataType(StrEnum):
    """Storage class a STRICT column is declared with."""

    ANY = "Any"
    BLOB = "Blob"
    TEXT = "Text"
    INTEGER = "Integer"
    REAL = "Real"


class Affinity(StrEnum):
    """SQLite's type affinity."""

    TEXT = "Text"
    INTEGER = "Integer"
    REAL = "Real"
    BLOB = "Blob"
    NUMERIC = "Numeric"


class ConflictClause(StrEnum):
    """``ON CONFLICT`` of a constraint."""

    ROLLBACK = "Rollback"
    ABORT = "Abort"
    FAIL = "Fail"
    IGNORE = "Ignore"
    REPLACE = "Replace"


class ReferentialAction(StrEnum):
    """``ON DELETE`` and ``ON UPDATE`` of a foreign key."""

    RESTRICT = "Restrict"
    CASCADE = "Cascade"
    SET_NULL = "SetNull"
    NO_ACTION = "NoAction"
    SET_DEFAULT = "SetDefault"


class QualifiedName(Struct, frozen=True):
    """Name of a table, view or index; ``database_schema`` is None where the text had none."""

    name: str
    database_schema: str | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What lookups compare: absent, ``main`` and ``public`` are one schema; case matters."""
        schema = self.database_schema
        return ("main" if schema in (None, "main", "public") else schema or "main", self.name)


class Null(Struct, frozen=True):
    """``NULL``: explicitly nullable."""


class NotNull(Struct, frozen=True):
    """``NOT NULL``."""


class Default(Struct, frozen=True):
    """``DEFAULT``; canonical text, parenthesised expressions keep their parentheses."""

    sql: str


class Unique(Struct, frozen=True):
    """Column-level ``UNIQUE`` or ``PRIMARY KEY``."""

    is_primary: bool
    conflict_clause: ConflictClause | None = None
    autoincrement: bool = False


class References(Struct, frozen=True):
    """
    Column-level ``REFERENCES``; no ``referred_columns`` means the foreign primary key.
    ``deferrable`` is the clause as written, in capitals.
    """

    foreign_table: str
    referred_columns: tuple[str, ...] = ()
    on_delete: ReferentialAction | None = None
    on_update: ReferentialAction | None = None
    deferrable: str | None = None


class Check(Struct, frozen=True):
    """``CHECK``; canonical text without the outer parentheses. ``name`` only at table level."""

    expr: str
    name: str | None = None


class Generated(Struct, frozen=True):
    """Generated column; ``mode`` is ``Virtual``, ``Stored`` or None (not said: virtual)."""

    expr: str
    mode: str | None = None


class Collate(Struct, frozen=True):
    """``COLLATE``."""

    name: str


ColumnOption = Null | NotNull | Default | Unique | References | Check | Generated | Collate


class Column(Struct, frozen=True):
    """
    A column.

    Attributes:
        type_name: As written, words joined by one blank, sizes dropped.
        options: In source order.
    """

    name: str
    type_name: str
    data_type: DataType
    affinity: Affinity
    options: tuple[ColumnOption, ...] = ()


class ForeignKey(Struct, frozen=True):
    """Table-level ``FOREIGN KEY``."""

    columns: tuple[str, ...]
    foreign_table: str
    referred_columns: tuple[str, ...] = ()
    on_delete: ReferentialAction | None = None
    on_update: ReferentialAction | None = None
    name: str | None = None
    deferrable: str | None = None


class UniqueConstraint(Struct, frozen=True):
    """Table-level ``UNIQUE`` or (``is_primary``, not shown on the wire) ``PRIMARY KEY``."""

    columns: tuple[str, ...]
    conflict_clause: ConflictClause | None = None
    name: str | None = None
    is_primary: bool = False


class Table(Struct, frozen=True):
    """A table; ``sql`` is the text it was parsed from."""

    name: QualifiedName
    strict: bool
    columns: tuple[Column, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    unique: tuple[UniqueConstraint, ...] = ()
    checks: tuple[Check, ...] = ()
    virtual_table: bool = False
    temporary: bool = False
    without_rowid: bool = False
    sql: str = ""


class Join:
    """Bits of ``ViewMapping.joins``."""

    INNER = 1
    CROSS = 2
    NATURAL = 4
    LEFT = 8
    RIGHT = 16
    OUTER = 32


class ViewColumn(Struct, frozen=True):
    """
    A result column of a view.

    Attributes:
        column: Renamed copy of the base column, or a bare column for casts and literals.
        parent: Alias or name of the source, None if not a plain column.
        aggregation: Name of the aggregate as written, None if none.
        table: The base table the column comes from, None if not a plain column.
        nullable_by_join: On the optional side of an outer join.
    """

    column: Column
    parent: str | None = None
    aggregation: str | None = None
    table: QualifiedName | None = None
    nullable_by_join: bool = False


class ViewMapping(Struct, frozen=True):
    """Result columns of a view, as inferred; ``group_by`` is an index into ``columns``."""

    columns: tuple[ViewColumn, ...]
    group_by: int | None = None
    joins: tuple[int, ...] = ()


class View(Struct, frozen=True):
    """A view; ``mapping`` is None when its columns cannot be inferred."""

    name: QualifiedName
    mapping: ViewMapping | None
    query: str
    temporary: bool = False
    sql: str = ""


class IndexColumn(Struct, frozen=True):
    """An indexed column, or (``is_expression``) the canonical text of an expression."""

    column_name: str
    ascending: bool | None = None
    nulls_first: bool | None = None
    is_expression: bool = False


class Index(Struct, frozen=True):
    """An index."""

    name: QualifiedName
    table_name: str
    columns: tuple[IndexColumn, ...]
    unique: bool = False
    predicate: str | None = None
    sql: str = ""


class Trigger(Struct, frozen=True):
    """A trigger; its body is not analysed."""

    name: QualifiedName
    table_name: str
    sql: str = ""


class Catalog(Struct, frozen=True):
    """
    Everything the open databases contain.

    Attributes:
        tables, views: By ``QualifiedName.key``; names carry their concrete schema (``main``
            included).
        problems: Objects that could not be read, with the reason.
    """

    tables: Mapping[tuple[str, str], Table] = field(default_factory=dict)
    views: Mapping[tuple[str, str], View] = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    problems: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @staticmethod
    def of(tables: Iterable[Table], views: Iterable[View] = ()) -> "Catalog":
        """Make a catalog of tables and views alone."""
        return Catalog({t.name.key: t for t in tables}, {v.name.key: v for v in views})

    def table(self, name: QualifiedName) -> Table | None:
        """Look a table up."""
        return self.tables.get(name.key)

    def view(self, name: QualifiedName) -> View | None:
        """Look a view up."""
        return self.views.get(name.key)
