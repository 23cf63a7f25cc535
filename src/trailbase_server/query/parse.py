"""
Query strings of lists and subscriptions.

.. code-block:: text

    query      := parameter ("&" parameter)*
    parameter  := name ("[" segment "]")* ("=" value)?
    filter     := node                               everything under the name "filter"
    node       := member+                            several members: all of them
    member     := ("$and" | "$or") -> array of nodes
                | column -> value                    equality
                | column -> (operator -> value)+     several operators: all of them
    array      := 0 -> node, 1 -> node …             any order, no gaps

Parameters are first collected into a tree of dicts by their segments, then read. Every error is an
``InvalidQueryError``. Equal query strings come often: their results are shared.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote_plus

from msgspec import Struct

from trailbase_server.errors import BadRequestError
from trailbase_server.query.filter import And, Comparison, FilterNode, Operator, Or

MAX_SEGMENTS = 9  # brackets of one key; upstream splits no more
MAX_LEVELS = 5  # nodes inside nodes
MAX_COMPARISONS = 500  # SQLite refuses expressions deeper than 1000
MAX_NAMES = 5  # columns in ``order`` and in ``expand``
MAX_COUNT = 2**64 - 1  # limit and offset are unsigned on the wire …
MAX_OFFSET = 2**63 - 1  # … and signed in SQL
CACHED_QUERIES = 1024  # results kept, of queries of at most …
CACHED_LENGTH = 512  # … so many characters: half a megabyte of texts

_SCALARS = ("limit", "offset", "cursor", "count", "order", "expand", "geojson", "skip_cursor")
_MAY_REPEAT = ("limit", "offset", "cursor")
_MAY_BE_BARE = ("limit", "offset", "cursor", "order", "expand")
_COUNTS = {"true": True, "TRUE": True, "1": True, "false": False, "FALSE": False, "0": False}
_FLAGS = {"true": True, "false": False}
# The Python client forgets to close an index within composites: ``[$and][0[column]``.
_SEGMENT = re.compile(r"\[(?:([0-9]+)(?=\[)|([^\[\]]+)\])")
_UNSIGNED = re.compile(r"\+?[0-9]{1,20}\Z")

Tree = dict[str, "Tree | str"]
"""Segments of keys, and values at the leaves."""


class InvalidQueryError(BadRequestError):
    """The query string is none of this grammar: 400."""

    def __init__(self, public: str = "Invalid query") -> None:
        super().__init__(public)


class OrderTerm(Struct, frozen=True):
    """One column of ``order``."""

    column: str
    descending: bool


class ListQuery(Struct, frozen=True):
    """
    What a list request asks for.

    Attributes:
        limit: Records per page, None if not given.
        offset: Records to skip; fits SQLite's integer.
        cursor: Token of the page before, not yet opened.
        count: The total is wanted.
        order: As given, empty if not.
        filter: None if there is none.
        expand: Columns to expand, as given.
        geojson: Geometry column of a feature collection.
        skip_cursor: No token for the next page is wanted.
    """

    limit: int | None = None
    offset: int | None = None
    cursor: str | None = None
    count: bool = False
    order: tuple[OrderTerm, ...] = ()
    filter: FilterNode | None = None
    expand: tuple[str, ...] = ()
    geojson: str | None = None
    skip_cursor: bool = False


class SubscribeQuery(Struct, frozen=True):
    """
    What a subscription asks for: rows that match ``filter``, as SSE or over a WebSocket.

    ``resume``: events carry ids, for a client that may come back.
    """

    filter: FilterNode | None = None
    ws: bool = False
    resume: bool = False


NO_QUERY = ListQuery()


def parse_list_query(raw: str) -> ListQuery:
    """
    Read the query string of a list request.

    Args:
        raw: Text after ``?``: percent-encoded, bytes beyond ASCII as latin-1.

    Raises:
        InvalidQueryError: 400.

    Spec:
        records/parameters
        records/query-string-decoding
        records/filter-grammar
    """
    if not raw:
        return NO_QUERY
    return _parse_cached(raw) if len(raw) <= CACHED_LENGTH else _parse_list_query(raw)


def check_flags(raw: str) -> None:
    """
    Refuse malformed ``geojson`` and ``skip_cursor``, which comes before all other checks.

    Raises:
        InvalidQueryError: 400.

    Spec:
        records/order-of-checks
    """
    if "geojson" in raw or "skip_cursor" in raw:
        values: dict[str, str | None] = {}
        for key, value in _parameters(raw):
            if key.partition("[")[0] in ("geojson", "skip_cursor"):
                _add_scalar(values, key, value)
        _flag(values.get("skip_cursor"))


def parse_subscribe_query(raw: str) -> SubscribeQuery:
    """
    Read the query string of a subscription.

    Args:
        raw: As of ``parse_list_query``.

    Raises:
        InvalidQueryError: 400.

    Spec:
        records/endpoint-and-set-up-checks
    """
    tree: Tree = {}
    flags: dict[str, str] = {}
    for key, value in _parameters(raw):
        if key.startswith("filter"):
            _add_filter(tree, key, value)
        elif key in ("ws", "resume"):
            if key in flags or value is None:
                raise InvalidQueryError
            flags[key] = value
    return SubscribeQuery(_read_filter(tree), _flag(flags.get("ws")), _flag(flags.get("resume")))


def _parse_list_query(raw: str) -> ListQuery:
    values: dict[str, str | None] = {}
    tree: Tree = {}
    for key, value in _parameters(raw):
        if key.startswith("filter"):
            _add_filter(tree, key, value)
        elif key.partition("[")[0] in _SCALARS:
            _add_scalar(values, key, value)
    get = values.get
    count = get("count")
    offset = _unsigned(get("offset"))
    if offset is not None and offset > MAX_OFFSET:
        raise InvalidQueryError("Invalid offset")
    if count is not None and count not in _COUNTS:
        raise InvalidQueryError
    return ListQuery(
        limit=_unsigned(get("limit")),
        offset=offset,
        cursor=get("cursor"),
        count=False if count is None else _COUNTS[count],
        order=tuple(_order_term(entry) for entry in _entries(get("order"))),
        filter=_read_filter(tree),
        expand=tuple(_name(entry) for entry in _entries(get("expand"))),
        geojson=get("geojson"),
        skip_cursor=_flag(get("skip_cursor")),
    )


_parse_cached = lru_cache(CACHED_QUERIES)(_parse_list_query)


def _parameters(raw: str) -> Iterator[tuple[str, str | None]]:
    """Split and decode; a parameter without ``=`` has no value."""
    try:
        if not raw.isascii():
            raw = raw.encode("latin-1").decode()
        for part in raw.split("&"):
            if not part:
                continue
            key, equals, value = part.partition("=")
            if "%" in part or "+" in part:
                key = unquote_plus(key, errors="strict")
                value = unquote_plus(value, errors="strict")
            yield key, value if equals else None
    except UnicodeError as exc:
        raise InvalidQueryError from exc


def _add_scalar(values: dict[str, str | None], key: str, value: str | None) -> None:
    if key not in _SCALARS:  # with brackets
        raise InvalidQueryError
    if value is None and key not in _MAY_BE_BARE:
        raise InvalidQueryError
    if key in values and key not in _MAY_REPEAT:
        raise InvalidQueryError
    values[key] = value


def _flag(value: str | None) -> bool:
    if value is None:
        return False
    if value not in _FLAGS:
        raise InvalidQueryError
    return _FLAGS[value]


def _unsigned(text: str | None) -> int | None:
    if text is None:
        return None
    if not _UNSIGNED.match(text):
        raise InvalidQueryError
    value = int(text)
    if value > MAX_COUNT:
        raise InvalidQueryError
    return value


def _entries(text: str | None) -> list[str]:
    if text is None:
        return []
    entries = text.split(",")
    if len(entries) > MAX_NAMES:
        raise InvalidQueryError
    return [entry.strip() for entry in entries]


def _order_term(entry: str) -> OrderTerm:
    if entry[:1] in ("-", "+"):
        return OrderTerm(_name(entry[1:].strip()), entry[0] == "-")
    return OrderTerm(_name(entry), False)


def _name(text: str) -> str:
    """Check the characters of a column name."""
    if not text or not all(c.isalnum() or c in "._-" for c in text):
        raise InvalidQueryError
    return text


# Filters


def _add_filter(tree: Tree, key: str, value: str | None) -> None:
    """Put a value at its place in the tree of segments."""
    if key == "filter" and value is None:
        return
    segments = _segments(key)
    if not segments or value is None:
        raise InvalidQueryError
    for segment in segments[:-1]:
        inner = tree.setdefault(segment, {})
        if isinstance(inner, str):
            raise InvalidQueryError
        tree = inner
    if segments[-1] in tree:
        raise InvalidQueryError
    tree[segments[-1]] = value


def _segments(key: str) -> list[str]:
    # ``filters[a]`` and other misspellings would return unfiltered data if they were ignored.
    if key[6:7] != "[":
        raise InvalidQueryError
    segments: list[str] = []
    position = 6
    while position < len(key):
        match = _SEGMENT.match(key, position)
        if match is None or len(segments) == MAX_SEGMENTS:
            raise InvalidQueryError
        segments.append(match[1] or match[2])
        position = match.end()
    return segments


def _read_filter(tree: Tree) -> FilterNode | None:
    if not tree:
        return None
    node = _node(tree, 0)
    if _count_comparisons(node) > MAX_COMPARISONS:
        raise InvalidQueryError
    return node


def _count_comparisons(node: FilterNode) -> int:
    return 1 if isinstance(node, Comparison) else sum(map(_count_comparisons, node.nodes))


def _node(tree: Tree | str, level: int) -> FilterNode:
    if isinstance(tree, str):
        raise InvalidQueryError
    if len(tree) == 1:
        for key, value in tree.items():
            return _member(key, value, level)
    return And(tuple(_member(key, value, level + 1) for key, value in tree.items()))


def _member(key: str, value: Tree | str, level: int) -> FilterNode:
    if level >= MAX_LEVELS:
        raise InvalidQueryError
    if key in ("$and", "$or"):
        nodes = tuple(_node(element, level + 1) for element in _array(value))
        return And(nodes) if key == "$and" else Or(nodes)
    if key.isascii() and key.isdigit():  # an index without an array
        raise InvalidQueryError
    column = _name(key)
    if isinstance(value, str):
        return Comparison(column, Operator.EQUAL, value)
    comparisons = tuple(_comparison(column, name, text) for name, text in value.items())
    return comparisons[0] if len(comparisons) == 1 else And(comparisons)


def _array(value: Tree | str) -> list[Tree | str]:
    if isinstance(value, str):
        raise InvalidQueryError
    try:
        return [value[str(index)] for index in range(len(value))]
    except KeyError as exc:
        raise InvalidQueryError from exc


def _comparison(column: str, name: str, text: Tree | str) -> Comparison:
    if not isinstance(text, str):
        raise InvalidQueryError
    try:
        operator = Operator(name)
    except ValueError as exc:
        raise InvalidQueryError from exc
    if operator is Operator.IS and text not in ("NULL", "!NULL"):
        raise InvalidQueryError
    return Comparison(column, operator, text)
