"""A request as handlers see it: read in full, and raw where a grammar of ours follows."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from trailbase_server.web.identity import Identity

Headers = list[tuple[bytes, bytes]]
"""Names in lower case, in the order received."""


class Request:
    """
    One HTTP request.

    Attributes:
        method: Upper case; ``HEAD`` arrives as ``GET`` with ``head`` set.
        head: The answer's body will not be sent.
        path: Percent-decoded.
        query: Raw text after ``?``, not decoded.
        params: Values of the route's ``{names}``, percent-decoded.
        headers: As received, names in lower case.
        body: The whole body; at most the configured limit. Empty where there is a ``stream``.
        stream: The body piece by piece, None unless the route wants forms that way and it is one.
        identity: The caller, None if anonymous.
        client_ip: Address of the client, empty if unknown.
        origin: Scheme and authority the client used, such as ``http://localhost:4000``.
        request_id: Ties the answer to lines of logs (``web.request_id``); empty where none is
            needed.
    """

    __slots__ = (
        "body",
        "client_ip",
        "head",
        "headers",
        "identity",
        "method",
        "origin",
        "params",
        "path",
        "query",
        "request_id",
        "stream",
    )

    def __init__(
        self,
        method: str,
        path: str,
        query: str = "",
        headers: Headers | None = None,
        body: bytes = b"",
        params: dict[str, str] | None = None,
    ) -> None:
        self.method = method
        self.head = False
        self.path = path
        self.query = query
        self.headers: Headers = headers if headers is not None else []
        self.body = body
        self.stream: AsyncIterator[bytes] | None = None
        self.params: dict[str, str] = params if params is not None else {}
        self.identity: Identity | None = None
        self.client_ip = ""
        self.origin = ""
        self.request_id = ""

    def header(self, name: bytes) -> bytes | None:
        """First value of a header (lower-case name), None if absent."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def header_text(self, name: bytes) -> str | None:
        """First value of a header as text (latin-1), None if absent."""
        value = self.header(name)
        return None if value is None else value.decode("latin-1")
