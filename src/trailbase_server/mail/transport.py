"""
The ways out, and which of them a configuration means.

A configured mail server is used and nothing else: when it fails, mails wait for it. They are never
handed to a local ``sendmail`` instead, which would send them from the wrong place or lose them.
Without a configured server it is the local ``sendmail``, and where there is none mails are logged
by their kind and count as sent, so that a new depot works before its mail does.
"""

import os
import shutil
from typing import TYPE_CHECKING, Protocol

from trailbase_server.errors import DependencyError
from trailbase_server.mail.envelope import Envelope

if TYPE_CHECKING:
    from trailbase_server.config.proto.config_pb2 import EmailConfig

# Where distributions put it; a service's PATH often leaves these out.
SENDMAIL_PLACES = ("/usr/sbin", "/usr/lib", "/usr/local/sbin")
PROGRAM_LABEL = "system's sendmail"


class SendError(DependencyError):
    """
    A mail was not taken.

    Args:
        reason: For logs, operators and the status of the outbox; never for users.
        is_permanent: Trying again cannot help.
    """

    def __init__(self, reason: str, *, is_permanent: bool = False) -> None:
        super().__init__(detail=reason)
        self.reason = reason
        self.is_permanent = is_permanent


class Transport(Protocol):
    """
    One way out.

    Attributes:
        label: What to call it towards operators; without secrets.
        is_outward: Mails leave the program: that takes time and may fail, so they go through the
            outbox.
    """

    @property
    def label(self) -> str:
        """See above."""
        ...

    @property
    def is_outward(self) -> bool:
        """See above."""
        ...

    async def send(self, envelope: Envelope) -> None:
        """
        Hand a mail over.

        Raises:
            SendError: It was not taken.
        """
        ...


def open_transport(config: "EmailConfig", local_host: str, *, dev: bool = False) -> Transport:
    """
    Choose the way out; opens no connection.

    Args:
        config: The ``email`` message.
        local_host: What we call ourselves towards a mail server.
        dev: Mails are shown in the log instead.

    Spec:
        server/transport-selection
    """
    # Imported when first needed: start-up time; only one of them ever is.
    if dev:
        from trailbase_server.mail.nowhere import LogTransport  # noqa: PLC0415

        return LogTransport()
    if config.disabled:
        from trailbase_server.mail.nowhere import NoTransport  # noqa: PLC0415

        return NoTransport("mail is disabled")
    if config.HasField("smtp_host"):
        from trailbase_server.mail.smtp import SmtpTransport, compile_smtp  # noqa: PLC0415

        return SmtpTransport(compile_smtp(config, local_host))
    program = find_sendmail()
    if program is not None:
        from trailbase_server.mail.sendmail import SendmailTransport  # noqa: PLC0415

        return SendmailTransport(program)
    from trailbase_server.mail.nowhere import NoTransport  # noqa: PLC0415

    return NoTransport("no mail server is configured and there is no sendmail program")


def find_sendmail() -> str | None:
    """Find the program on the PATH and where it usually is."""
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *SENDMAIL_PLACES))
    return shutil.which("sendmail", path=path)
