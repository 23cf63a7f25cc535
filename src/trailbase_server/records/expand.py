"""
Foreign keys as embedded records.

A column listed in the API's ``expand`` is always shown as ``{"id": …}``. When a request asks for
it, ``data`` is added: the referenced row, one hop, without hidden columns. The rows are fetched by
key after the page itself, each once however many records refer to it, so the statement of the page
does not depend on what is expanded. A reference to nothing gets no ``data``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson
from msgspec import Struct

from trailbase_server.db.dialect import quote, quote_qualified
from trailbase_server.db.values import Params, Row, SqlValue
from trailbase_server.errors import BadRequestError
from trailbase_server.records.columns import column_list, compile_columns, referred_table
from trailbase_server.records.encode import Record, RowEncoder, compile_encoder, dump_json
from trailbase_server.schema.model import Catalog, Table, View
from trailbase_server.schema.roles import record_key

Read = Callable[[str, Params], list[Row]]
MAX_KEYS = 512  # per statement; a power of two


class InvalidExpansionError(BadRequestError):
    """A column that the API does not expand."""

    def __init__(self) -> None:
        super().__init__("Invalid expansion")


class Expansion(Struct, frozen=True):
    """
    How one reference is resolved.

    Attributes:
        column: Name of the referring column.
        select_sql: Selects visible columns, then the key, up to and including ``IN``.
        encode: Encodes the row.
    """

    column: str
    select_sql: str
    encode: RowEncoder


def compile_expansion(relation: Table | View, column: str, catalog: Catalog) -> Expansion | None:
    """
    Prepare the expansion of one column; None if it is no reference to a table with a key.

    Args:
        relation: Table or view that has the column.
        column: Name of the referring column.
        catalog: Where references lead.

    Spec:
        records/foreign-key-expansion
    """
    target = referred_table(relation, column, catalog)
    key = record_key(target, catalog) if target is not None else None
    if target is None or key is None:
        return None
    visible = [c for c in compile_columns(target, catalog, key.name) if not c.hidden]
    visible.sort(key=lambda c: c.name.encode())
    key_sql = f"_ROW_.{quote(key.name)}"
    table_sql = quote_qualified(target.name.database_schema, target.name.name)
    select_sql = f"SELECT {column_list(visible)}, {key_sql} FROM {table_sql} AS _ROW_"  # noqa: S608  # quoted
    return Expansion(
        column=column,
        select_sql=f"{select_sql} WHERE {key_sql} IN",
        encode=compile_encoder(visible, frozenset()),
    )


def check_expansions(
    available: Mapping[str, Expansion], names: Iterable[str]
) -> Sequence[Expansion]:
    """
    Look up what a request wants expanded.

    Args:
        available: Expansions that the API is configured with, by column.
        names: Column names as requested; repetitions count once.

    Raises:
        InvalidExpansionError: One of them is not configured.

    Spec:
        records/foreign-key-expansion
    """
    try:
        return [available[name] for name in dict.fromkeys(names)]
    except KeyError as exc:
        raise InvalidExpansionError from exc


def attach_data(read: Read, expansions: Iterable[Expansion], records: Sequence[Record]) -> None:
    """
    Add ``data`` to the wrapped references of records.

    Args:
        read: Runs one statement.
        expansions: What to resolve.
        records: Encoded records, changed in place.

    Spec:
        records/foreign-key-expansion
    """
    for expansion in expansions:
        references: list[Record] = [
            reference
            for record in records
            if isinstance(reference := record[expansion.column], dict)
        ]
        data = _fetch(read, expansion, list({reference["id"] for reference in references}))
        for reference in references:
            found = data.get(reference["id"])
            if found is not None:
                reference["data"] = found


def _fetch(read: Read, expansion: Expansion, keys: list[SqlValue]) -> dict[SqlValue, Any]:
    data: dict[SqlValue, Any] = {}
    for start in range(0, len(keys), MAX_KEYS):
        chunk = keys[start : start + MAX_KEYS]
        # The number of parameters is a power of two, so that few statements are ever prepared.
        size = 1 << (len(chunk) - 1).bit_length()
        chunk += [chunk[-1]] * (size - len(chunk))
        sql = f"{expansion.select_sql} ({','.join('?' * size)})"
        for row in read(sql, chunk):
            data[row[-1]] = orjson.Fragment(dump_json(expansion.encode(row)))
    return data
