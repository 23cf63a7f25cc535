"""
The address a request comes from.

Headers of proxies are believed only when the socket's peer is on a loopback or private address:
anybody on the internet can send them (spec server/client-ip-and-rate-limiting,
auth/security-defects-do-not-reproduce S8).
"""

from ipaddress import ip_address

from trailbase_server.web.request import Headers

FORWARDED = (
    b"x-real-ip",
    b"fly-client-ip",
    b"true-client-ip",
    b"cf-connecting-ip",
    b"cloudfront-viewer-address",
)
PROXY_HEADERS = frozenset((b"x-forwarded-for", *FORWARDED))


def is_near(peer: str) -> bool:
    """Is this the address of a proxy we may believe: loopback, private, or a local socket?"""
    if not peer:
        return True
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return address.is_loopback or address.is_private


def client_address(peer: str, headers: Headers) -> str:
    """
    Address of the client behind a near peer.

    Args:
        peer: Address of the socket; the caller has checked ``is_near``.
        headers: Of the request.

    Returns:
        The first valid address: the last element of ``X-Forwarded-For``, then the single-value
        headers, then the peer.
    """
    lists = [value for name, value in headers if name == b"x-forwarded-for"]
    if lists:
        address = _valid(lists[-1].rsplit(b",", 1)[-1])
        if address:
            return address
    for wanted in FORWARDED:
        values = [value for name, value in headers if name == wanted]
        if len(values) == 1:
            value = values[0].rsplit(b":", 1)[0] if wanted.startswith(b"cloudfront") else values[0]
            address = _valid(value)
            if address:
                return address
    return peer


def _valid(value: bytes) -> str:
    text = value.strip().decode("latin-1")
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
