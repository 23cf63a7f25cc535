"""
Where a request comes from: address of the client, and the scheme and host it has typed, as trusted
proxies tell.

Each proxy adds the address of its own peer at the end of a list, so only the end can be believed:
as many places from the right as there are proxies, and a place is passed over only if the address
there is itself a trusted proxy's. Spec: server/client-ip-and-rate-limiting,
auth/security-defects-do-not-reproduce S8.
"""

import re
from ipaddress import ip_address

from trailbase_server.web.forwarded import parse_forwarded
from trailbase_server.web.proxies import Proxies
from trailbase_server.web.request import Headers

FORWARDED = (
    b"x-real-ip",
    b"fly-client-ip",
    b"true-client-ip",
    b"cf-connecting-ip",
    b"cloudfront-viewer-address",
)
PROXY_HEADERS = frozenset((b"x-forwarded-for", b"forwarded", *FORWARDED))
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?\Z")
_NODE = re.compile(r"(?:\[([^\]]*)\]|([^:]*)|(.*))(?::[0-9_A-Za-z.-]+)?\Z")


def client_address(peer: str, headers: Headers, proxies: Proxies) -> str:
    """
    Address of the client behind a trusted peer.

    Args:
        peer: Address of the socket; the caller has checked ``proxies.trusts``.
        headers: Of the request.
        proxies: The list, and how many of them stand in a row.

    Returns:
        The first valid address: from ``X-Forwarded-For``, from ``Forwarded`` where there is no
        such header, from the headers of one value, and the peer.
    """
    places = _last_places(headers, b"x-forwarded-for", proxies.hops)
    if places:
        address = _valid(places[_passed_over(places, proxies)])
    else:
        elements = _elements(headers)
        nodes = [_node_address(element.get("for", "")) for element in elements]
        address = nodes[_passed_over(nodes, proxies)] if nodes else ""
    if address:
        return address
    for wanted in FORWARDED:
        values = [value for name, value in headers if name == wanted]
        if len(values) == 1:
            text = values[0].decode("latin-1")
            address = _valid(text.rpartition(":")[0] if wanted.startswith(b"cloudfront") else text)
            if address:
                return address
    return peer


def client_origin(scheme: str, host: str, headers: Headers, proxies: Proxies) -> str:
    """
    Scheme and authority that the client of a trusted peer has typed.

    Args:
        scheme, host: Of the request as the proxy has sent it.
        headers: Of the request.
        proxies: See ``client_address``.

    Returns:
        Such as ``https://example.org``; what is not told or no host stays as given.
    """
    names = {name for name, _ in headers}
    if names.isdisjoint((b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host")):
        elements = _elements(headers)
        nodes = [_node_address(element.get("for", "")) for element in elements]
        seen = elements[_passed_over(nodes, proxies)] if elements else {}
        told_scheme, told_host = seen.get("proto", ""), seen.get("host", "")
    else:
        addresses = _last_places(headers, b"x-forwarded-for", proxies.hops)
        back = len(addresses) - _passed_over(addresses, proxies) if addresses else 1
        told_scheme, told_host = (
            places[-min(back, len(places))] if places else ""
            for places in (
                _last_places(headers, b"x-forwarded-proto", proxies.hops),
                _last_places(headers, b"x-forwarded-host", proxies.hops),
            )
        )
    if told_scheme.lower() in ("http", "https"):
        scheme = told_scheme.lower()
    return f"{scheme}://{told_host if _HOST.match(told_host) else host}"


def _last_places(headers: Headers, wanted: bytes, count: int) -> list[str]:
    """The last elements of a list, which may be spread over several headers; no more than count."""
    places: list[str] = []
    for name, value in reversed(headers):
        if name == wanted:
            parts = value.rsplit(b",", count - len(places))[-(count - len(places)) :]
            places[:0] = [part.strip().decode("latin-1") for part in parts]
            if len(places) == count:
                break
    return places


def _elements(headers: Headers) -> list[dict[str, str]]:
    value = b",".join(value for name, value in headers if name == b"forwarded")
    try:
        return parse_forwarded(value.decode("latin-1"))
    except ValueError:
        return []


def _passed_over(addresses: list[str], proxies: Proxies) -> int:
    """Index of the address to believe, where each further left was told by the one right of it."""
    at = len(addresses) - 1
    for _ in range(proxies.hops - 1):
        if at == 0 or not addresses[at] or not proxies.trusts(addresses[at]):
            break
        at -= 1
    return at


def _node_address(node: str) -> str:
    """The address in ``192.0.2.1``, ``192.0.2.1:80``, ``[2001:db8::1]:80``; empty if none."""
    found = _NODE.match(node)
    return _valid(next(filter(None, found.groups()), "")) if found else ""


def _valid(text: str) -> str:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return ""
