"""
A configuration as mails need it: who they come from, what they say, where they go.

Compiled once per change of the configuration; nothing here is changed afterwards.
"""

import logging
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from trailbase_server.mail.envelope import (
    InvalidAddressError,
    Sender,
    clean_line,
    encode_host,
    parse_address,
)
from trailbase_server.mail.letters import Letters
from trailbase_server.mail.open import open_transport
from trailbase_server.mail.transport import Transport

if TYPE_CHECKING:
    from trailbase_server.config.proto.config_pb2 import Config

log = logging.getLogger(__name__)
DEFAULT_SITE = "http://localhost:4000"  # as every implementation of this protocol has it
DEFAULT_PORTS = {"http": 80, "https": 443}


class MailSettings(Struct, frozen=True):
    """
    What a mail is made with.

    Attributes:
        app_name: What users know the site by.
        site: Origin of the site.
        sender: Who mails come from.
        letters: What they say.
        transport: Where they go.
    """

    app_name: str
    site: str
    sender: Sender
    letters: Letters
    transport: Transport


def compile_mail(
    config: "Config", site_url: str | None, depot: Path | None = None, *, dev: bool = False
) -> MailSettings:
    """
    Read a configuration; opens no connection.

    Args:
        config: Checked.
        site_url: The effective one; None or empty: there is none.
        depot: Directory with templates of one's own; None: no such templates.
        dev: Developer mode: mails are shown in the log.

    Spec:
        server/e-mail
        server/site-url
    """
    if not site_url:
        log.warning("there is no site URL: links in mails lead to %s", DEFAULT_SITE)
    site, host = parse_site(site_url or DEFAULT_SITE)
    email = config.email
    # Mail servers know hosts by name, addresses in brackets.
    return MailSettings(
        clean_line(config.server.application_name),
        site,
        Sender(_sender_address(email.sender_address, host), clean_line(email.sender_name)),
        Letters(email, depot),
        open_transport(email, host, dev=dev),
    )


def parse_site(url: str) -> tuple[str, str]:
    """
    Take a checked URL apart.

    Returns:
        The origin, without a port that goes without saying, and the host as it stands in an
        address: ``site.test``, ``[192.0.2.1]``, ``[IPv6:2001:db8::1]``.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port
    try:
        address = ip_address(host)
    except ValueError:
        in_url = in_mail = encode_host(host)
    else:
        is_v6 = isinstance(address, IPv6Address)
        in_url = f"[{host}]" if is_v6 else host
        in_mail = f"[IPv6:{host}]" if is_v6 else f"[{host}]"
    suffix = "" if port is None or DEFAULT_PORTS.get(parts.scheme) == port else f":{port}"
    return f"{parts.scheme}://{in_url}{suffix}", in_mail


def _sender_address(configured: str, host: str) -> str:
    if configured:
        try:
            return parse_address(configured)
        except InvalidAddressError:
            # Only checked by others where a mail server is configured.
            log.warning("the sender address %r is none: mails come from noreply", configured)
    return f"noreply@{host}"
