"""An answer: status, headers, and a body of bytes or a stream of them."""

from collections.abc import AsyncIterator
from typing import Any

import orjson

from trailbase_server.errors import BadRequestError
from trailbase_server.web.request import Headers
from trailbase_server.web.sse import Feed

JSON_TYPE = (b"content-type", b"application/json")
TEXT_TYPE = (b"content-type", b"text/plain; charset=utf-8")


class Response:
    """
    One HTTP answer.

    Attributes:
        status: HTTP status code.
        headers: Lower-case names; without ``content-length``, which is derived.
        body: The whole body; ignored when ``stream`` is set.
        stream: Chunks to send one by one, or None.
        feed: Events without end to send instead of a body, or None.
    """

    __slots__ = ("body", "feed", "headers", "status", "stream")

    def __init__(
        self,
        status: int = 200,
        body: bytes = b"",
        headers: Headers | None = None,
        stream: AsyncIterator[bytes] | None = None,
        feed: Feed | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.headers: Headers = headers if headers is not None else []
        self.stream = stream
        self.feed = feed


def json_bytes(body: bytes, status: int = 200) -> Response:
    """Answer with JSON that is already encoded."""
    return Response(status, body, [JSON_TYPE])


def json_value(value: Any, status: int = 200) -> Response:
    """Answer with a value encoded as JSON, compact, members in the order given."""
    return Response(status, orjson.dumps(value), [JSON_TYPE])


def text(body: str, status: int = 200) -> Response:
    """Answer with plain text."""
    return Response(status, body.encode(), [TEXT_TYPE])


def empty(status: int = 200) -> Response:
    """Answer with a status alone."""
    return Response(status)


def redirect(location: str, headers: Headers | None = None) -> Response:
    """Answer 303 See Other. The caller has validated where to; line breaks never get through."""
    if any(ord(character) < ord(" ") for character in location):
        raise BadRequestError("invalid redirect")
    return Response(303, b"", [(b"location", location.encode()), *(headers or [])])
