"""
Which peers may speak for others: the proxies whose forwarding headers are believed.

Anybody on the internet can send such headers, so they count only when the socket's peer is on the
list. The list is the operator's (``--trusted-proxies``); without one it is the loopback and private
networks for a server that only they can reach, and nobody for one on a public address.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from msgspec import Struct

NONE = "none"
PRIVATE = "private"
LOCAL_SOCKETS = "unix"
# Loopback, link-local and private use. Not 100.64.0.0/10: providers put strangers into it.
PRIVATE_NETWORKS = tuple(
    ip_network(network)
    for network in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)


class Proxies(Struct, frozen=True):
    """
    Who is believed.

    Attributes:
        networks: Of their addresses.
        local_sockets: Whoever comes over a Unix socket is believed too.
        hops: How many proxies stand in a row before the server.
    """

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    local_sockets: bool = False
    hops: int = 1

    def trusts(self, peer: str) -> bool:
        """Is this the address of one of them? Of a Unix socket it is empty."""
        if not peer:
            return self.local_sockets
        try:
            address = parse_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.networks)


NEAR = Proxies(PRIVATE_NETWORKS, local_sockets=True)
"""Whoever is on this machine or a private network."""

NOBODY = Proxies()


def parse_address(text: str) -> IPv4Address | IPv6Address:
    """
    Parse an IP address; one of IPv4 in IPv6's clothes is one of IPv4.

    Raises:
        ValueError: It is none.
    """
    address = ip_address(text)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def parse_proxies(words: Iterable[str], hops: int = 1) -> Proxies:
    """
    Read the operator's list.

    Args:
        words: Addresses, networks (``10.0.0.0/8``), ``private`` (all that ``NEAR`` has), ``unix``
            or ``none``; several in one word are separated by commas.
        hops: See ``Proxies``.

    Raises:
        ValueError: Something is none of these, or ``none`` is not alone.
    """
    names = [name for word in words for name in word.replace(",", " ").split()]
    if NONE in names and len(names) > 1:
        raise ValueError(f"'{NONE}' stands alone")
    networks: list[IPv4Network | IPv6Network] = []
    for name in names:
        if name == PRIVATE:
            networks += PRIVATE_NETWORKS
        elif name not in (NONE, LOCAL_SOCKETS):
            try:
                networks.append(ip_network(name))
            except ValueError as exc:
                raise ValueError(f"'{name}' is no address or network: {exc}") from exc
    local = PRIVATE in names or LOCAL_SOCKETS in names
    return Proxies(tuple(networks), local, hops)


def usual_proxies(listening: Iterable[str], hops: int = 1) -> Proxies:
    """
    Whom to believe when the operator does not say.

    Args:
        listening: Addresses that the server is bound to; empty for a Unix socket.
        hops: See ``Proxies``.
    """
    if all(_is_near(address) for address in listening):
        return Proxies(NEAR.networks, NEAR.local_sockets, hops)
    return NOBODY


def _is_near(address: str) -> bool:
    # 0.0.0.0 and :: stand for all networks of the machine, and are in none of these.
    return NEAR.trusts(address)
