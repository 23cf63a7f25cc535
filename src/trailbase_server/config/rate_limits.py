"""What must be true of the limits on how often requests may come."""

from collections.abc import Iterator

from trailbase_server.config.proto.config_pb2 import RateLimit, RateLimitKey, ServerConfig

MAX_RATE_LIMITS = 64  # each has a table of clients, and a request asks all that are for it
MAX_RATE_LIMIT_S = 86_400  # a day: what is counted is lost with the process anyway
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"))

Finding = tuple[str, str]
"""Path below the server's message, words."""


def check_rate_limits(server: ServerConfig) -> Iterator[Finding]:
    """
    Find what is wrong with the limits.

    Args:
        server: The message that has them.
    """
    if len(server.rate_limits) > MAX_RATE_LIMITS:
        yield "rate_limits", f"There can be no more than {MAX_RATE_LIMITS} of them"
    for index, limit in enumerate(server.rate_limits):
        for name, words in _check(limit):
            yield f"rate_limits[{index}].{name}", words


def _check(limit: RateLimit) -> Iterator[Finding]:
    if not limit.requests:
        yield "requests", "Must be 1 or more"
    if limit.HasField("seconds") and not 0 < limit.seconds <= MAX_RATE_LIMIT_S:
        yield "seconds", f"Must be from 1 to {MAX_RATE_LIMIT_S}"
    if limit.HasField("burst") and not limit.burst:
        yield "burst", "Must be 1 or more"
    if limit.HasField("path") and not limit.path.startswith("/"):
        yield "path", f"Not a path: '{limit.path}' does not begin with /"
    if limit.HasField("per") and limit.per == RateLimitKey.RATE_LIMIT_KEY_UNDEFINED:
        yield "per", "Must be ADDRESS or USER"
    for position, method in enumerate(limit.methods):
        if method not in METHODS:
            yield f"methods[{position}]", f"'{method}' is none of {', '.join(sorted(METHODS))}"
