"""Mails that leave no further than the log: developer mode, and a depot without any way out."""

import logging

from trailbase_server.mail.envelope import Envelope

log = logging.getLogger(__name__)


class LogTransport:
    """Shows whole mails in the log, links and codes included; for developer mode only."""

    label = "the log"
    is_outward = False

    async def send(self, envelope: Envelope) -> None:
        """
        Log a mail.

        Spec:
            server/transport-selection
        """
        # Imported when first needed: start-up time.
        from email import message_from_bytes  # noqa: PLC0415
        from email.policy import default  # noqa: PLC0415

        message = message_from_bytes(envelope.content, policy=default)
        plain = message.get_body(("plain",))
        body = "" if plain is None else plain.get_content().replace("\r\n", "\n").rstrip()
        log.info(
            "mail, not sent in developer mode\nFROM: %s\nTO: %s\nSUBJECT: %s\nBODY:\n%s",
            message["From"],
            envelope.recipient,
            message["Subject"],
            body,
        )


class NoTransport:
    """
    Drops mails and says so, without what is in them.

    Args:
        reason: Why there is no way out.
    """

    is_outward = False

    def __init__(self, reason: str) -> None:
        self.label = reason

    async def send(self, envelope: Envelope) -> None:
        """
        Log that there was a mail.

        Spec:
            auth/transport-and-sender
        """
        log.warning("a mail to %s was not sent: %s", envelope.recipient, self.label)
