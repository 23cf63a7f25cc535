"""
Limit how often one address may post to the auth API: a burst, then one request a second.

The bucket of each client is kept by ``web.rate_limit``, like those of the operator's own rules.
"""

from trailbase_server.clock import Clock
from trailbase_server.web.rate_limit import Pace, Verdict, address_key
from trailbase_server.web.request import Request

CAPACITY = 8192  # clients in each of two generations; about 150 bytes each
INTERVAL_S = 1.0  # until one more request may come, whatever the burst


class AddressLimit:
    """
    Requests by client address.

    Args:
        clock: For refilling.
        burst: Requests at once; 0 limits nothing.

    Spec:
        auth/per-ip
        server/client-ip-and-rate-limiting
    """

    def __init__(self, clock: Clock, burst: int = 0) -> None:
        self._clock = clock
        self._begin(burst)

    def _begin(self, burst: int) -> None:
        self._pace = Pace(burst, INTERVAL_S, CAPACITY)

    @property
    def burst(self) -> int:
        """Requests at once; 0 limits nothing. What was counted is kept until it changes."""
        return self._pace.burst

    @burst.setter
    def burst(self, burst: int) -> None:
        if burst != self._pace.burst:
            self._begin(burst)

    def take(self, request: Request) -> Verdict:
        """Count a request of its address."""
        key = address_key(request.client_ip)
        return self._pace.verdict(self._pace.take(key, self._clock.monotonic()))
