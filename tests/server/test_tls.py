import asyncio
import json
import logging
import os
import socket
import ssl
import subprocess
import threading
import time
from contextlib import suppress

import httpx
import pytest
import websockets
from cryptography.hazmat.primitives.serialization import Encoding

from tests.authority import Authority, new_key, pem_of, store
from tests.encrypted import EncryptedServer
from tests.pier import Pier
from tests.serving import Server, free_port
from trailbase_server.clock import FrozenClock
from trailbase_server.errors import OperatorError
from trailbase_server.server import tls
from trailbase_server.server.certificate import TlsFiles
from trailbase_server.server.tls import Certificates, find_certificates, watch_certificates

AUTHORITY = Authority()
TRUST = AUTHORITY.client_context()
BOATS = "/api/records/v1/boat"


def der(chain):
    return chain[0].public_bytes(Encoding.DER)


def replace(path, content):
    """As a careful operator does: in one step."""
    beside = path.with_name(path.name + ".new")
    beside.touch(0o600)
    beside.write_bytes(content)
    beside.replace(path)


# The files


@pytest.fixture
def files(tmp_path):
    return TlsFiles(*store(tmp_path, *AUTHORITY.issue("a.test")))


@pytest.fixture
def loaded(files):
    certificates = Certificates(files)
    certificates.load()
    return certificates


def test_without_files_there_is_no_tls(tmp_path):
    assert find_certificates(tmp_path, None, None) is None


def test_the_depots_own_files_are_used_unless_others_are_named(tmp_path):
    folder = tmp_path / "secrets" / "certs"
    cert, key = store(folder, *AUTHORITY.issue())
    assert find_certificates(tmp_path, None, None) == TlsFiles(cert, key)
    other = tmp_path / "x.pem"
    assert find_certificates(tmp_path, other, other) == TlsFiles(other, other)


@pytest.mark.parametrize(
    ("left", "message"),
    [("cert.pem", "TLS cert provided but key missing"), ("key.pem", "TLS key provided but cert")],
)
def test_half_of_a_pair_is_refused(tmp_path, left, message):
    folder = tmp_path / "secrets" / "certs"
    folder.mkdir(parents=True)
    (folder / left).symlink_to("nowhere")
    with pytest.raises(OperatorError, match=message):
        find_certificates(tmp_path, None, None)
    with pytest.raises(OperatorError, match="belong together"):
        find_certificates(tmp_path, folder / left, None)


def test_changed_files_are_taken_over_at_the_next_look(files, loaded):
    before = loaded.certificate
    loaded.poll()
    assert loaded.certificate is before
    store(files.cert.parent, *AUTHORITY.issue("b.test"))
    loaded.poll()
    assert loaded.certificate.names == ("b.test",)


def test_broken_files_leave_the_old_certificate_and_one_line(files, loaded, caplog):
    replace(files.key, b"nonsense")
    for _ in range(5):
        loaded.poll()
    assert loaded.certificate.names == ("a.test",)
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "the old certificate stays" in caplog.text
    assert "holds no PEM private key" in loaded.status().problems[0]
    store(files.cert.parent, *AUTHORITY.issue("b.test"))
    loaded.poll()
    assert loaded.status().problems == ()


def test_a_pair_that_arrives_in_two_steps_is_no_mistake(files, loaded, caplog):
    key, chain = AUTHORITY.issue("b.test")
    replace(files.cert, pem_of(chain))
    loaded.poll()
    replace(files.key, pem_of(key))
    loaded.poll()
    assert loaded.certificate.names == ("b.test",)
    assert caplog.text == ""


def test_files_that_vanish_leave_the_old_certificate(files, loaded, caplog):
    files.cert.unlink()
    files.key.unlink()
    loaded.poll()
    loaded.poll()
    assert loaded.certificate.names == ("a.test",)
    assert caplog.text.count("cannot read") == 1


def test_the_operator_hears_at_once_that_new_files_are_broken(files, loaded):
    files.cert.write_bytes(b"")
    with pytest.raises(OperatorError, match=r"cert\.pem"):
        loaded.reload()
    assert loaded.certificate.names == ("a.test",)


