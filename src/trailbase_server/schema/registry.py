"""
Named JSON schemas: the built-in ones and those of the configuration.

A registry is shared by all connections and threads. It holds one immutable snapshot; a change of
the configuration builds a new one and swaps the reference, so whoever is validating finishes with
what it started with, and schemas that are no longer configured are gone.

Schemas are compiled with regular expressions that take linear time, and never fetch what a ``$ref``
points to outside of them.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from trailbase_server.schema.builtin import (
    BUILTIN_SCHEMAS,
    FILE_UPLOAD,
    RESERVED_PREFIX,
    JsonSchema,
)
from trailbase_server.schema.json_text import InvalidJsonError, parse_json

if TYPE_CHECKING:
    from jsonschema_rs import Validator

MAX_INLINE_SCHEMAS = 256  # compiled schemas of ``jsonschema_matches`` kept, by their text
MAX_MESSAGE_CHARS = 300  # a message may quote the offending value


class UnknownSchemaError(ValueError):
    """No schema of this name is registered."""


class InvalidSchemaError(ValueError):
    """A text that is no JSON schema."""


class NamedSchema:
    """
    A schema and, from its first use, its validator.

    Args:
        name: What ``jsonschema()`` calls it.
        text: As configured.
        schema: The parsed text.
        is_builtin: Comes with the server.
    """

    __slots__ = ("_validator", "is_builtin", "name", "schema", "text")

    def __init__(self, name: str, text: str, schema: JsonSchema, *, is_builtin: bool) -> None:
        self.name = name
        self.text = text
        self.schema = schema
        self.is_builtin = is_builtin
        self._validator: Validator | None = None

    @property
    def validator(self) -> "Validator":
        """
        The compiled schema.

        Raises:
            InvalidSchemaError: It breaks the rules of its dialect.
        """
        if self._validator is None:
            self._validator = _compile(self.schema)
        return self._validator


class SchemaRegistry:
    """
    The schemas that columns may refer to.

    Args:
        schemas: Configured schemas, name to JSON text.

    Raises:
        InvalidSchemaError: See ``replace``.

    Spec:
        sqlite/registry
    """

    def __init__(self, schemas: Mapping[str, str] | None = None) -> None:
        self._builtin = {
            name: NamedSchema(name, orjson.dumps(schema).decode(), schema, is_builtin=True)
            for name, schema in BUILTIN_SCHEMAS.items()
        }
        self._schemas: Mapping[str, NamedSchema] = self._builtin
        if schemas:
            self.replace(schemas)

    def replace(self, schemas: Mapping[str, str]) -> None:
        """
        Swap the configured schemas for others; all or none.

        Args:
            schemas: Name to JSON text.

        Raises:
            InvalidSchemaError: A text is not JSON or no valid schema, or a name is reserved.
        """
        self._schemas = {**self._builtin, **compile_schemas(schemas)}

    def __iter__(self) -> Iterator[NamedSchema]:
        return iter(tuple(self._schemas.values()))

    def names(self) -> list[str]:
        """All names, built-in ones first."""
        return list(self._schemas)

    def schema(self, name: str) -> JsonSchema | None:
        """Return the schema of this name; not to be changed."""
        found = self._schemas.get(name)
        return None if found is None else found.schema

    def is_valid(self, name: str, text: str, extra: str | None = None) -> bool:
        """
        Check a JSON text as ``jsonschema(name, text, extra)`` does.

        Args:
            name: A registered schema.
            text: The value.
            extra: For ``std.FileUpload`` the media types it may have, separated by commas; means
                nothing to other schemas.

        Raises:
            InvalidJsonError: The text is not JSON.
            UnknownSchemaError: No such schema.

        Spec:
            sqlite/json-schema
        """
        value = parse_json(text)
        found = self._find(name)
        if not _is_valid(found.validator, value):
            return False
        return extra is None or name != FILE_UPLOAD or _is_media_type_listed(value, extra)

    def validate(self, schema: str, value: Any, *, inline: bool = False) -> str | None:
        """
        Explain why a value does not fit.

        Args:
            schema: Name of a schema, or with ``inline`` the text of one.
            value: Parsed JSON.
            inline: ``schema`` is a text.

        Returns:
            None if it fits, else a message with the place of the offending part.

        Raises:
            UnknownSchemaError, InvalidSchemaError: The schema is missing or broken.
        """
        validator = compile_inline(schema).validator if inline else self._find(schema).validator
        try:
            if validator.is_valid(value):
                return None
            error = next(iter(validator.iter_errors(value)), None)
        except ValueError as exc:  # deeper than the library walks
            return str(exc)[:MAX_MESSAGE_CHARS]
        if error is None:
            return None
        return f"{_render_path(error.instance_path)}: {error.message}"[:MAX_MESSAGE_CHARS]

    def admits_text(self, schema: str, *, inline: bool = False) -> bool:
        """
        Tell whether a JSON string can be a valid value.

        Args:
            schema: Name of a schema, or with ``inline`` the text of one.
            inline: ``schema`` is a text.

        Returns:
            False only if no string fits, judging by types, constants, and combinations of them.

        Raises:
            UnknownSchemaError, InvalidSchemaError: The schema is missing or broken.
        """
        root = compile_inline(schema).schema if inline else self._find(schema).schema
        return _admits_text(root, root, {})

    def _find(self, name: str) -> NamedSchema:
        found = self._schemas.get(name)
        if found is None:
            raise UnknownSchemaError(f"Schema {name} not found")
        return found


def compile_schemas(schemas: Mapping[str, str]) -> dict[str, NamedSchema]:
    """
    Check and compile configured schemas without registering them.

    Raises:
        InvalidSchemaError: A text is not JSON or no valid schema, or a name is reserved.
    """
    compiled = {}
    for name, text in schemas.items():
        if name.startswith(RESERVED_PREFIX):
            raise InvalidSchemaError(f"schema {name!r}: names in {RESERVED_PREFIX!r} are reserved")
        try:
            entry = NamedSchema(name, text, _parse_schema(text), is_builtin=False)
            _ = entry.validator
        except InvalidSchemaError as exc:
            raise InvalidSchemaError(f"schema {name!r}: {exc}") from exc
        compiled[name] = entry
    return compiled


@lru_cache(maxsize=MAX_INLINE_SCHEMAS)
def compile_inline(text: str) -> NamedSchema:
    """
    Compile the schema that a column carries in its CHECK.

    Raises:
        InvalidSchemaError: The text is not JSON or no valid schema.
    """
    entry = NamedSchema("", text, _parse_schema(text), is_builtin=False)
    _ = entry.validator
    return entry


def matches_schema(schema_text: str, text: str) -> bool:
    """
    Check a JSON text as ``jsonschema_matches(schema, text)`` does.

    Raises:
        InvalidJsonError: The value is not JSON.
        InvalidSchemaError: The schema is not JSON or no valid schema.

    Spec:
        sqlite/json-schema
    """
    value = parse_json(text)
    return _is_valid(compile_inline(schema_text).validator, value)


def _parse_schema(text: str) -> JsonSchema:
    try:
        schema = parse_json(text)
    except InvalidJsonError as exc:
        raise InvalidSchemaError(str(exc)) from exc
    if isinstance(schema, bool):
        # The two schemas that are no objects, spelled as objects.
        return {} if schema else {"not": {}}
    if not isinstance(schema, dict):
        raise InvalidSchemaError("a JSON schema is an object")
    return schema


def _compile(schema: JsonSchema) -> "Validator":
    import jsonschema_rs  # noqa: PLC0415  # imported when first needed: start-up time

    try:
        return jsonschema_rs.validator_for(
            schema, offline=True, pattern_options=jsonschema_rs.RegexOptions()
        )
    except ValueError as exc:
        first_line = str(exc).partition("\n")[0]
        raise InvalidSchemaError(first_line[:MAX_MESSAGE_CHARS]) from exc


def _is_valid(validator: "Validator", value: Any) -> bool:
    try:
        return validator.is_valid(value)
    except ValueError:  # deeper than the library walks
        return False


def _is_media_type_listed(value: Any, extra: str) -> bool:
    media_type = value.get("mime_type") if isinstance(value, dict) else None
    # The original takes any substring; here it has to be an item of the list.
    return isinstance(media_type, str) and media_type in {item.strip() for item in extra.split(",")}


def _render_path(path: list[str | int]) -> str:
    return "$" + "".join(
        f"[{step}]" if isinstance(step, int) or not step.isidentifier() else f".{step}"
        for step in path
    )


def _admits_text(schema: Any, root: JsonSchema, known: dict[str, bool]) -> bool:
    if isinstance(schema, bool):
        return schema
    if not isinstance(schema, dict):
        return True
    if schema.get("not") == {}:  # what ``false`` is spelled as
        return False
    if "const" in schema:
        return isinstance(schema["const"], str)
    if isinstance(schema.get("enum"), list):
        return any(isinstance(value, str) for value in schema["enum"])
    types = schema.get("type")
    if types is not None and "string" not in ([types] if isinstance(types, str) else types):
        return False
    if not _reference_admits_text(schema.get("$ref"), root, known):
        return False
    if not all(_admits_text(part, root, known) for part in schema.get("allOf", [])):
        return False
    return all(
        any(_admits_text(part, root, known) for part in schema[choice])
        for choice in ("anyOf", "oneOf")
        if schema.get(choice)
    )


def _reference_admits_text(reference: Any, root: JsonSchema, known: dict[str, bool]) -> bool:
    if not isinstance(reference, str):
        return True
    if reference not in known:
        known[reference] = True  # while it is being looked at: a reference to itself adds nothing
        known[reference] = _admits_text(_resolve(reference, root), root, known)
    return known[reference]


def _resolve(reference: str, root: JsonSchema) -> Any:
    """Follow a reference into the same schema; anything else may be what it likes."""
    if not reference.startswith("#"):
        return True
    found: Any = root
    for step in reference[1:].split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        found = found.get(key, True) if isinstance(found, dict) else True
    return found
