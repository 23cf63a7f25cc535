"""
Which way out a configuration means.

A configured mail server is used and nothing else: when it fails, mails wait for it. They are never
handed to a local ``sendmail`` instead, which would send them from the wrong place or lose them.
Without a configured server it is the local ``sendmail``, and where there is none mails are logged
by their kind and count as sent, so that a new depot works before its mail does.
"""

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trailbase_server.config.proto.config_pb2 import EmailConfig
    from trailbase_server.mail.transport import Transport

# Where distributions put it; a service's PATH often leaves these out.
SENDMAIL_PLACES = ("/usr/sbin", "/usr/lib", "/usr/local/sbin")


def open_transport(config: "EmailConfig", local_host: str, *, dev: bool = False) -> "Transport":
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
