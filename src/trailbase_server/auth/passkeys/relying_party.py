"""
Who we are to a browser: the domain that keys belong to, and the pages that may use them.

Without a site URL, or with an IP address in it, there is no domain, and no passkeys; developer mode
falls back to ``localhost``, which browsers treat as a secure place.
"""

import logging

from msgspec import Struct

from trailbase_server.auth.redirects import parse_origin, render_origin
from trailbase_server.auth.state import AuthState
from trailbase_server.config.address import is_domain
from trailbase_server.errors import NotFoundError

log = logging.getLogger(__name__)
LOCALHOST = "localhost"


class RelyingParty(Struct, frozen=True):
    """
    What ceremonies are checked against.

    Attributes:
        id: Domain.
        name: Shown by devices.
        origins: Of pages and apps, as browsers write them.
        any_localhost: Pages of ``localhost`` may use keys, whatever their port.
    """

    id: str
    name: str
    origins: frozenset[str]
    any_localhost: bool = False

    def admits(self, origin: str) -> bool:
        """May a key be used from there?"""
        if origin in self.origins:
            return True
        parsed = parse_origin(origin) if self.any_localhost else None
        return parsed is not None and parsed[1] == LOCALHOST and render_origin(parsed) == origin


def find_relying_party(state: AuthState) -> RelyingParty | None:
    """Who we are by the current configuration; None if passkeys are off or have no domain."""
    options = state.options.passkeys
    rp_id = options.rp_id
    if not rp_id and state.site is not None and is_domain(state.site[1]):
        rp_id = state.site[1]
    if not rp_id and state.dev:
        rp_id = LOCALHOST
    if not rp_id or not options.enabled:
        return None
    origins = options.origins
    if not origins and state.site is not None:
        origins = (render_origin(state.site),)
    return RelyingParty(
        rp_id,
        options.rp_name or state.application_name,
        frozenset(origins),
        any_localhost=state.dev and rp_id == LOCALHOST,
    )


def relying_party(state: AuthState) -> RelyingParty:
    """
    Who we are by the current configuration.

    Raises:
        NotFoundError: Passkeys are off, or there is no domain for them.
    """
    party = find_relying_party(state)
    if party is None:
        if state.options.passkeys.enabled:
            log.error("passkeys are enabled, but have no domain: server.site_url must name a host")
        raise NotFoundError
    return party
