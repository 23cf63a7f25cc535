"""
How often requests may come: rules over paths, counted by client address or by user.

Theory of operation
-------------------
A rule allows ``requests`` in ``seconds``, evenly, and ``burst`` of them at once. It is kept by the
generic cell rate algorithm: for each key one number, the time from which its next request may pass.
The time that has gone by since, at most that of a full burst, is what the key has saved; a request
uses one interval of it, and is refused while there is none. A refused request costs nothing, so
whoever waits gets on.

The table of keys has two generations: when the young one is full it becomes the old one, which is
forgotten. Its size is bounded, nothing is ever swept, and a key is only lost after as many others
as the table holds.

An answer tells of a limit once half of its burst is used: nearly all requests are far from it, and
for those the lines would cost as much as the counting.

What a rule says about paths is compiled for each route once; a request looks its route up and,
where the rule names a part that the route leaves open, compares that. Without rules there is no
``RateLimits`` at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import Literal

from trailbase_server.clock import Clock
from trailbase_server.errors import TooManyRequestsError
from trailbase_server.web.errors import error_response
from trailbase_server.web.request import Headers, Request
from trailbase_server.web.response import Response
from trailbase_server.web.route import BoundRoute

CAPACITY = 32_768  # keys of all rules of a server in one generation; about 150 bytes each
MIN_CAPACITY = 1024  # keys of one rule in one generation, however many rules there are
IPV6_PREFIX = 64  # bits: what one client owns
CACHED_NETWORKS = 4096  # addresses whose network is remembered; parsing takes 3 µs
_PLENTY = float("inf")  # left where nothing limits
_BLUR = 1e-6  # of an interval: what additions may be off by
_NEVER = float("-inf")  # when a key may come that never came
_LIMIT = b"x-ratelimit-limit"
_REMAINING = b"x-ratelimit-remaining"

Key = str | bytes


@dataclass(slots=True)  # not frozen: that would make it three times as slow to make
class Verdict:
    """
    What becomes of one request.

    Attributes:
        wait_s: 0 if it may pass, else seconds until one may.
        burst: Requests that may come at once.
        remaining: Of these, after this one.
    """

    wait_s: int
    burst: int
    remaining: int

    @property
    def is_near(self) -> bool:
        """Whether half of the burst is used: from there on a client may want to know."""
        return self.remaining < _near(self.burst)

    @property
    def headers(self) -> Headers:
        """For the answer."""
        headers = [(_LIMIT, b"%d" % self.burst), (_REMAINING, b"%d" % self.remaining)]
        if not self.wait_s:
            return headers
        seconds = b"%d" % self.wait_s
        return [(b"retry-after", seconds), (b"x-ratelimit-after", seconds), *headers]


class Pace:
    """
    Requests by key: so many at once, then one an interval.

    Args:
        burst: Requests at once, at least 1.
        interval_s: Seconds until one more may come.
        capacity: Keys in one generation of the table.

    Attributes:
        burst, interval_s: Those.
        full_s: What a key can save: the intervals of a burst after its first request.
        near: The verdict ``is_near`` with less than that left.
        lines: Of the head of an answer, up to the number of requests that are left.
    """

    __slots__ = ("_capacity", "_free_at", "_old", "burst", "full_s", "interval_s", "lines", "near")

    def __init__(self, burst: int, interval_s: float, capacity: int) -> None:
        self.burst = burst
        self.interval_s = interval_s
        self.full_s = (burst - 1 + _BLUR) * interval_s
        self._free_at: dict[Key, float] = {}  # from when on each may come, in monotonic seconds
        self._old: dict[Key, float] = {}
        self._capacity = capacity
        self.near = _near(burst)
        self.lines = b"%b: %d\r\n%b: " % (_LIMIT, burst, _REMAINING)

    def take(self, key: Key, now: float) -> float:
        """
        Count a request of a key.

        Args:
            key: Whose it is.
            now: Monotonic seconds.

        Returns:
            What is left of the burst, in requests with fraction. Negative: it is refused, and one
            may come after as many intervals.
        """
        free_at = self._free_at.get(key)
        if free_at is None:
            free_at = self._recall(key)
        saved_s = now - free_at
        if saved_s > self.full_s:
            saved_s = self.full_s
        if saved_s >= 0:
            self._free_at[key] = now - saved_s + self.interval_s
        return saved_s / self.interval_s

    def _recall(self, key: Key) -> float:
        """Take a key into the young generation that does not know it."""
        free_at = self._old.get(key, _NEVER)
        if len(self._free_at) >= self._capacity:
            self._old, self._free_at = self._free_at, {}
        self._free_at[key] = free_at
        return free_at

    def verdict(self, left: float) -> Verdict:
        """Say what ``take`` has found."""
        if left >= 0:
            return Verdict(0, self.burst, int(left))
        return Verdict(max(1, ceil(-left * self.interval_s)), self.burst, 0)


Check = tuple[Pace, bool, tuple[tuple[str, str], ...]]
"""A rule for one route: its pace, whether it is per user, what open parts of the path must be."""


def count(checks: tuple[Check, ...], request: Request, now: float) -> tuple[Pace | None, float]:
    """
    Count one request.

    Args:
        checks: What may concern it.
        request: Whose address, user and parameters matter.
        now: Monotonic seconds.

    Returns:
        The pace that leaves least, and what is left of it, as ``Pace.take`` says. None: nothing
        concerns it.
    """
    address = address_key(request.client_ip)
    identity = request.identity
    nearest, least = None, _PLENTY
    for pace, per_user, params in checks:
        if params and not _has(request.params, params):
            continue
        left = pace.take(identity.user_id if per_user and identity is not None else address, now)
        if left < least:
            nearest, least = pace, left
        if left < 0:
            break
    return nearest, least


@dataclass(frozen=True, slots=True)
class RateRule:
    """
    What an operator allows.

    Attributes:
        requests: In ``seconds``, evenly.
        seconds: See there.
        burst: At once; 0 for as many as ``requests``.
        path: The rule is for this path and all below it; ``/`` for everything.
        methods: Upper case; empty for all. HEAD counts as GET.
        operation: Id of an operation; empty for all.
        per: Whose requests are counted together: of one address, or of one user (of one address
            where there is no user).
    """

    requests: int
    seconds: float
    burst: int = 0
    path: str = "/"
    methods: frozenset[str] = frozenset()
    operation: str = ""
    per: Literal["address", "user"] = "address"


class RateLimits:
    """
    The rules of a server, ready for its routes.

    Args:
        rules: At least one.
        routes: All that are answered.
        clock: For refilling.

    Attributes:
        checks: What may concern requests of a route, for ``count``.
        plain: The pace of routes that nothing else concerns, for any request, by its address.

    Spec:
        server/edge-safety-p1-p2
    """

    def __init__(
        self, rules: Iterable[RateRule], routes: Iterable[BoundRoute], clock: Clock
    ) -> None:
        self._now = clock.monotonic
        given = tuple(rules)
        capacity = max(MIN_CAPACITY, CAPACITY // max(1, len(given)))
        self._rules = [
            (rule, Pace(rule.burst or rule.requests, rule.seconds / rule.requests, capacity))
            for rule in given
        ]
        self.checks = {bound: self._compile(bound) for bound in routes}
        self.plain = {
            bound: checks[0][0]
            for bound, checks in self.checks.items()
            if len(checks) == 1 and checks[0][1:] == (False, ())
        }

    def _compile(self, bound: BoundRoute) -> tuple[Check, ...]:
        route = bound.route
        if not route.is_limited:
            return ()
        checks = []
        for rule, pace in self._rules:
            if rule.operation not in ("", route.operation):
                continue
            params = _open_parts(_segments(rule.path), _segments(route.path))
            if params is not None and (not rule.methods or route.method in rule.methods):
                checks.append((pace, rule.per == "user", params))
        return tuple(checks)

    def take(self, bound: BoundRoute, request: Request) -> Verdict | None:
        """Count a request of a route; None if no rule is for it."""
        pace, left = count(self.checks[bound], request, self._now())
        return None if pace is None else pace.verdict(left)

    def demand(self, bound: BoundRoute, request: Request) -> None:
        """
        Count a request of a route where nothing can be added to a good answer.

        Raises:
            TooManyRequestsError: It came too early.
        """
        check_rate(self.take(bound, request))

    def take_elsewhere(self, request: Request) -> Verdict | None:
        """Count a request of no route: of a static file, or of nothing."""
        segments = _segments(request.path)
        checks = tuple(
            (pace, rule.per == "user", ())
            for rule, pace in self._rules
            if not rule.operation
            and (not rule.methods or request.method in rule.methods)
            and segments[: len(_segments(rule.path))] == _segments(rule.path)
        )
        pace, left = count(checks, request, self._now())
        return None if pace is None else pace.verdict(left)


def too_many(wait_s: int) -> TooManyRequestsError:
    """Say when to come again, in upstream's words."""
    return TooManyRequestsError(f"Too Many Requests! Wait for {wait_s}s")


