"""
Which browsers may read our answers (spec server/cors).

Every OPTIONS request is answered here, whatever its path. Credentials are allowed in developer mode
only.
"""

from trailbase_server.web.request import Headers, Request
from trailbase_server.web.response import Response

# `*` does not cover Authorization in browsers that follow the standard strictly.
_HEADERS = b"*, authorization, content-type, csrf-token, refresh-token"
_DEV_VARY = b"origin, access-control-request-method, access-control-request-headers"


class Cors:
    """
    The policy of one server.

    Args:
        origins: Allowed origins; empty or ``*`` means all of them.
        dev: Allow everybody, with credentials.

    Attributes:
        plain_lines: ``headers(None)`` as bytes.
    """

    def __init__(self, origins: tuple[str, ...] = (), *, dev: bool = False) -> None:
        self._all = dev or not origins or "*" in origins
        self._origins = frozenset(origin.encode("latin-1") for origin in origins)
        self._dev = dev
        self._vary = (b"vary", _DEV_VARY if dev else b"origin")
        # What an answer to a request without origin gets, ready to be written.
        self.plain_lines = b"".join(b"%b: %b\r\n" % pair for pair in self.headers(None))

    def headers(self, origin: bytes | None) -> Headers:
        """Headers for an answer to a request with this ``Origin``."""
        headers: Headers = [self._vary]
        if origin is not None and (self._all or origin in self._origins):
            headers.append((b"access-control-allow-origin", origin))
        if self._dev:
            headers.append((b"access-control-allow-credentials", b"true"))
        return headers

    def preflight(self, request: Request) -> Response:
        """Answer an OPTIONS request: 200 and an empty body."""
        headers = self.headers(request.header(b"origin"))
        if self._dev:
            method = request.header(b"access-control-request-method")
            asked = request.header(b"access-control-request-headers")
        else:
            method, asked = b"*", _HEADERS
        if method is not None:
            headers.append((b"access-control-allow-methods", method))
        if asked is not None:
            headers.append((b"access-control-allow-headers", asked))
        return Response(200, b"", headers)
