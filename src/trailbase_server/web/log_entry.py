"""
One answer, as it is handed to the access log: a plain tuple, and the names of what is in it.

Every answer makes one, so what is made is the cheapest thing there is. Who reads entries, in a
thread of its own, puts the names on: ``LogFields(*entry)`` for one, ``LogFields(*zip(*entries))``
for the columns of many, ``entry[URL]`` for a single member.
"""

from typing import Any, Final, NamedTuple

from trailbase_server.web.route import Route

LogEntry = tuple[
    float, int, str, str, float, str, bytes, bytes, bytes | None, bytes, str, str, Route | None
]
"""What ``LogFields`` names, in its order."""

STATUS: Final = 1
URL: Final = 3
REFERER: Final = 6
USER_AGENT: Final = 7
HOST: Final = 9


class LogFields(NamedTuple):
    """
    The members of an entry, or columns of them.

    Headers are the bytes as received: who writes the log decodes them.

    Attributes:
        created: Unix seconds.
        status: Of the answer.
        method: As received.
        url: Path and query.
        latency: Milliseconds.
        client_ip: Empty if unknown.
        referer, user_agent, host: Headers; empty if there were none.
        user_id: None: nobody's request.
        version: Of HTTP.
        request_id: Empty: none was needed.
        route: None: of no route.
    """

    created: Any
    status: Any
    method: Any
    url: Any
    latency: Any
    client_ip: Any
    referer: Any
    user_agent: Any
    user_id: Any
    host: Any
    version: Any
    request_id: Any
    route: Any
