"""Addresses as operators write them: of the site, of mail servers, of the sender."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

MAX_HOST_LENGTH = 253  # what DNS can carry
_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\Z")
_LOCAL_PART = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}\Z")


def url_problem(text: str) -> str | None:
    """
    Say why a text is no absolute http or https URL; None if it is one.

    Upstream accepts any scheme, so ``localhost:4000`` passes there as one of scheme ``localhost``
    and fails later, in mails and in redirects.
    """
    if any(character <= " " or character == "\x7f" for character in text):
        return "it contains blanks or control characters"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as exc:
        return str(exc)
    if parts.scheme not in ("http", "https"):
        return "it must begin with http:// or https://"
    if not parts.hostname or port == 0:
        return "it has no host" if not parts.hostname else "port 0 cannot be reached"
    return None


def is_host(text: str) -> bool:
    """Is it a bare host name or IP address, without scheme and port?"""
    try:
        ip_address(text)
    except ValueError:
        pass
    else:
        return True
    if not text.isascii():
        try:
            text = text.encode("idna").decode("ascii")
        except UnicodeError:
            return False
    labels = text.removesuffix(".").split(".")
    return len(text) <= MAX_HOST_LENGTH and all(_LABEL.match(label) for label in labels)


def is_domain(text: str) -> bool:
    """Is it a host name of letters, digits and hyphens, as browsers write it, and no IP address?"""
    try:
        ip_address(text)
    except ValueError:
        return text.isascii() and is_host(text) and not text.endswith(".")
    return False


def is_email_address(text: str) -> bool:
    """Can mail be sent from it? A mail server, not this function, has the last word."""
    local, at, domain = text.rpartition("@")
    if not at or not _LOCAL_PART.match(local):
        return False
    if domain.startswith("[") and domain.endswith("]"):
        try:
            ip_address(domain[1:-1].removeprefix("IPv6:"))
        except ValueError:
            return False
        return True
    return is_host(domain)
