"""
The edge: what the operator's options and configuration say about who may come, how often, and on
whose word. Compiled when the server starts, and again with each new configuration.
"""

import re
from collections.abc import Iterable

from trailbase_server.clock import SYSTEM_CLOCK
from trailbase_server.config.load import LoadedConfig
from trailbase_server.config.proto.config_pb2 import RateLimit, RateLimitKey, ServerConfig
from trailbase_server.errors import OperatorError
from trailbase_server.server.configuration import body_limit
from trailbase_server.server.opened import OpenDepot
from trailbase_server.server.options import ServerOptions
from trailbase_server.web.dispatch import Dispatcher
from trailbase_server.web.proxies import Proxies, parse_proxies, usual_proxies
from trailbase_server.web.rate_limit import RateLimits, RateRule
from trailbase_server.web.route import BoundRoute

DEFAULT_RATE_LIMIT_S = 60  # the span of a limit that does not say
_RATE = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,4})(?::([1-9][0-9]{0,8}))?\Z")


def compile_proxies(options: ServerOptions, listening: Iterable[str] = ()) -> Proxies:
    """
    Whose forwarding headers count on a listener.

    Args:
        options: May say.
        listening: Addresses that it is bound to; empty ones for Unix sockets.

    Raises:
        OperatorError: The list is wrong.
    """
    if not options.trusted_proxies:
        return usual_proxies(listening, options.proxy_hops)
    try:
        return parse_proxies(options.trusted_proxies, options.proxy_hops)
    except ValueError as exc:
        raise OperatorError(f"trusted proxies: {exc}") from exc


def parse_rate(text: str) -> RateRule:
    """
    Read ``REQUESTS/SECONDS`` or ``REQUESTS/SECONDS:BURST``: a rule for everybody and everything.

    Raises:
        OperatorError: It is neither.
    """
    found = _RATE.match(text)
    if found is None:
        raise OperatorError(f"'{text}' is no rate: expected REQUESTS/SECONDS, such as 600/60")
    requests, seconds, burst = found.groups()
    return RateRule(int(requests), int(seconds), int(burst or 0))


def compile_rules(options: ServerOptions, server: ServerConfig) -> list[RateRule]:
    """All rules about the rate of requests; developers are not limited."""
    if options.dev:
        return []
    general = [] if options.rate_limit is None else [parse_rate(options.rate_limit)]
    return [*general, *map(_rule, server.rate_limits)]


def guard_edge(
    depot: OpenDepot, dispatcher: Dispatcher, routes: Iterable[BoundRoute] | None = None
) -> None:
    """
    Apply limits to what a listener answers, from now on with every configuration.

    Args:
        depot: Its configuration.
        dispatcher: Of the listener.
        routes: All that it may come to answer; None: those that it answers.
    """
    dispatcher.gate = depot.gate
    limited = list(dispatcher.router.routes if routes is None else routes)

    def follow(loaded: LoadedConfig) -> None:
        _apply(depot.options, loaded.config.server, dispatcher, limited)

    follow(depot.config.loaded)
    depot.config.subscribe(follow)


def _apply(
    options: ServerOptions,
    server: ServerConfig,
    dispatcher: Dispatcher,
    routes: list[BoundRoute],
) -> None:
    dispatcher.body_limit = body_limit(server)
    has_own = server.HasField("upload_size_limit_bytes")
    dispatcher.upload_limit = server.upload_size_limit_bytes if has_own else dispatcher.body_limit
    rules = compile_rules(options, server)
    if rules != dispatcher.rules:  # what was counted goes on counting where nothing has changed
        limits = RateLimits(rules, routes, SYSTEM_CLOCK) if rules else None
        dispatcher.rules, dispatcher.rate_limits = rules, limits
    age_s = 0 if options.dev else server.hsts_max_age_sec
    dispatcher.over_tls = (
        [(b"strict-transport-security", b"max-age=%d; includeSubDomains" % age_s)] if age_s else []
    )


def _rule(limit: RateLimit) -> RateRule:
    return RateRule(
        limit.requests,
        limit.seconds or DEFAULT_RATE_LIMIT_S,
        limit.burst,
        limit.path or "/",
        frozenset("GET" if method == "HEAD" else method for method in limit.methods),
        limit.operation,
        "user" if limit.per == RateLimitKey.USER else "address",
    )
