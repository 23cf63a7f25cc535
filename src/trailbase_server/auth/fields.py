"""
The fields of a request: its query, and a body that is JSON or a form.

Absent and JSON ``null`` are the same; unknown fields are ignored; an empty form field is an empty
text. A field that is not a text, or comes twice, is the client's mistake: 400 for bodies of either
kind and for queries, 422 where only JSON is taken. Spec: auth/body-formats.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from trailbase_server.errors import AppError, BadRequestError, UnprocessableError
from trailbase_server.web.body import MAX_FIELDS, decode_body, decode_json, decode_json_only
from trailbase_server.web.request import Request


class Fields:
    """
    Text fields by name.

    Args:
        values: Decoded members.
        is_form: It was a form: the client is a browser that follows redirects.
        error: Raised for a field of the wrong shape.
    """

    def __init__(
        self,
        values: Mapping[str, Any],
        *,
        is_form: bool = False,
        error: type[AppError] = BadRequestError,
    ) -> None:
        self._values = values
        self._error = error
        self.is_form = is_form

    def text(self, name: str) -> str | None:
        """A field that may be absent."""
        value = self._values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise self._error(f"{name}: expected one text")

    def flag(self, name: str) -> bool:
        """A field that is true or, like an absent one, false."""
        value = self._values.get(name)
        if value is None or isinstance(value, bool):
            return bool(value)
        raise self._error(f"{name}: expected true or false")

    def structure(self, name: str) -> dict[str, Any]:
        """A field that is an object and must be there; forms send it as JSON text."""
        value = self._values.get(name)
        if self.is_form and isinstance(value, str):
            value = decode_json(value.encode(errors="surrogatepass"))
        if value is None:
            raise self._error(f"missing field `{name}`")
        if not isinstance(value, dict):
            raise self._error(f"{name}: expected an object")
        return value

    def required(self, name: str) -> str:
        """A field that must be there."""
        value = self.text(name)
        if value is None:
            raise self._error(f"missing field `{name}`")
        return value

    def first(self, *names: str) -> tuple[str, str]:
        """Name and value of the first of these fields that is there."""
        for name in names:
            value = self.text(name)
            if value is not None:
                return name, value
        raise self._error(f"missing field: one of {', '.join(names)}")


def merged(name: str, query: Fields, body: Fields) -> str | None:
    """A field that may come in the query or in the body; the query wins."""
    value = query.text(name)
    return body.text(name) if value is None else value


def read_query(request: Request) -> Fields:
    """
    Decode the query string.

    Raises:
        BadRequestError: Too many fields.
    """
    return Fields(_collect(request.query))


def read_body(request: Request) -> Fields:
    """
    Decode a body that is JSON, a form or multipart.

    Raises:
        BadRequestError: Another content type, none, or malformed content.
    """
    if request.header(b"content-type") is None:
        raise BadRequestError("Expected request with a `Content-Type`")
    body = decode_body(request)
    if body.kind == "form":
        # Decoded again, since here a repeated field is a mistake.
        return Fields(_collect(request.body.decode()), is_form=True)
    if not isinstance(body.value, dict):
        raise BadRequestError("expected an object")
    return Fields(body.value, is_form=body.kind == "multipart")


def read_json(request: Request) -> Fields:
    """
    Decode a body that must be a JSON object.

    Raises:
        UnsupportedMediaError: Not JSON by its content type.
        BadRequestError: Malformed.
        UnprocessableError: Not an object.
    """
    value = decode_json_only(request)
    if not isinstance(value, dict):
        raise UnprocessableError("expected an object")
    return Fields(value, error=UnprocessableError)


def _collect(text: str) -> dict[str, str | list[str]]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as exc:
        raise BadRequestError("too many fields") from exc
    values: dict[str, str | list[str]] = {}
    for name, value in pairs:
        values[name] = value if name not in values else [value]
    return values
