"""``trail health`` against real servers, and against whatever else may listen on a port."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.authority import Authority, store
from tests.integration.proxied import UnixServer
from tests.serving import Server, free_port
from trailbase_server.cli.health import (
    ask,
    describe_readiness,
    parse_address,
    parse_status,
    parse_url,
)
from trailbase_server.cli.main import run_command
from trailbase_server.errors import OperatorError


@pytest.fixture
def health(monkeypatch, capsys):
    """Run the command; returns its status and what it printed."""
    for name in ("ADDRESS", "DEPOT", "DATA_DIR", "PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)

    def run(*words):
        status = run_command(["health", *words])
        out, err = capsys.readouterr()
        return status, (out + err).strip()

    return run


@contextmanager
def listener(answer):
    """Something that is no server of ours: ``answer`` gets each connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def say(text):
    def answer(connection):
        connection.recv(4096)
        connection.sendall(text)

    return answer


def test_a_server_is_alive_and_ready_and_then_gone(health, tmp_path, monkeypatch):
    with Server(tmp_path / "depot") as server:
        address = f"127.0.0.1:{server.port}"
        assert health("--address", address) == (0, "Ok")
        assert health("--url", server.url + "/any/path?x") == (0, "Ok")
        monkeypatch.setenv("ADDRESS", f"0.0.0.0:{server.port}")
        assert health() == (0, "Ok")
        status, said = health("--ready")
        assert status == 0
        assert said.split(":")[0] in ("ready", "degraded")
    status, said = health("--address", address)
    assert (status, said) == (1, f"Error: {address}: Connection refused")


def test_a_unix_socket_is_asked(health, tmp_path):
    path = tmp_path / "trail.sock"
    with UnixServer(tmp_path / "depot", path):
        assert health("--address", f"unix:{path}") == (0, "Ok")
    status, said = health("--address", f"unix:{path}")
    assert (status, said) == (1, f"Error: unix:{path}: No such file or directory")


def test_tls_is_found_out_on_our_machine_and_verified_elsewhere(health, tmp_path):
    authority = Authority()
    cert, key = store(tmp_path, *authority.issue("boats.example"))
    path = tmp_path / "trail.sock"
    port = free_port()
    with UnixServer(
        tmp_path / "depot", path, "-a", f"127.0.0.1:{port}", "--tls-cert", cert, "--tls-key", key
    ):
        assert health("--address", f"127.0.0.1:{port}") == (0, "Ok")
        status, said = health("--url", f"https://127.0.0.1:{port}")
    assert status == 1
    assert "certificate verify failed" in said.lower()


def test_a_server_that_is_not_ready_is_told_with_its_reasons(health):
    body = b'{"status": "unavailable", "checks": {"main": "failed", "disk": "ok"}}'
    answer = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\n\r\n" + body
    with listener(say(answer)) as address:
        status, said = health("--address", address, "--ready")
    assert (status, said) == (1, f"Error: {address}: status 503: unavailable: main failed")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"220 mail.test ESMTP\r\n",
        b"HTTP/2 nothing",
        b"HTTP/1.1",
        b"HTTP/1.1 \r\n",
        b"HTTP/1.1 500 Oops\r\n\r\nOk",
        b"HTTP/1.1 301 There\r\nlocation: /\r\n\r\nOk",
    ],
)
def test_what_is_not_well_is_not_well(health, answer):
    with listener(say(answer)) as address:
        status, said = health("--address", address)
    assert status == 1
    assert said.startswith(f"Error: {address}: ")


def test_who_never_ends_an_answer_is_not_waited_for(health):
    def drip(connection):
        with suppress(OSError):
            while True:
                connection.sendall(b"HTTP/1.1 200 Ok\r\n")
                time.sleep(0.05)

    with listener(drip) as address:
        begun = time.monotonic()
        status, said = health("--address", address, "--timeout", "0.4")
        assert time.monotonic() - begun < 2
    assert (status, said) == (1, f"Error: {address}: no answer within 0.4 s")


def test_an_endless_answer_is_read_up_to_a_bound():
    def flood(connection):
        with suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 Ok\r\n\r\n")
            while True:
                connection.sendall(b"x" * 65536)

    with listener(flood) as address:
        status, body = ask(parse_address(address), "/", time.perf_counter() + 5)
    assert status == 200
    assert len(body) < 200_000


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("localhost:4000", ("localhost", 4000)),
        ("0.0.0.0:80", ("127.0.0.1", 80)),
        ("[::]:80", ("::1", 80)),
        ("[::1]:80", ("::1", 80)),
        ("unix:/run/trail.sock", "/run/trail.sock"),
    ],
)
def test_addresses_are_those_of_trail_run(text, place):
    assert parse_address(text).place == place


@pytest.mark.parametrize(
    "text", ["", "localhost", ":80", "localhost:", "localhost:http", "[::]:٣", "a:65536"]
)
def test_what_is_no_address_is_refused(health, text):
    status, said = health("--address", text)
    assert (status, said[:24]) == (1, f"Error: invalid address '{text}'"[:24])


def test_a_host_name_that_cannot_be_is_told(health):
    status, said = health("--address", f"{'a' * 64}.test:80")
    assert status == 1
    assert said.startswith("Error: aaa")


def test_urls_say_whether_tls_is_spoken():
    https = parse_url("https://user@boats.example/x")
    assert (https.place, https.name, https.is_tls) == (
        ("boats.example", 443),
        "boats.example",
        True,
    )
    assert https.is_verified
    http = parse_url("http://[::1]:81")
    assert (http.place, http.is_tls, http.is_verified) == (("::1", 81), False, False)
    for wrong in ("ftp://x", "x", "http://", "http://a:b", "http://[::"):
        with pytest.raises(OperatorError):
            parse_url(wrong)


@given(st.binary(max_size=80))
def test_any_answer_can_be_read(answer):
    assert parse_status(answer) is None or answer.startswith(b"HTTP/1.")
    assert describe_readiness(answer)


@given(st.text(max_size=40))
def test_any_address_is_read_or_refused(text):
    for parse in (parse_address, parse_url):
        try:
            target = parse(text)
        except OperatorError:
            continue
        assert target.place
