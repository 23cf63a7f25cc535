"""
A mail server, over a connection of its own for each mail.

Certificates are always verified, against the system's authorities (``SSL_CERT_FILE`` names others).
STARTTLS is mandatory where it is asked for: a server, or somebody in between, that does not offer
it gets neither the mail nor the password. A refusal of recipient, sender or content with 5xx is
final; everything else (no connection, a time-out, 4xx, a wrong password) may pass.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from trailbase_server.config.proto.config_pb2 import SmtpEncryption
from trailbase_server.mail.envelope import Envelope, clean_line, encode_host
from trailbase_server.mail.transport import SendError

if TYPE_CHECKING:
    import ssl

    from aiosmtplib import SMTP

    from trailbase_server.config.proto.config_pb2 import EmailConfig

log = logging.getLogger(__name__)
CONNECT_TIMEOUT_S = 15  # until the server has greeted us
COMMAND_TIMEOUT_S = 60  # for each answer; greylisting servers think for half a minute
TOTAL_TIMEOUT_S = 150  # for one mail, whatever happens
QUIT_TIMEOUT_S = 2  # politeness after the mail was taken
FINAL = 500  # replies from here on are refusals for good
MAX_REASON_CHARS = 300  # of a reply that a message quotes

Encryption = Literal["none", "starttls", "tls"]


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """
    A mail server.

    Attributes:
        host: Name or IP address.
        port: Of the service.
        encryption: ``starttls`` begins in the clear, ``tls`` does not.
        username, password: None: do not log in.
        local_host: What we call ourselves.
    """

    host: str
    port: int
    encryption: Encryption = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    local_host: str = "localhost"


def compile_smtp(config: "EmailConfig", local_host: str) -> SmtpSettings:
    """
    Read the settings of a mail server.

    Args:
        config: The ``email`` message, checked, with a host.
        local_host: What we call ourselves.

    Spec:
        server/transport-selection
    """
    encryption: Encryption = "starttls"
    if config.smtp_encryption == SmtpEncryption.SMTP_ENCRYPTION_NONE:
        encryption = "none"
    elif config.smtp_encryption == SmtpEncryption.SMTP_ENCRYPTION_TLS:
        encryption = "tls"
    has_both = bool(config.smtp_username and config.smtp_password)
    if has_both and encryption == "none":
        log.warning("the password for the mail server is sent in the clear")
    return SmtpSettings(
        encode_host(config.smtp_host),
        config.smtp_port,
        encryption,
        config.smtp_username if has_both else None,
        config.smtp_password if has_both else None,
        local_host,
    )


class SmtpTransport:
    """
    Sends through a mail server.

    Args:
        settings: Which one.
    """

    is_outward = True

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings
        self._tls: ssl.SSLContext | None = None

    @property
    def label(self) -> str:
        """``user@host:port``, or without a user ``host:port``."""
        given = self.settings
        user = f"{given.username}@" if given.username else ""
        return f"{user}{given.host}:{given.port}"

    async def send(self, envelope: Envelope) -> None:
        """
        Send one mail.

        Raises:
            SendError: The server cannot be reached or did not take it.

        Spec:
            server/transport-selection
        """
        # Imported when first needed: start-up time.
        from aiosmtplib import SMTPException  # noqa: PLC0415

        client = await self._client()
        try:
            async with asyncio.timeout(TOTAL_TIMEOUT_S):
                await client.connect(timeout=CONNECT_TIMEOUT_S)
                await client.sendmail(envelope.sender, [envelope.recipient], envelope.content)
        except (SMTPException, OSError, ValueError, TimeoutError) as exc:
            client.close()
            raise _translate(exc) from exc
        except BaseException:
            client.close()
            raise
        # Taken: whatever happens from now on, sending it again would be a second mail.
        with suppress(SMTPException, OSError, TimeoutError):
            await client.quit(timeout=QUIT_TIMEOUT_S)
        client.close()

    async def probe(self) -> None:
        """
        Connect, encrypt and log in as for a mail, and leave again.

        Raises:
            SendError: The server cannot be reached or does not let us in.
        """
        from aiosmtplib import SMTPException  # noqa: PLC0415  # as above

        client = await self._client()
        try:
            await client.connect(timeout=CONNECT_TIMEOUT_S)
            await client.quit(timeout=QUIT_TIMEOUT_S)
        except (SMTPException, OSError, ValueError, TimeoutError) as exc:
            raise _translate(exc) from exc
        finally:
            client.close()

    async def _client(self) -> "SMTP":
        from aiosmtplib import SMTP  # noqa: PLC0415  # as above

        given = self.settings
        if self._tls is None and given.encryption != "none":
            # Reading all authorities takes some 20 ms.
            self._tls = await asyncio.to_thread(_verifying_context)
        return SMTP(
            hostname=given.host,
            port=given.port,
            username=None if given.username is None else given.username.encode(),
            password=None if given.password is None else given.password.encode(),
            local_hostname=given.local_host,
            timeout=COMMAND_TIMEOUT_S,
            use_tls=given.encryption == "tls",
            start_tls=given.encryption == "starttls",
            tls_context=self._tls,
        )


def _verifying_context() -> "ssl.SSLContext":
    import ssl  # noqa: PLC0415  # imported when first needed: start-up time

    return ssl.create_default_context()


def _translate(exc: Exception) -> SendError:
    from aiosmtplib import (  # noqa: PLC0415  # as above
        SMTPDataError,
        SMTPRecipientRefused,
        SMTPRecipientsRefused,
        SMTPResponseException,
        SMTPSenderRefused,
    )

    cause: BaseException = exc
    if isinstance(exc, SMTPRecipientsRefused):
        cause = exc.recipients[0]
    if isinstance(cause, SMTPResponseException):
        final = isinstance(cause, SMTPRecipientRefused | SMTPSenderRefused | SMTPDataError)
        return SendError(
            _reason(f"{cause.code} {cause.message}"),
            is_permanent=final and cause.code >= FINAL,
        )
    return SendError(_reason(str(cause) or type(cause).__name__))


def _reason(text: str) -> str:
    return f"SMTP: {clean_line(text)[:MAX_REASON_CHARS]}"
