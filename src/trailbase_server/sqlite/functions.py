"""
The SQL functions of a depot, and the table they are registered from.

Schemas, migrations, rules and filters call them, and SQLite accepts a CHECK only if each function
in it is flagged innocuous: the flags here are part of the contract. Values are not coerced: an
INTEGER where TEXT is wanted is an error. What fails raises ``FunctionError``, which the engine
reports as ``RejectedError``.

Registering is cheap and happens for every connection; libraries are imported by the first call that
needs them. ``geometry``, ``regexp`` and ``geoip`` do the work of their names; functions on vectors
are loaded when a statement asks for one (``vectors``).
"""

import re
from collections.abc import Callable, Iterable
from functools import partial

import apsw
import msgspec

from trailbase_server.crypto import hash_password
from trailbase_server.db.values import SqlValue
from trailbase_server.ids import (
    UUID_BYTES,
    decode_b64u,
    encode_b64u,
    new_uuid4,
    new_uuid7,
    parse_uuid_text,
    render_uuid_text,
)
from trailbase_server.schema.email import is_email
from trailbase_server.schema.json_text import is_json
from trailbase_server.schema.registry import SchemaRegistry, matches_schema
from trailbase_server.sqlite.arguments import FunctionError, check_blob, check_text
from trailbase_server.sqlite.geoip import GeoIp, check_address
from trailbase_server.sqlite.geometry import GEOMETRY_FUNCTIONS
from trailbase_server.sqlite.regexp import matches_pattern

__all__ = ["FunctionError", "register_functions"]

Function = Callable[..., SqlValue]
Entry = tuple[str, int, Function]
"""Name, number of arguments, implementation."""

_UUID = re.compile(r"(?:urn:uuid:)?([0-9a-fA-F-]{36})|\{([0-9a-fA-F-]{36})\}|([0-9a-fA-F]{32})")
_TO_STANDARD = str.maketrans("-_", "+/")
_TO_URL_SAFE = str.maketrans("+/-_", "-_??")  # the other alphabet's characters become invalid


def register_functions(
    connection: apsw.Connection, registry: SchemaRegistry | None, geoip: GeoIp | None
) -> None:
    """
    Make all functions known to a connection, except those on vectors.

    Args:
        connection: A new connection, before any schema is read.
        registry: Named JSON schemas; None: no ``jsonschema()``.
        geoip: Database of addresses; None: every address is unknown.

    Spec:
        sqlite/sql-functions
    """
    _register(connection, GENERATORS, deterministic=False)
    _register(connection, PLAIN_FUNCTIONS)
    _register(connection, GEOMETRY_FUNCTIONS)
    _register(
        connection,
        (
            ("geoip_country", 1, partial(_geoip_country, geoip)),
            ("geoip_city_name", 1, partial(_geoip_city_name, geoip)),
            ("geoip_city_json", 1, partial(_geoip_city_json, geoip)),
        ),
    )
    if registry is not None:
        jsonschema = partial(_jsonschema, registry)
        _register(connection, (("jsonschema", 2, jsonschema), ("jsonschema", 3, jsonschema)))


def _register(
    connection: apsw.Connection, entries: Iterable[Entry], *, deterministic: bool = True
) -> None:
    for name, arity, function in entries:
        connection.create_scalar_function(
            name, function, arity, deterministic=deterministic, flags=apsw.SQLITE_INNOCUOUS
        )


# UUIDs (spec sqlite/uuid)


def _read_uuid(text: str) -> bytes | None:
    """Read one of the text forms of a UUID: hyphenated, plain, ``urn:uuid:…``, ``{…}``."""
    match = _UUID.fullmatch(text)
    if match is None:
        return None
    hyphenated = match[1] or match[2]
    return parse_uuid_text(hyphenated) if hyphenated else bytes.fromhex(match[3])


def _is_uuid(value: SqlValue) -> bool:
    return value is None or _uuid_bytes(value) is not None


def _is_uuid_version(version: int, value: SqlValue) -> bool:
    if value is None:
        return True
    data = _uuid_bytes(value)
    return data is not None and data[6] >> 4 == version


def _uuid_bytes(value: SqlValue) -> bytes | None:
    if isinstance(value, bytes):
        return value if len(value) == UUID_BYTES else None
    return _read_uuid(value) if isinstance(value, str) else None


