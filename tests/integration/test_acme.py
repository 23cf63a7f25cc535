"""Certificates from a real authority: pebble looks at us as Let's Encrypt would."""

import socket
import ssl
import time

import pytest

from tests.acme_server import Pebble, needs_pebble
from tests.encrypted import EncryptedServer
from tests.pier import Pier
from tests.serving import Server, free_port

pytestmark = needs_pebble
WAIT_S = 30


@pytest.fixture
def pier(tmp_path):
    return Pier(tmp_path / "depot")


def options(pebble, *names):
    return (
        *(word for name in names or ("a.test",) for word in ("--acme-domain", name)),
        *("--acme-directory", pebble.directory, "--acme-ca-file", pebble.ca_file),
        *("--http-redirect-address", f"127.0.0.1:{pebble.http_port}"),
        *("--acme-email", "ops@example.org"),
    )


def trusting(pebble):
    """For requests to an address; the tests look at names themselves."""
    context = pebble.trust()
    context.check_hostname = False
    return context


def until(condition, server):
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, server.log.read_text()[-3000:]
        time.sleep(0.05)


def test_a_first_certificate_comes_by_itself_and_outlives_a_restart(pier, tmp_path):
    with Pebble(tmp_path) as pebble:
        trust = trusting(pebble)
        with EncryptedServer(pier.root, trust, *options(pebble, "a.test", "b.test")) as server:
            for name in ("a.test", "b.test"):
                server.handshake(pebble.trust(), name).close()
            with pytest.raises(ssl.SSLCertVerificationError):
                server.handshake(pebble.trust(), "c.test")
            assert server.get("/api/records/v1/boat").status == 200
            first = server.certificate()
        again = (*options(pebble, "b.test", "a.test"),)
    stored = sorted((pier.root / "secrets" / "certs").iterdir())
    assert [path.stat().st_mode & 0o777 for path in stored] == [0o600, 0o600]
    # The authority is gone, and is not needed.
    with EncryptedServer(pier.root, trust, *again) as server:
        assert server.certificate() == first
        assert "ACME" not in server.log.read_text().split("Listening")[-1]


def test_while_the_authority_is_away_nothing_is_served_in_clear(pier, tmp_path):
    away = Pebble(tmp_path)
    with Started(pier.root, *options(away)) as server:
        until(lambda: "does not answer" in server.log.read_text(), server)
        assert "next attempt in" in server.log.read_text()
        with pytest.raises((ssl.SSLError, ConnectionError)):
            handshake(server)
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
            plain.sendall(b"GET /api/healthcheck HTTP/1.0\r\n\r\n")
            assert b"HTTP" not in plain.recv(1000)
        with away:
            until(lambda: "got a certificate" in server.log.read_text(), server)
            context = away.trust()
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
                context.wrap_socket(plain, server_hostname="a.test").close()


def test_a_certificate_is_renewed_before_its_end_and_nobody_notices(pier, tmp_path):
    with (
        Pebble(tmp_path, life_s=12) as pebble,
        EncryptedServer(pier.root, trusting(pebble), *options(pebble)) as server,
    ):
        first = server.certificate()
        answers = []

        def is_renewed():
            answers.append(server.get("/api/records/v1/boat").status)
            return server.certificate() != first

        until(is_renewed, server)
        assert set(answers) == {200}
        assert "clients refuse it" not in server.log.read_text()


def test_a_host_that_the_authority_cannot_reach_is_named_in_the_log(pier, tmp_path):
    with Pebble(tmp_path) as pebble:
        words = list(options(pebble))
        words[words.index("--http-redirect-address") + 1] = f"127.0.0.1:{free_port()}"
        with Started(pier.root, *words) as server:
            until(lambda: "no certificate for a.test" in server.log.read_text(), server)
            line = next(line for line in server.log.read_text().splitlines() if "ACME" in line)
            assert "refused" in line
            assert "next attempt in" in line
            assert server.stop() == 0


def test_an_authority_that_never_answers_does_not_keep_the_server_from_stopping(pier, tmp_path):
    away = Pebble(tmp_path)
    with (
        socket.create_server(("127.0.0.1", away.port)) as silent,
        Started(pier.root, *options(away)) as server,
    ):
        held, _ = silent.accept()
        with held:
            begun = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - begun < 5


class Started(Server):
    """A server that need not be healthy: it has no certificate yet."""

    def _wait_until_healthy(self):
        end = time.monotonic() + WAIT_S
        while "Listening" not in self.log.read_text():
            assert self.process.poll() is None, f"the server did not start: {self.log.read_text()}"
            assert time.monotonic() < end, "the server did not start"
            time.sleep(0.05)


def handshake(server):
    context = ssl.create_default_context()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
        context.wrap_socket(plain, server_hostname="a.test")
