"""
From texts to the bytes of one mail, in a form that no text can break out of.

Every mail says that a program wrote it (``Auto-Submitted``), so that nobody's absence note answers
it, and carries its ``Message-ID`` from the start: an attempt repeated after a lost answer is
recognised as the same mail.
"""

from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.crypto import LOWER_ALPHANUMERIC, random_text
from trailbase_server.mail.envelope import (
    Envelope,
    Sender,
    clean_line,
    encodable,
    parse_address,
)
from trailbase_server.mail.plain_text import render_plain_text

ID_CHARS = 24  # of a Message-ID: some 124 bits
FOLD_CHARS = 76  # longest line with an encoded word, of RFC 2047; addresses are never folded
_POLICY = SMTP.clone(max_line_length=FOLD_CHARS)


def build_message(
    sender: Sender,
    to: str,
    subject: str,
    html: str,
    text: str | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> Envelope:
    """
    Make a mail of two alternative bodies.

    Args:
        sender: For the ``From`` header and for errors.
        to: Address of the one recipient.
        subject: One line; whatever would end it becomes a blank.
        html: Body for most readers.
        text: The same for readers without HTML; None: made from ``html``.
        clock: Time of the ``Date`` header.

    Raises:
        InvalidAddressError: ``to`` is no address.

    Spec:
        server/message
        server/e-mail-p2
    """
    recipient = parse_address(to)
    domain = sender.address.rpartition("@")[2]
    message = EmailMessage(policy=_POLICY)
    message["From"] = _address(sender.address, clean_line(sender.name))
    message["To"] = _address(recipient)
    message["Subject"] = clean_line(subject)
    message["Date"] = format_datetime(datetime.fromtimestamp(clock.now_s(), UTC))
    message["Message-ID"] = f"<{random_text(ID_CHARS, LOWER_ALPHANUMERIC)}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    plain = render_plain_text(html) if text is None else text
    message.set_content(encodable(plain), cte="quoted-printable")
    message.add_alternative(encodable(html), subtype="html", cte="quoted-printable")
    return Envelope(sender.address, recipient, message.as_bytes())


def _address(spec: str, name: str = "") -> Address:
    local, _, domain = spec.rpartition("@")
    return Address(name, local, domain)
