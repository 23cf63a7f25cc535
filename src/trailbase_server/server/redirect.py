"""
The listener of plain HTTP beside TLS: sends everybody to https, answers the authority's challenges,
and does nothing else.
"""

import re
from urllib.parse import quote

from trailbase_server.server.acme.challenges import PREFIX, Challenges
from trailbase_server.web.asgi import AsgiApplication, Receive, Scope, Send
from trailbase_server.web.request import Headers

HTTPS_PORT = 443
KEPT = "!#$%&'()*+,/:;=?@[]~"  # of a target: all that may stand in one, escapes included
_HOST = re.compile(rb"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?\Z")


def build_redirect(port: int, challenges: Challenges) -> AsgiApplication:
    """
    Make the application.

    Args:
        port: Where https is, as clients see it.
        challenges: What the authority may ask for.

    Spec:
        server/tls-automation-p2-docs-state-the-wish
    """

    async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        status, headers, body = _answer(scope, port, challenges)
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}
        )

    return answer


def _answer(scope: Scope, port: int, challenges: Challenges) -> tuple[int, Headers, bytes]:
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    if path.startswith(PREFIX.encode()):
        found = challenges.answer(path.decode("latin-1"))
        if found is None:
            return 404, [], b""
        return 200, [(b"content-type", b"application/octet-stream")], found.encode()
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    host = _HOST.match(hosts[0]) if len(hosts) == 1 else None
    if host is None:
        return 400, [], b""
    place = b"" if port == HTTPS_PORT else b":%d" % port
    target = quote(path, safe=KEPT).encode()
    if scope["query_string"]:
        target += b"?" + quote(scope["query_string"], safe=KEPT).encode()
    # 308: a form stays a form.
    return 308, [(b"location", b"https://%b%b%b" % (host[1], place, target))], b""