def check_rate(verdict: Verdict | None) -> None:
    """
    Let pass what may pass.

    Raises:
        TooManyRequestsError: It came too early.
    """
    if verdict is not None and verdict.wait_s:
        raise too_many(verdict.wait_s)


def refusal(verdict: Verdict) -> Response:
    """Answer what came too early."""
    response = error_response(too_many(verdict.wait_s))
    add_limits(response, verdict)
    return response


def add_limits(response: Response, verdict: Verdict) -> None:
    """Tell of a limit, unless the handler has told of one of its own."""
    if not any(name == _LIMIT for name, _ in response.headers):
        response.headers += verdict.headers


def address_key(address: str) -> str:
    """What counts as one client: an address, or the network that an IPv6 client owns."""
    return _network(address) if ":" in address else address


@lru_cache(CACHED_NETWORKS)
def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ip_network((parsed.packed, IPV6_PREFIX), strict=False))
    return address


def _near(burst: int) -> int:
    return burst // 2 + 1


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _open_parts(rule: list[str], route: list[str]) -> tuple[tuple[str, str], ...] | None:
    """What the names in a route's path must stand for below a rule's; None if it cannot be."""
    if len(rule) > len(route):
        return None
    open_parts = []
    for wanted, segment in zip(rule, route, strict=False):
        if segment.startswith("{"):
            open_parts.append((segment[1:-1], wanted))
        elif segment != wanted:
            return None
    return tuple(open_parts)


def _has(params: dict[str, str], wanted: tuple[tuple[str, str], ...]) -> bool:
    return all(params.get(name) == value for name, value in wanted)
