"""Which way out a configuration means."""

import pytest

from trailbase_server.config.proto.config_pb2 import EmailConfig
from trailbase_server.mail import open as module
from trailbase_server.mail.nowhere import LogTransport, NoTransport
from trailbase_server.mail.open import find_sendmail, open_transport
from trailbase_server.mail.sendmail import SendmailTransport
from trailbase_server.mail.smtp import SmtpTransport

NONE = EmailConfig()
SMTP = EmailConfig(smtp_host="mail.test", smtp_port=25, smtp_encryption="SMTP_ENCRYPTION_NONE")
OFF = EmailConfig(smtp_host="mail.test", smtp_port=25, disabled=True)
NOTHING = "no mail server is configured and there is no sendmail program"


@pytest.fixture(autouse=True)
def path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(module, "SENDMAIL_PLACES", (str(tmp_path / "sbin"),))
    return tmp_path


def install(directory):
    directory.mkdir(exist_ok=True)
    program = directory / "sendmail"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("config", "has_program", "dev", "kind", "label", "is_outward"),
    [
        (SMTP, True, False, SmtpTransport, "mail.test:25", True),
        (SMTP, False, False, SmtpTransport, "mail.test:25", True),
        (NONE, True, False, SendmailTransport, "system's sendmail", True),
        (NONE, False, False, NoTransport, NOTHING, False),
        (OFF, True, False, NoTransport, "mail is disabled", False),
        (SMTP, True, True, LogTransport, "the log", False),
        (NONE, False, True, LogTransport, "the log", False),
    ],
)
def test_choice(path, config, has_program, dev, kind, label, is_outward):
    if has_program:
        install(path)
    chosen = open_transport(config, "site.test", dev=dev)
    assert type(chosen) is kind
    assert (chosen.label, chosen.is_outward) == (label, is_outward)


def test_sendmail_is_found_where_the_path_does_not_lead(path):
    assert find_sendmail() is None
    program = install(path / "sbin")
    assert find_sendmail() == program
