"""
Limit how often one address may post to the auth API: a burst, then one request a second.

Each address has a bucket of as many tokens as the burst allows; a request takes one, one comes back
every second. IPv6 clients own a /64 network, so that is what counts as their address. The table is
bounded: when it is full, the bucket that was used longest ago is forgotten.
"""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil

from trailbase_server.clock import Clock
from trailbase_server.web.request import Headers

CAPACITY = 16_384  # addresses; about 200 bytes each
IPV6_PREFIX = 64  # bits


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What becomes of one request.

    Attributes:
        wait_s: 0 if it may pass, else seconds until one may.
        headers: For the answer.
    """

    wait_s: int
    headers: Headers


class AddressLimit:
    """
    Token buckets by client address.

    Args:
        clock: For refilling.
        burst: Requests at once; 0 limits nothing.

    Spec:
        auth/per-ip
        server/client-ip-and-rate-limiting
    """

    def __init__(self, clock: Clock, burst: int = 0) -> None:
        self._now = clock.monotonic
        self.burst = burst
        self._buckets: dict[str, tuple[float, float]] = {}  # tokens, and when that was

    def take(self, address: str) -> Verdict:
        """Count one request of an address."""
        key, now, burst = _key(address), self._now(), self.burst
        tokens, updated = self._buckets.pop(key, (float(burst), now))
        tokens = min(float(burst), tokens + now - updated)
        passes = tokens >= 1
        if passes:
            tokens -= 1
        if len(self._buckets) >= CAPACITY:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[key] = (tokens, now)  # at the end: the longest unused ones come first
        headers = [
            (b"x-ratelimit-limit", b"%d" % burst),
            (b"x-ratelimit-remaining", b"%d" % tokens),
        ]
        if passes:
            return Verdict(0, headers)
        wait_s = max(1, ceil(1 - tokens))
        seconds = b"%d" % wait_s
        return Verdict(
            wait_s, [(b"retry-after", seconds), (b"x-ratelimit-after", seconds), *headers]
        )


def _key(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, IPV6_PREFIX), strict=False))
    return address
