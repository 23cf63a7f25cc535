"""A mail server in its own process, a certificate, a database of mails."""

import datetime as dt
import ipaddress

import pytest

from tests.mail_server import MailServer
from trailbase_server.clock import FrozenClock
from trailbase_server.mail.outbox import Outbox
from trailbase_server.migrations.embedded import system_migrations
from trailbase_server.migrations.runner import migrate
from trailbase_server.sqlite.database import SqliteDatabase
from trailbase_server.sqlite.open import DatabaseFiles, open_connection


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
