"""
Addresses and names in a form that mail servers take, and a finished mail with its addresses.

Addresses are checked by the same rule as those of accounts and travel in ASCII. Line ends and other
control characters of a name or a subject become blanks: nothing can end a header and begin another.
"""

import re

from msgspec import Struct

from trailbase_server.errors import BadRequestError
from trailbase_server.schema.email import is_email

MAX_HEADER_CHARS = 400  # of a subject or a name; clients show fewer than a hundred
# What any program might take for the end of a line, and what moves a cursor.
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


class InvalidAddressError(BadRequestError):
    """Not an address that mail can be sent to."""


class Sender(Struct, frozen=True):
    """
    Who mails come from.

    Attributes:
        address: In ASCII.
        name: Shown beside it; empty for none.
    """

    address: str
    name: str = ""


class Envelope(Struct, frozen=True):
    """
    A finished mail and what a mail server has to be told about it.

    Attributes:
        sender: Address for errors, in ASCII.
        recipient: Address, in ASCII.
        content: Headers and body as bytes, lines ending with CR LF.
    """

    sender: str
    recipient: str
    content: bytes


def parse_address(text: str) -> str:
    """
    Check an address and make it ASCII.

    Args:
        text: The domain may be international.

    Raises:
        InvalidAddressError: It is none.

    Spec:
        auth/e-mail
    """
    if not is_email(text):
        raise InvalidAddressError("Invalid email")
    local, _, domain = text.rpartition("@")
    if domain.startswith("["):
        # RFC 5321 marks the newer kind.
        is_bare_v6 = ":" in domain and not domain.upper().startswith("[IPV6:")
        return f"{local}@[IPv6:{domain[1:]}" if is_bare_v6 else text
    return f"{local}@{encode_host(domain)}"


def encode_host(host: str) -> str:
    """Render a host name that was checked before in ASCII."""
    if host.isascii():
        return host
    import idna  # noqa: PLC0415  # imported when first needed: start-up time

    return idna.encode(host, uts46=True).decode("ascii")


def clean_line(text: str) -> str:
    """Make one line of a text: no control characters, no blanks around it, not too long."""
    return encodable(_CONTROL.sub(" ", text).strip()[:MAX_HEADER_CHARS])


def encodable(text: str) -> str:
    """Replace halves of surrogate pairs, as bytes of a command line that are not UTF-8 become."""
    return text.encode("utf-8", "replace").decode("utf-8")