def test_a_certificate_that_runs_out_is_a_problem_from_that_second_on(files, caplog):
    clock = FrozenClock(time.time())
    certificates = Certificates(files, clock=clock)
    certificates.load()
    assert certificates.status().problems == ()
    assert certificates.status().not_after == certificates.certificate.not_after
    clock.at = certificates.certificate.not_after - 3 * 86_400
    certificates.poll()
    certificates.poll()
    assert caplog.text.count("(in 3 days)") == 1
    clock.at += 86_400
    certificates.poll()
    assert "(in 2 days)" in caplog.text
    clock.at = certificates.certificate.not_after
    certificates.poll()
    certificates.poll()
    assert caplog.text.count("clients refuse it") == 1
    assert "expired on" in certificates.status().problems[0]


def test_without_a_certificate_the_files_are_waited_for(tmp_path, caplog):
    certificates = Certificates(TlsFiles(tmp_path / "cert.pem", tmp_path / "key.pem"))
    certificates.poll()
    certificates.reload()
    assert caplog.text == ""
    assert certificates.status().problems == ("no certificate yet",)
    store(tmp_path, *AUTHORITY.issue("a.test"))
    certificates.poll()
    assert certificates.status().names == ("a.test",)


async def test_files_are_watched_until_the_end_of_the_block(files, loaded, monkeypatch):
    monkeypatch.setattr(tls, "POLL_S", 0.01)
    async with watch_certificates(loaded):
        store(files.cert.parent, *AUTHORITY.issue("b.test"))
        async with asyncio.timeout(5):
            while loaded.certificate.names != ("b.test",):
                await asyncio.sleep(0.01)
    before = asyncio.all_tasks()
    await asyncio.sleep(0)
    assert len(before) <= 2


# Handshakes


