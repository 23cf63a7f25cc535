import http.server
import ssl
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.acme_server import BLOCKED, Pebble, needs_pebble
from tests.authority import new_key, pem_of
from tests.serving import free_port
from trailbase_server.server.acme.challenges import Challenges
from trailbase_server.server.acme.client import obtain_certificate
from trailbase_server.server.acme.errors import IssuanceError, UnreachableError
from trailbase_server.server.acme.settings import AcmeSettings
from trailbase_server.server.certificate import load_certificate

pytestmark = needs_pebble


@pytest.fixture(scope="module")
def pebble(tmp_path_factory):
    with Pebble(tmp_path_factory.mktemp("pebble")) as pebble:
        yield pebble


@pytest.fixture
def challenges(pebble):
    """Answered over HTTP where the authority looks."""
    challenges = Challenges()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            answer = challenges.answer(self.path)
            self.send_response(200 if answer else 404)
            self.end_headers()
            self.wfile.write((answer or "").encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", pebble.http_port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield challenges
        server.shutdown()
        thread.join()


@pytest.fixture
def ask(pebble, tmp_path):
    """The settings of a wish."""

    def ask(*domains, directory=None, ca_file=pebble.ca_file):
        return AcmeSettings(
            domains, "ops@example.org", directory or pebble.directory, ca_file, tmp_path
        )

    return ask


def test_a_certificate_for_all_names_with_its_key_and_its_chain(pebble, ask, challenges, tmp_path):
    pem = obtain_certificate(ask("a.test", "b.test"), challenges)
    path = tmp_path / "got.pem"
    path.touch(0o600)
    path.write_bytes(pem)
    settings = ask()
    found = load_certificate(type(settings.files)(path, path))
    assert set(found.names) == {"a.test", "b.test"}
    assert len(x509.load_pem_x509_certificates(pem)) > 1
    assert load_pem_private_key(pem, None)
    assert isinstance(pebble.trust(), ssl.SSLContext)


def test_challenges_are_withdrawn(ask, challenges):
    obtain_certificate(ask("a.test"), challenges)
    assert challenges._answers == {}
    with pytest.raises(IssuanceError):
        obtain_certificate(ask("a.test", BLOCKED), challenges)
    assert challenges._answers == {}


def test_the_account_is_kept_for_its_owner_alone(ask, challenges):
    settings = ask("a.test")
    obtain_certificate(settings, challenges)
    before = settings.account.read_bytes()
    assert settings.account.stat().st_mode & 0o777 == 0o600
    obtain_certificate(settings, challenges)
    assert settings.account.read_bytes() == before


@pytest.mark.parametrize("text", [b"nonsense", pem_of(new_key("rsa"))])
def test_a_broken_account_is_named(ask, text):
    settings = ask("a.test")
    settings.account.write_bytes(text)
    with pytest.raises(IssuanceError, match=r"account\.pem"):
        obtain_certificate(settings, Challenges())


def test_a_host_where_nobody_answers_is_named(ask):
    with pytest.raises(IssuanceError, match=r"a\.test: .*refused") as caught:
        obtain_certificate(ask("a.test"), Challenges())
    assert not isinstance(caught.value, UnreachableError)


def test_a_wrong_answer_is_not_enough(ask, challenges):
    challenges.offer = lambda path, answer: Challenges.offer(challenges, path, "wrong")
    with pytest.raises(IssuanceError, match=r"a\.test"):
        obtain_certificate(ask("a.test"), challenges)


def test_what_the_authority_says_is_passed_on(ask, challenges):
    with pytest.raises(IssuanceError, match=BLOCKED):
        obtain_certificate(ask(BLOCKED), challenges)


def test_an_authority_that_is_not_there_is_told_from_one_that_refuses(ask):
    directory = f"https://localhost:{free_port()}/dir"
    with pytest.raises(UnreachableError, match="refused"):
        obtain_certificate(ask("a.test", directory=directory), Challenges())


def test_an_authority_nobody_vouches_for_is_not_asked(ask):
    with pytest.raises(UnreachableError, match="certificate verify failed"):
        obtain_certificate(ask("a.test", ca_file=None), Challenges())


@pytest.mark.parametrize("path", ["/roots/0", "/nothing"])
def test_what_is_no_authority_is_an_error_like_any_other(pebble, ask, path):
    directory = f"https://localhost:{pebble._management}{path}"
    with pytest.raises(IssuanceError):
        obtain_certificate(ask("a.test", directory=directory), Challenges())


def test_a_folder_that_cannot_be_written_is_named(pebble):
    settings = AcmeSettings(("a.test",), None, pebble.directory, pebble.ca_file, Path("/proc/x"))
    with pytest.raises(IssuanceError, match="/proc/x"):
        obtain_certificate(settings, Challenges())
