"""What an e-mail address looks like: the rule of HTML forms, plus literals and IDNA domains."""

import re
from ipaddress import ip_address

MAX_LOCAL_CHARS = 64  # RFC 5321
MAX_DOMAIN_CHARS = 255  # RFC 5321

_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+\Z")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")
_LITERAL = re.compile(r"\[([0-9A-Fa-f:.]+)\]\Z")


def is_email(text: str) -> bool:
    """
    Tell whether a text is an e-mail address.

    Args:
        text: Taken literally: blanks and line ends are part of it.

    Spec:
        sqlite/simple-validators
    """
    local, at, domain = text.rpartition("@")
    if not at or len(local) > MAX_LOCAL_CHARS or len(domain) > MAX_DOMAIN_CHARS:
        return False
    if not _LOCAL.match(local):
        return False
    return _is_domain(domain)


def _is_domain(domain: str) -> bool:
    if _DOMAIN.match(domain):
        return True
    literal = _LITERAL.match(domain)
    if literal:
        return _is_address(literal[1])
    if domain.isascii():
        return False
    import idna  # noqa: PLC0415  # imported when first needed: start-up time

    try:
        encoded = idna.encode(domain, uts46=True)
    except UnicodeError:
        return False
    return _DOMAIN.match(encoded.decode("ascii")) is not None


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