@pytest.fixture
def certs(pier):
    folder = pier.root / "secrets" / "certs"
    store(folder, *AUTHORITY.issue())
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all that do not touch its files."""
    pier = Pier(tmp_path_factory.mktemp("tls") / "depot")
    pier.edit(
        'table_name: "boat" acl_world: [CREATE, READ]',
        'table_name: "boat" acl_world: [CREATE, READ] enable_subscriptions: true',
    )
    pier.edit("enable_record", "hsts_max_age_sec: 3600 enable_record")
    store(pier.root / "secrets" / "certs", *AUTHORITY.issue())
    with EncryptedServer(pier.root, TRUST) as server:
        yield server
        assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


@pytest.fixture
def own(pier, certs):
    """One for whom changes its files."""
    with EncryptedServer(pier.root, TRUST) as server:
        yield server


def test_a_client_that_knows_only_the_root_is_content(server):
    """The intermediate certificate is sent along."""
    with server.handshake() as connection:
        assert connection.version() == "TLSv1.3"
        assert connection.selected_alpn_protocol() is None
    assert server.get(BOATS).status == 200


def test_the_protocol_is_negotiated(server):
    context = AUTHORITY.client_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    with server.handshake(context) as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"
    context.set_alpn_protocols(["h2", "acme-tls/1"])
    with server.handshake(context) as connection:
        assert connection.selected_alpn_protocol() is None


def test_a_client_that_names_no_host_is_served(server):
    context = AUTHORITY.client_context()
    context.check_hostname = False
    assert server.handshake(context, name=None).close() is None


def openssl(server, *options):
    return subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *options],
        check=False,
        input=b"",
        capture_output=True,
        timeout=20,
    )


@pytest.mark.parametrize(
    ("options", "is_spoken"),
    [
        (("-tls1_3",), True),
        (("-tls1_2",), True),
        (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), False),
        (("-tls1", "-cipher", "ALL:@SECLEVEL=0"), False),
        (("-tls1_2", "-cipher", "AES128-SHA"), False),
        (("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA"), False),
    ],
)
def test_old_versions_and_ciphers_are_refused(server, options, is_spoken):
    assert (openssl(server, *options).returncode == 0) is is_spoken


def test_a_newer_least_version_can_be_asked_for(pier, certs):
    with EncryptedServer(pier.root, TRUST, "--tls-min-version", "1.3") as server:
        assert openssl(server, "-tls1_3").returncode == 0
        assert openssl(server, "-tls1_2").returncode != 0


def test_plain_http_on_the_same_port_is_closed_without_an_answer(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as plain:
        plain.sendall(b"GET /api/healthcheck HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        try:
            while piece := plain.recv(4096):
                answer += piece
        except ConnectionResetError:
            pass
    assert b"HTTP" not in answer


def test_stalled_handshakes_hold_nobody_up(server):
    stalled = [socket.create_connection(("127.0.0.1", server.port), timeout=5) for _ in range(100)]
    try:
        for number, one in enumerate(stalled):
            if number % 2:
                one.sendall(b"\x16\x03\x01\x02\x00\x01")  # the start of a greeting
        begun = time.monotonic()
        for _ in range(5):
            assert server.get(BOATS).status == 200
        assert time.monotonic() - begun < 2
    finally:
        for one in stalled:
            one.close()


def test_connections_count_before_they_are_encrypted(pier, certs):
    limits = ("--max-connections-per-address", "5", "--trusted-proxies", "none")
    with EncryptedServer(pier.root, TRUST, *limits) as server:
        stalled = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]
        with pytest.raises((ssl.SSLError, ConnectionError)):
            server.get("/api/healthcheck")
        for one in stalled:
            one.close()
        until_ok(lambda: server.get("/api/healthcheck").status == 200)


def until_ok(attempt):
    end = time.monotonic() + 5
    while True:
        try:
            if attempt():
                return
        except OSError:
            assert time.monotonic() < end
        time.sleep(0.05)


def test_rubbish_after_the_handshake_is_not_the_servers_fault(server):
    with server.handshake() as connection:
        os.write(connection.fileno(), b"rubbish that no key has sealed")
        with suppress(ssl.SSLError, ConnectionError):
            assert connection.recv(100) == b""
    assert server.get("/api/healthcheck").status == 200
    assert "Traceback" not in server.log.read_text()


# What goes through


def test_reading_and_writing_on_one_connection(server):
    with httpx.Client(base_url=server.url, verify=TRUST) as client:
        made = client.post(BOATS, json={"name": "Kittiwake"})
        number = made.json()["ids"][0]
        assert client.get(f"{BOATS}/{number}").json()["name"] == "Kittiwake"
        big = client.post(BOATS, json={"name": "x" * 300_000})
        assert len(client.get(f"{BOATS}/{big.json()['ids'][0]}").json()["name"]) == 300_000


def test_pipelined_requests_are_answered_in_their_order(server):
    request = b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n"
    with server.handshake() as connection:
        connection.sendall(request % BOATS.encode() * 20 + request % b"/api/nothing")
        answer = b""
        while b"404" not in answer:
            answer += connection.recv(65536)
    assert answer.count(b"HTTP/1.1 200") == 20


def test_events_stream(server):
    url = f"{server.url}{BOATS}/subscribe/*"
    with httpx.stream("GET", url, verify=TRUST, timeout=10) as stream:
        lines = stream.iter_lines()
        next(lines)
        httpx.post(server.url + BOATS, json={"name": "Tern"}, verify=TRUST)
        assert "Tern" in next(line for line in lines if "Insert" in line)


async def test_web_sockets_open(server):
    url = server.url.replace("https:", "wss:") + f"{BOATS}/subscribe/*?ws=true"
    async with websockets.connect(url, ssl=TRUST) as connection, asyncio.timeout(10):
        await connection.send(json.dumps({"Init": {"auth_token": None}}))
        async with httpx.AsyncClient(base_url=server.url, verify=TRUST) as client:
            await client.post(BOATS, json={"name": "Gannet"})
        while "Gannet" not in await connection.recv():
            pass


def test_a_form_may_lead_back_to_the_encrypted_origin_and_nowhere_else(server):
    with httpx.Client(base_url=server.url, verify=TRUST) as client:
        for origin, status in (
            (server.url, 303),
            (server.url.replace("https:", "http:"), 400),
            ("https://evil.test", 400),
        ):
            answer = client.post(
                BOATS, params={"redirect_uri": f"{origin}/x"}, data={"name": "Skua"}
            )
            assert answer.status_code == status


def test_cookies_are_for_tls_only(server):
    with httpx.Client(base_url=server.url, verify=TRUST) as client:
        answer = client.post(
            "/api/auth/v1/login", json={"email": "boss@pier.test", "password": "rope-and-anchor"}
        )
        assert answer.status_code == 200
        cookies = answer.headers.get_list("set-cookie")
    assert all("Secure" in cookie for cookie in cookies)


def test_browsers_are_told_to_stay_with_tls_where_the_operator_wants_it(server, pier, certs):
    assert "max-age=3600" in server.get("/").headers["strict-transport-security"]
    with EncryptedServer(pier.root, TRUST) as silent:
        assert silent.get("/").headers["strict-transport-security"] is None


def test_the_listener_of_administration_is_encrypted_too(pier, certs):
    port = free_port()
    with EncryptedServer(pier.root, TRUST, "--admin-address", f"127.0.0.1:{port}"):
        url = f"https://127.0.0.1:{port}/api/_admin/info"
        assert httpx.get(url, verify=TRUST).status_code == 401


def test_a_unix_socket_stays_clear_text(pier, certs, tmp_path):
    path = tmp_path / "admin.sock"
    transport = httpx.HTTPTransport(uds=str(path))
    with (
        EncryptedServer(pier.root, TRUST, "--admin-address", f"unix:{path}"),
        httpx.Client(transport=transport) as client,
    ):
        assert client.get("http://admin/api/_admin/info").status_code == 401


def test_the_log_says_https(server):
    assert f"Listening on https://127.0.0.1:{server.port}" in server.log.read_text()


def test_a_server_with_open_connections_stops_quickly(pier, certs):
    with EncryptedServer(pier.root, TRUST) as server, server.handshake():
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 6


# Starts and changes


def test_an_expired_certificate_is_served_with_a_loud_line(pier):
    store(pier.root / "secrets" / "certs", *AUTHORITY.issue(start_days=-100))
    lenient = ssl.create_default_context()
    lenient.check_hostname, lenient.verify_mode = False, ssl.CERT_NONE
    with EncryptedServer(pier.root, lenient) as server:
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            server.handshake(TRUST)
        assert "ERROR" in server.log.read_text()
        assert "expired on" in server.log.read_text()
        answer = server.get("/api/readyz")
        assert answer.status == 200
        assert json.loads(answer.content)["status"] == "degraded"


@pytest.mark.parametrize(
    ("breaking", "words"),
    [
        (lambda folder: (folder / "key.pem").write_text("nonsense"), "no PEM private key"),
        (lambda folder: (folder / "key.pem").unlink(), "key missing"),
        (lambda folder: (folder / "cert.pem").unlink(), "cert missing"),
        (lambda folder: (folder / "key.pem").write_bytes(pem_of(new_key())), "does not belong"),
        (lambda folder: (folder / "cert.pem").write_text("-----BEGIN CERTIFICATE-----"), "broken"),
    ],
)
def test_a_start_with_broken_files_fails_and_changes_nothing(pier, certs, breaking, words):
    breaking(certs)
    with pytest.raises(AssertionError, match=words) as caught:
        Server(pier.root)
    lines = [line for line in str(caught.value).splitlines() if "Error" in line]
    assert len(lines) == 1
    assert not (pier.root / "data").exists()


def test_a_new_certificate_is_used_on_sighup_without_a_failed_request(own, certs):
    stop = threading.Event()
    failures, served = [], []

    def work(keep):
        client = None
        while not stop.is_set():
            try:
                client = client or httpx.Client(base_url=own.url, verify=TRUST, timeout=5)
                status = client.get(BOATS).status_code
                (served if status == 200 else failures).append(status)
            except (httpx.HTTPError, OSError) as exc:
                failures.append(exc)
            if client is not None and not keep:
                client.close()
                client = None
        if client is not None:
            client.close()

    workers = [threading.Thread(target=work, args=(keep,)) for keep in (True, True, False, False)]
    for worker in workers:
        worker.start()
    try:
        for kind in ("rsa", "ec", "rsa"):
            key, chain = AUTHORITY.issue(key=new_key(kind))
            store(certs, key, chain)
            own.process.send_signal(1)
            end = time.monotonic() + 10
            while own.certificate(TRUST) != der(chain) and time.monotonic() < end:
                time.sleep(0.02)
            assert own.certificate() == der(chain)
    finally:
        stop.set()
        for worker in workers:
            worker.join()
    assert failures == []
    assert len(served) > 20


def test_a_new_certificate_is_noticed_without_a_signal(own, certs):
    _, chain = issued = AUTHORITY.issue()
    store(certs, *issued)
    end = time.monotonic() + 10
    while own.certificate() != der(chain):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_broken_new_files_are_reported_and_the_old_certificate_goes_on(own, certs):
    before = own.certificate()
    (certs / "key.pem").write_text("nonsense")
    own.process.send_signal(1)
    end = time.monotonic() + 10
    while "Failed to reload" not in own.log.read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert own.certificate() == before
    assert "key.pem" in own.log.read_text()
