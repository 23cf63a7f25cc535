"""A mail server in its own process, a certificate, a database of mails."""

import asyncio
import datetime as dt
import email
import email.policy
import ipaddress
import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from trailbase_server.clock import FrozenClock
from trailbase_server.mail.outbox import Outbox
from trailbase_server.migrations.embedded import system_migrations
from trailbase_server.migrations.runner import migrate
from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.open import DatabaseFiles, open_connection

PROGRAM = Path(__file__).with_name("smtp_server.py")
WAIT_S = 10


class MailServer:
    """The process; ``stop`` and ``start`` keep port and mails."""

    def __init__(self, directory, **options):
        self.options = {"mode": "none", "directory": str(directory), **options}
        self.directory = directory
        self.process = None
        self.start()
        self.options["port"] = self.port

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, json.dumps(self.options)], stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline())

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    @property
    def mails(self):
        return [json.loads(path.read_text()) for path in sorted(self.directory.glob("*.json"))]

    async def wait(self, count=1):
        """The mails, once there are this many."""
        end = time.monotonic() + WAIT_S
        while len(self.mails) < count:
            assert time.monotonic() < end, f"{len(self.mails)} mails instead of {count}"
            await asyncio.sleep(0.01)
        return [read_mail(mail) for mail in self.mails]


def read_mail(mail):
    message = email.message_from_string(mail["content"], policy=email.policy.default)
    html = message.get_body(("html",)).get_content()
    plain = message.get_body(("plain",)).get_content()
    return SimpleNamespace(**mail, message=message, html=html, plain=plain)


@pytest.fixture
def start_mail_server(tmp_path):
    """Start a mail server with options."""
    started = []

    def start(**options):
        directory = tmp_path / f"mails{len(started)}"
        directory.mkdir()
        started.append(MailServer(directory, **options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def mail_server(start_mail_server):
    return start_mail_server()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for localhost and 127.0.0.1 that nobody knows: paths of it and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    directory = tmp_path_factory.mktemp("certificate")
    paths = {"certificate": directory / "cert.pem", "key": directory / "key.pem"}
    paths["certificate"].write_bytes(built.public_bytes(serialization.Encoding.PEM))
    paths["key"].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return {name: str(path) for name, path in paths.items()}


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
async def database(tmp_path):
    files = DatabaseFiles(tmp_path / "outbox.db")
    connection = open_connection(files, "migrator")
    migrate(connection, system_migrations("outbox"), "outbox")
    connection.close()
    opened = SqliteDatabase(files, 1)
    yield opened
    await opened.close()


@pytest.fixture
def outbox(database, clock):
    return Outbox(database, clock)
