"""``trail email`` through a real mail server, through a program, and without either."""

import asyncio
import json

import pytest

from tests.mail_server import MailServer
from trailbase_server.cli.main import run_command
from trailbase_server.mail import open as ways_out

CONFIG = """
email {{ {email} }}
server {{ application_name: "Boats" site_url: "https://boats.test" }}
auth {{}}
jobs {{}}
"""
SMTP = """
smtp_host: "127.0.0.1" smtp_port: {port} smtp_encryption: SMTP_ENCRYPTION_NONE
sender_name: "The boats" sender_address: "boats@boats.test"
"""


@pytest.fixture
def depot(tmp_path, monkeypatch):
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL", "RUST_LOG", "TO", "SUBJECT", "BODY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(ways_out, "SENDMAIL_PLACES", ())
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    (tmp_path / "depot").mkdir()
    return tmp_path / "depot"


@pytest.fixture
def trail(depot, capsys):
    """Run the command; returns its status and the last line of standard error."""

    def run(*words, email=""):
        (depot / "config.textproto").write_text(CONFIG.format(email=email))
        status = run_command(["--depot", str(depot), "email", *words])
        out, err = capsys.readouterr()
        assert out == ""
        return status, (err.splitlines() or [""])[-1]

    return run


@pytest.fixture
def server(tmp_path):
    (tmp_path / "mails").mkdir()
    server = MailServer(tmp_path / "mails")
    yield server
    server.stop()


WORDS = ("--to", "ada@mail.test", "--subject", "Tide", "--body", "<p>high</p>")


def test_through_a_server(trail, server, depot):
    status, line = trail(*WORDS, email=SMTP.format(port=server.port))
    assert (status, line) == (0, f"Sent email using: 127.0.0.1:{server.port}")
    (mail,) = asyncio.run(server.wait())
    assert mail.to == ["ada@mail.test"]
    assert mail.message["From"] == "The boats <boats@boats.test>"
    assert mail.message["Subject"] == "Tide"
    assert (mail.html.strip(), mail.plain.strip()) == ("<p>high</p>", "high")
    assert sorted(path.name for path in depot.iterdir()) == ["config.textproto"]


def test_how_it_went_as_json(trail, server, depot, capsys):
    (depot / "config.textproto").write_text(CONFIG.format(email=SMTP.format(port=server.port)))
    assert run_command(["--depot", str(depot), "email", *WORDS, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "to": "ada@mail.test",
        "sent_using": f"127.0.0.1:{server.port}",
    }


def test_by_environment(trail, server, monkeypatch):
    for name, value in (("TO", "bob@mail.test"), ("SUBJECT", "Ebb"), ("BODY", "low")):
        monkeypatch.setenv(name, value)
    assert trail(email=SMTP.format(port=server.port))[0] == 0
    (mail,) = asyncio.run(server.wait())
    assert mail.to == ["bob@mail.test"]


def test_failures_are_told(trail, server):
    email = SMTP.format(port=server.port)
    words = ("--to", "550@mail.test", *WORDS[2:])
    assert trail(*words, email=email) == (1, "Error: SMTP: 550 not to this one")
    assert trail("--to", "ada", *WORDS[2:], email=email) == (1, "Error: Invalid email")
    assert trail("--to", "ada@mail.test", "--body", "x", email=email)[0] == 2
    server.stop()
    status, line = trail(*WORDS, email=email)
    assert status == 1
    assert line.startswith("Error: SMTP: ")


def test_through_a_program(trail, tmp_path):
    program = tmp_path / "bin" / "sendmail"
    program.write_text(f"#!/bin/sh\n/bin/cat > {tmp_path}/mail\n")
    program.chmod(0o755)
    assert trail(*WORDS) == (0, "Sent email using system's sendmail")
    assert "Subject: Tide" in (tmp_path / "mail").read_text()


def test_without_a_way_out(trail):
    status, line = trail(*WORDS)
    assert status == 1
    assert line.startswith("Error: no mail server is configured")
    assert trail(*WORDS, email="disabled: true") == (1, "Error: mail is disabled")
