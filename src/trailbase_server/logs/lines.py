"""
The access log as lines of JSON, for whoever collects what a container prints.

Members and spellings are the reference's; ``request_id`` and ``route`` stand behind them where
there are any. ``user`` is the little-endian reading of the UUID, 0 for nobody. Secrets are taken
out as they are of rows. Spec: server/stdout-access-log.
"""

import time

import orjson

from trailbase_server.logs.redact import redact_url
from trailbase_server.logs.rows import METHODS
from trailbase_server.web.log_entry import LogEntry, LogFields

_METHODS = {name: name.capitalize() for name in METHODS}
_VERSIONS = {"1.0": "Http10", "1.1": "Http11", "2": "Http20", "2.0": "Http20"}
_MICROSECONDS = 1_000_000


def render_line(entry: LogEntry) -> bytes:
    """
    Render one entry.

    Returns:
        A JSON object and a line feed.

    Raises:
        ValueError: A text that is no Unicode.

    Spec:
        server/stdout-access-log
    """
    fields = LogFields(*entry)
    head = {
        "timestamp": _timestamp(fields.created),
        "method": _METHODS.get(fields.method, "Unknown"),
        "version": _VERSIONS.get(fields.version, "Unknown"),
        "host": fields.host.decode("latin-1"),
        "uri": redact_url(fields.url),
        "referer": redact_url(fields.referer.decode("latin-1")),
        "user_agent": fields.user_agent.decode("latin-1"),
    }
    tail: dict[str, object] = {
        "client_ip": fields.client_ip or None,
        "status": fields.status,
        "latency_ms": round(fields.latency, 3),
    }
    if fields.request_id:
        tail["request_id"] = fields.request_id
    if fields.route is not None:
        tail["route"] = fields.route.path
    # The encoder knows no integers of 128 bits.
    user = int.from_bytes(fields.user_id or b"", "little")
    return b'%b,"user":%d,%b\n' % (orjson.dumps(head)[:-1], user, orjson.dumps(tail)[1:])


def _timestamp(unix_s: float) -> str:
    seconds, micros = divmod(round(unix_s * _MICROSECONDS), _MICROSECONDS)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{micros:06}Z"
