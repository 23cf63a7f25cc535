"""
Services that publish their addresses: OpenID Connect Discovery.

``<issuer>/.well-known/openid-configuration`` says where users log in, where codes become tokens and
where users are described. It is fetched when somebody logs in and kept for an hour; when the
service is away, what was known goes on for a day. What it says is believed only if it names itself
as the configuration does, over TLS if that is how it is asked.
"""

from typing import Any
from urllib.parse import urlsplit

from msgspec.structs import replace

from trailbase_server.auth.oauth.outgoing import Outgoing
from trailbase_server.auth.oauth.provider import Application, Provider
from trailbase_server.clock import Clock
from trailbase_server.errors import DependencyError

PATH = "/.well-known/openid-configuration"
FRESH_S = 3600  # services change their addresses rarely
STALE_S = 24 * 3600  # known addresses may be used for so long while the service is away
RETRY_S = 10  # between two attempts while it is away
MAX_ISSUERS = 16  # of configurations that have run; one is usual
MAX_URL = 2048  # characters: what browsers and proxies take
_ADDRESSES = {
    "authorize_url": "authorization_endpoint",
    "token_url": "token_endpoint",
    "profile_url": "userinfo_endpoint",
}


class Discovery:
    """
    What services say about themselves, by issuer.

    Args:
        outgoing: To ask them.
        clock: For the age of their answers.
    """

    def __init__(self, outgoing: Outgoing, clock: Clock) -> None:
        self._outgoing = outgoing
        self._now = clock.monotonic
        self._known: dict[str, tuple[float, dict[str, str]]] = {}
        self._failed: dict[str, float] = {}

    async def complete(self, application: Application) -> Application:
        """
        Add the addresses of a service that publishes them; others are complete.

        Raises:
            DependencyError: The service is away, or says something unusable.
            UnavailableError: Too many log-ins are waiting for services.

        Spec:
            auth/missing-features-users-compare
        """
        issuer = application.provider.issuer
        if not issuer or application.provider.authorize_url:
            return application
        addresses = await self._find(issuer)
        provider: Provider = replace(application.provider, **addresses)
        return replace(application, provider=provider)

    async def _find(self, issuer: str) -> dict[str, str]:
        now = self._now()
        since, addresses = self._known.get(issuer, (-STALE_S * 2.0, {}))
        if now - since <= FRESH_S:
            return addresses
        is_usable = now - since <= STALE_S
        if is_usable and now - self._failed.get(issuer, -RETRY_S * 2.0) <= RETRY_S:
            return addresses
        try:
            async with self._outgoing.open() as http:
                found = read_addresses(issuer, await http.get(issuer.rstrip("/") + PATH))
        except DependencyError:
            self._failed[issuer] = now
            if is_usable:
                return addresses
            raise
        if issuer not in self._known and len(self._known) >= MAX_ISSUERS:
            forgotten = next(iter(self._known))
            del self._known[forgotten]
            self._failed.pop(forgotten, None)
        self._known[issuer] = now, found
        return found


def read_addresses(issuer: str, description: Any) -> dict[str, str]:
    """
    Read what a service says about itself.

    Args:
        issuer: As configured.
        description: JSON of the service.

    Returns:
        Addresses by field of ``Provider``.

    Raises:
        DependencyError: It is another one, or an address is missing or not usable.
    """
    if not isinstance(description, dict) or description.get("issuer") != issuer:
        raise DependencyError(detail=f"{issuer}: it does not describe itself")
    scheme = urlsplit(issuer).scheme
    found = {}
    for field, member in _ADDRESSES.items():
        address = description.get(member)
        if not isinstance(address, str) or not _is_usable(address, scheme):
            raise DependencyError(detail=f"{issuer}: {member} is not usable")
        found[field] = address
    return found


def _is_usable(address: str, scheme: str) -> bool:
    try:
        parts = urlsplit(address)
        has_host = bool(parts.hostname)
    except ValueError:
        return False
    is_plain = address.isascii() and address.isprintable() and " " not in address
    schemes = {"https", scheme}  # never from TLS to none
    fits = len(address) <= MAX_URL and "@" not in parts.netloc and not parts.fragment
    return is_plain and has_host and parts.scheme in schemes and fits
