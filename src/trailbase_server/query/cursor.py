"""
Where the next page begins: a sealed token with the last row's place in the order.

The token holds the values of the order's columns in the last row. It is encrypted, because clients
shall not build on its content, and authenticated together with the API's name and the order it
belongs to. AES-SIV survives a repeated nonce, which a key that lives as long as the depot needs.
"""

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import orjson

from trailbase_server.db.dialect import quote
from trailbase_server.db.values import SqlValue
from trailbase_server.errors import BadRequestError
from trailbase_server.ids import decode_b64u, encode_b64u
from trailbase_server.query.parse import OrderTerm

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

KEY_BYTES = 32
NONCE_BYTES = 12
MIN_TOKEN_BYTES = NONCE_BYTES + 16 + 1  # nonce, tag, content


class BadCursorError(BadRequestError):
    """A token that is not ours, or of another list: 400."""

    def __init__(self, public: str = "Bad cursor") -> None:
        super().__init__(public)


def encode_cursor(key: bytes, api: str, order: str, values: Sequence[SqlValue]) -> str:
    """
    Seal the place after which the next page begins.

    Args:
        key: ``KEY_BYTES`` secret bytes.
        api: Name of the record API.
        order: Identifies the columns that ``values`` belong to.
        values: The last row's values of these columns.

    Returns:
        URL-safe base64; another one each time.

    Spec:
        records/cursor
    """
    content = orjson.dumps([_pack(value) for value in values])
    nonce = os.urandom(NONCE_BYTES)
    sealed = _cipher(key).encrypt(content, [api.encode(), order.encode(), nonce])
    return encode_b64u(nonce + sealed)


def decode_cursor(key: bytes, api: str, order: str, token: str) -> tuple[SqlValue, ...]:
    """
    Open a token of ``encode_cursor``.

    Raises:
        BadCursorError: Not base64, or not sealed with this key for this API and order.

    Spec:
        records/cursor
    """
    # Imported when first needed: start-up time.
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415

    data = decode_b64u(token)
    if data is None:
        raise BadCursorError("Bad cursor: b64")
    if len(data) < MIN_TOKEN_BYTES:
        raise BadCursorError
    nonce, sealed = data[:NONCE_BYTES], data[NONCE_BYTES:]
    try:
        content = _cipher(key).decrypt(sealed, [api.encode(), order.encode(), nonce])
    except InvalidTag as exc:
        raise BadCursorError from exc
    return tuple(_unpack(value) for value in orjson.loads(content))


def keyset_condition(
    terms: Sequence[OrderTerm], values: Sequence[SqlValue], alias: str
) -> tuple[str, list[SqlValue]]:
    """
    Select the rows that come after a place in the order.

    Args:
        terms: The order; its last column is a key: unique and never NULL. Names are known columns.
        values: The place, one value per term.
        alias: Name of the relation in the statement.

    Returns:
        A condition with one plain ``?`` per value, and the values in that order. NULL sorts before
        everything else, as in SQLite.

    Spec:
        records/cursor
    """
    name = f"{alias}.{quote(terms[0].column)}"
    value = values[0]
    if len(terms) == 1:
        return f"{name} {'<' if terms[0].descending else '>'} ?", [value]
    rest, params = keyset_condition(terms[1:], values[1:], alias)
    same = f"({name} IS ? AND {rest})"
    if terms[0].descending:
        if value is None:
            return same, [value, *params]
        return f"({name} < ? OR {name} IS NULL OR {same})", [value, value, *params]
    if value is None:
        return f"({name} IS NOT NULL OR {same})", [value, *params]
    return f"({name} > ? OR {same})", [value, value, *params]


@lru_cache(maxsize=4)
def _cipher(key: bytes) -> "AESSIV":
    # Imported when first needed: start-up time.
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # noqa: PLC0415

    return AESSIV(key)


def _pack(value: SqlValue) -> object:
    """JSON has no bytes, and no infinity."""
    if isinstance(value, bytes):
        return {"b": encode_b64u(value)}
    if isinstance(value, float):
        return {"f": value.hex()}
    return value


def _unpack(value: object) -> SqlValue:
    if isinstance(value, dict):
        return decode_b64u(value["b"]) if "b" in value else float.fromhex(value["f"])
    return value  # type: ignore[return-value]  # what _pack left as it is