def _uuid_text(value: SqlValue) -> str:
    data = check_blob(value)
    if len(data) != UUID_BYTES:
        raise FunctionError("a UUID has 16 bytes")
    return render_uuid_text(data)


def _uuid_parse(value: SqlValue) -> bytes:
    data = _read_uuid(check_text(value))
    if data is None:
        raise FunctionError("not a UUID")
    return data


# Validators (spec sqlite/simple-validators)


def _validator(predicate: Callable[[str], bool]) -> Function:
    return lambda value: value is None or predicate(check_text(value))


# JSON schemas (spec sqlite/json-schema)


def _jsonschema(
    registry: SchemaRegistry, name: SqlValue, value: SqlValue, *extra: SqlValue
) -> bool:
    schema = check_text(name)
    media_types = check_text(extra[0]) if extra else None
    if value is None:
        return True
    text = check_text(value)
    try:
        return registry.is_valid(schema, text, media_types)
    except ValueError as exc:
        raise FunctionError(str(exc)) from exc


def _jsonschema_matches(schema: SqlValue, value: SqlValue) -> bool:
    if value is None:
        return True
    text = check_text(value)
    try:
        return matches_schema(check_text(schema), text)
    except ValueError as exc:
        raise FunctionError(str(exc)) from exc


# Texts (spec sqlite/regular-expressions, sqlite/base64, sqlite/password)


def _regexp(pattern: SqlValue, text: SqlValue) -> bool | None:
    # NULL, not the original's 1: a CHECK passes all the same, and a filter does not find rows
    # without a value.
    expression = check_text(pattern)
    if text is None:
        return None
    subject = check_text(text)
    try:
        return matches_pattern(expression, subject)
    except ValueError as exc:
        raise FunctionError(str(exc)) from exc


def _base64(value: SqlValue) -> SqlValue:
    if value is None:
        return None
    if isinstance(value, bytes):
        return encode_b64u(value).translate(_TO_STANDARD)
    return _decode(check_text(value).translate(_TO_URL_SAFE))


def _base64_url_safe(value: SqlValue) -> SqlValue:
    if value is None:
        return None
    if isinstance(value, bytes):
        return encode_b64u(value)
    return _decode(check_text(value))


def _decode(text: str) -> bytes:
    data = decode_b64u(text)
    if data is None:
        raise FunctionError("not canonical base64")
    return data


def _hash_password(value: SqlValue) -> str:
    return hash_password(check_text(value))


# Addresses (spec sqlite/geoip)


def _read_address(value: SqlValue) -> str | None:
    if value is None or value == "":
        return None
    address = check_text(value)
    try:
        check_address(address)
    except ValueError as exc:
        raise FunctionError(str(exc)) from exc
    return address


def _geoip_country(geoip: GeoIp | None, value: SqlValue) -> str | None:
    address = _read_address(value)
    return None if address is None or geoip is None else geoip.country(address)


def _geoip_city_name(geoip: GeoIp | None, value: SqlValue) -> str | None:
    address = _read_address(value)
    city = None if address is None or geoip is None else geoip.city(address)
    return None if city is None else city.name


def _geoip_city_json(geoip: GeoIp | None, value: SqlValue) -> str | None:
    address = _read_address(value)
    city = None if address is None or geoip is None else geoip.city(address)
    return None if city is None else msgspec.json.encode(city).decode()


PLAIN_FUNCTIONS: tuple[Entry, ...] = (
    ("is_uuid", 1, _is_uuid),
    ("is_uuid_v4", 1, partial(_is_uuid_version, 4)),
    ("is_uuid_v7", 1, partial(_is_uuid_version, 7)),
    ("uuid_text", 1, _uuid_text),
    ("uuid_parse", 1, _uuid_parse),
    ("is_email", 1, _validator(is_email)),
    ("is_json", 1, _validator(is_json)),
    ("jsonschema_matches", 2, _jsonschema_matches),
    ("regexp", 2, _regexp),
    ("base64", 1, _base64),
    ("base64_url_safe", 1, _base64_url_safe),
    ("hash_password", 1, _hash_password),
)
"""Functions that need nothing but their arguments; deterministic and innocuous."""

GENERATORS: tuple[Entry, ...] = (("uuid_v4", 0, new_uuid4), ("uuid_v7", 0, new_uuid7))
"""Innocuous but not deterministic: each row gets a value of its own."""
