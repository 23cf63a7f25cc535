"""Some seconds of hostile requests, always the same ones; and whether a bad answer is noticed."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pytest

from scripts.fuzzing import campaign
from scripts.fuzzing.__main__ import all_places
from scripts.fuzzing.campaign import Campaign, UnsoundAnswerError
from scripts.fuzzing.hostile import Hostile, Place
from tests.security.conftest import make_depot
from tests.serving import Server
from trailbase_server.auth.keys import load_keys

SECONDS, ROUNDS = 20, 8  # a busy machine does fewer rounds, never other ones
PLACE = Place("GET", "/")


@pytest.mark.case("T-46", "T-47", "T-87")
@pytest.mark.timeout(120)
def test_nothing_that_is_sent_breaks_the_server(tmp_path):
    make_depot(tmp_path / "depot")
    with Server(tmp_path / "depot") as server:
        tally = Campaign(server, all_places()).run(seconds=SECONDS, first_seed=0, rounds=ROUNDS)
    assert tally.requests >= 100
    assert {200, 400, 401} <= set(tally.statuses)


ANSWERS = {
    "/500": (500, "text/plain", b""),
    "/traceback": (400, "text/plain", b"Traceback (most recent call last):"),
    "/json": (200, "application/json", b'{"a":'),
    "/text": (200, "text/plain; charset=utf-8", b"\xff"),
    "/502": (502, "text/plain", b"no"),
    "/fine": (200, "application/json", b"{}"),
    "/busy": (503, "text/plain", b"later"),
}


class Bad(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_GET(self):
        if self.path == "/gone":
            self.connection.close()
            return
        if self.path == "/silent":
            self.server.patience.wait(5)
            return
        status, kind, body = ANSWERS[self.path]
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def bad(tmp_path, monkeypatch):
    monkeypatch.setattr(campaign, "TIMEOUT_S", 0.3)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bad)
    server.patience = threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    load_keys(tmp_path / "secrets" / "keys")
    log = tmp_path / "log"
    log.write_text("all is well")
    yield Campaign(SimpleNamespace(port=server.server_address[1], depot=tmp_path, log=log), [PLACE])
    server.patience.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    "path", ["/500", "/502", "/traceback", "/json", "/text", "/gone", "/silent"]
)
def test_a_bad_answer_is_noticed(bad, path):
    with pytest.raises(UnsoundAnswerError):
        bad.send(Hostile(PLACE, "GET", path, (), b""))


@pytest.mark.parametrize("path", ["/fine", "/busy"])
def test_a_good_answer_is_counted(bad, path):
    bad.send(Hostile(PLACE, "GET", path, (), b""))
    assert bad.tally.requests == 1
    assert bad.tally.places == {"GET /": 1}


@pytest.mark.parametrize("line", campaign.SERVER_ERRORS)
def test_an_error_in_the_log_is_noticed(bad, line):
    bad._check_log()
    bad._server.log.write_text(f"… {line}: something")
    with pytest.raises(UnsoundAnswerError):
        bad._check_log()
