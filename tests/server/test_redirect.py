import socket

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.authority import Authority, store
from tests.encrypted import EncryptedServer
from tests.pier import Pier
from tests.serving import Server, free_port
from trailbase_server.server.acme.challenges import PREFIX, Challenges
from trailbase_server.server.redirect import build_redirect

AUTHORITY = Authority()


async def ask(path, *, host=b"a.test", query=b"", method="GET", port=443, offered=()):
    challenges = Challenges()
    for where, answer in offered:
        challenges.offer(where, answer)
    sent = []

    async def send(message):
        sent.append(message)

    hosts = host if isinstance(host, list) else [host]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path if isinstance(path, bytes) else path.encode(),
        "query_string": query,
        "headers": [(b"host", one) for one in hosts],
    }
    await build_redirect(port, challenges)(scope, None, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


@pytest.mark.parametrize(
    ("host", "port", "place"),
    [
        (b"a.test", 443, b"a.test"),
        (b"a.test:80", 443, b"a.test"),
        (b"a.test:8080", 8443, b"a.test:8443"),
        (b"[::1]:80", 8443, b"[::1]:8443"),
        (b"192.0.2.1", 443, b"192.0.2.1"),
    ],
)
async def test_host_path_and_query_are_kept_and_the_port_is_that_of_https(host, port, place):
    status, headers, body = await ask("/a%20b/c", host=host, port=port, query=b"x=1&y=%2F")
    assert status == 308
    assert headers[b"location"] == b"https://" + place + b"/a%20b/c?x=1&y=%2F"
    assert body == b""


@pytest.mark.parametrize(
    "host", [b"", b"a b", b"a.test/x", b"a@b", b"a.test:port", b"a\xff", [b"a.test", b"b.test"], []]
)
async def test_without_one_proper_host_nobody_is_sent_anywhere(host):
    assert (await ask("/", host=host))[0] == 400


@given(path=st.binary(max_size=50), query=st.binary(max_size=50))
async def test_nothing_breaks_out_of_the_header(path, query):
    status, headers, _ = await ask(b"/" + path, query=query)
    assert status == 308
    location = headers[b"location"]
    assert location.startswith(b"https://a.test/")
    assert all(0x20 < byte < 0x7F for byte in location)


async def test_challenges_are_answered_and_nothing_else_below_their_prefix():
    offered = [(PREFIX + "abc", "abc.thumb")]
    assert (await ask(PREFIX + "abc", offered=offered))[::2] == (200, b"abc.thumb")
    assert (await ask(PREFIX + "abc", offered=offered, method="HEAD"))[::2] == (200, b"")
    assert (await ask(PREFIX + "abd", offered=offered))[0] == 404
    assert (await ask(PREFIX, offered=offered))[0] == 404


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    pier = Pier(tmp_path_factory.mktemp("redirect") / "depot")
    store(pier.root / "secrets" / "certs", *AUTHORITY.issue())
    port = free_port()
    trust = AUTHORITY.client_context()
    with EncryptedServer(
        pier.root, trust, "--http-redirect-address", f"127.0.0.1:{port}"
    ) as server:
        server.plain = f"http://127.0.0.1:{port}"
        yield server


def test_a_browser_ends_up_at_the_encrypted_page(server):
    url = f"{server.plain}/api/records/v1/boat?limit=3"
    assert httpx.get(url).headers["location"] == f"{server.url}/api/records/v1/boat?limit=3"
    assert httpx.get(url, follow_redirects=True, verify=server.trust).json()["records"] == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
def test_every_method_is_sent_on_with_its_body(server, method):
    answer = httpx.request(method, f"{server.plain}/x", content=b"" if method == "HEAD" else b"{}")
    assert answer.status_code == 308


def test_nothing_of_the_server_answers_there(server):
    for path in ("/api/healthcheck", "/api/_admin/info", "/_/auth/login"):
        assert httpx.get(server.plain + path).status_code == 308


def test_requests_that_are_none_are_refused(server):
    host, port = server.plain.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as plain:
        plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b" 400 " in plain.recv(1000)


def test_the_port_is_that_of_the_sites_address(pier):
    pier.edit("http://pier.test", "https://pier.test")
    store(pier.root / "secrets" / "certs", *AUTHORITY.issue())
    plain = f"127.0.0.1:{free_port()}"
    options = ("--http-redirect-address", plain)
    with EncryptedServer(pier.root, AUTHORITY.client_context(), *options):
        assert httpx.get(f"http://{plain}/x").headers["location"] == "https://127.0.0.1/x"


def test_without_tls_there_is_nothing_to_redirect_to(pier):
    with pytest.raises(AssertionError, match="needs TLS"):
        Server(pier.root, "--http-redirect-address", f"127.0.0.1:{free_port()}")
