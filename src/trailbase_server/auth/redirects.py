"""
Where a browser may be sent, and what is added to the address.

An open redirect lends our name to a phishing page, so targets are checked with the eyes of a
browser: control characters, backslashes and ``//`` at the start lead elsewhere than they seem to;
a user name before the host hides it; another port is another site.
"""

import re
from ipaddress import ip_address
from urllib.parse import quote, urlencode, urlsplit

from trailbase_server.auth.options import AuthOptions
from trailbase_server.errors import BadRequestError

_DEFAULT_PORTS = {"http": 80, "https": 443}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PRINTABLE_ASCII = "".join(map(chr, range(0x20, 0x7F)))

Origin = tuple[str, str, int]
"""Scheme, host in lower case, port."""


def parse_origin(url: str) -> Origin | None:
    """Scheme, host and port of an absolute http(s) URL; None for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    default = _DEFAULT_PORTS.get(parts.scheme)
    if default is None or not parts.hostname or "@" in parts.netloc or "\\" in url:
        return None
    return parts.scheme, parts.hostname, default if port is None else port


def render_origin(origin: Origin) -> str:
    """The form browsers send in ``Origin``."""
    scheme, host, port = origin
    name = f"[{host}]" if ":" in host else host
    return f"{scheme}://{name}" if port == _DEFAULT_PORTS[scheme] else f"{scheme}://{name}:{port}"


def check_redirect(
    target: str | None, options: AuthOptions, site: Origin | None, *, dev: bool
) -> str | None:
    """
    Check a redirect target that came with a request.

    Args:
        target: As received; None for none.
        options: Schemes and targets that are allowed besides the site itself.
        site: Of the effective site URL, if there is one.
        dev: Also allow loopback hosts.

    Returns:
        The target, unchanged.

    Raises:
        BadRequestError: It is not acceptable.

    Spec:
        auth/redirects
    """
    if target is None or _is_acceptable(target, options, site, dev):
        return target
    raise BadRequestError("invalid redirect")


def _is_acceptable(target: str, options: AuthOptions, site: Origin | None, dev: bool) -> bool:
    if _CONTROL.search(target) or target != target.strip():
        return False
    if target.startswith("/"):
        return not target.startswith(("//", "/\\"))
    if target in options.redirect_allowlist:
        return True
    scheme, colon, _ = target.partition(":")
    scheme = scheme.lower()
    if colon and scheme not in _DEFAULT_PORTS:
        return scheme in options.redirect_schemes
    origin = parse_origin(target)
    if origin is None:
        return False
    return origin == site or (dev and _is_loopback(origin[1]))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def add_parameters(target: str, **parameters: str) -> str:
    """
    Append query parameters to an accepted target: after a query that is there, before a fragment.

    Returns:
        For a target without query and fragment exactly ``{target}?{parameters}``.
    """
    address, hash_sign, fragment = target.partition("#")
    if "?" not in address:
        joint = "?"
    else:
        joint = "" if address.endswith(("?", "&")) else "&"
    return f"{address}{joint}{urlencode(parameters)}{hash_sign}{fragment}"


def render_location(target: str) -> str:
    """Percent-encode what is not ASCII: header values cannot carry it."""
    return quote(target, safe=_PRINTABLE_ASCII)
