"""
The access log as lines of JSON, for whoever collects what a container prints.

Members and spellings are the reference's; ``request_id`` and ``route`` stand behind them where
there are any. ``user`` is the little-endian reading of the UUID, 0 for nobody. Secrets are taken
out as they are of rows. Spec: server/stdout-access-log.
"""

import time
from typing import TYPE_CHECKING

import orjson

from trailbase_server.logs.redact import redact_url
from trailbase_server.logs.rows import METHODS

if TYPE_CHECKING:
    from trailbase_server.web.dispatch import LogEntry

_METHODS = {name: name.capitalize() for name in METHODS}
_VERSIONS = {"1.0": "Http10", "1.1": "Http11", "2": "Http20", "2.0": "Http20"}
_MICROSECONDS = 1_000_000


def render_line(entry: "LogEntry") -> bytes:
    """
    Render one entry.

    Returns:
        A JSON object and a line feed.

    Raises:
        ValueError: A text that is no Unicode.

    Spec:
        server/stdout-access-log
    """
    (
        created,
        status,
        method,
        url,
        latency,
        client_ip,
        referer,
        agent,
        user_id,
        host,
        version,
        request_id,
        route,
    ) = entry
    head = {
        "timestamp": _timestamp(created),
        "method": _METHODS.get(method, "Unknown"),
        "version": _VERSIONS.get(version, "Unknown"),
        "host": host.decode("latin-1"),
        "uri": redact_url(url),
        "referer": redact_url(referer.decode("latin-1")),
        "user_agent": agent.decode("latin-1"),
    }
    tail: dict[str, object] = {
        "client_ip": client_ip or None,
        "status": status,
        "latency_ms": round(latency, 3),
    }
    if request_id:
        tail["request_id"] = request_id
    if route is not None:
        tail["route"] = route.path
    # The encoder knows no integers of 128 bits.
    user = int.from_bytes(user_id or b"", "little")
    return b'%b,"user":%d,%b\n' % (orjson.dumps(head)[:-1], user, orjson.dumps(tail)[1:])


def _timestamp(unix_s: float) -> str:
    seconds, micros = divmod(round(unix_s * _MICROSECONDS), _MICROSECONDS)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{micros:06}Z"
