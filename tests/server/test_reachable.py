"""What a server needs of the network: found, missing, silent."""

import socket
import time

import pytest

from tests.mail_server import MailServer
from tests.serving import free_port
from tests.storage.conftest import serve_s3
from trailbase_server.config.load import load_config
from trailbase_server.mail import open as ways_out
from trailbase_server.server import reachable
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.reachable import check_reachable

SMTP = """email {{
  smtp_host: "127.0.0.1" smtp_port: {} smtp_encryption: SMTP_ENCRYPTION_NONE
}}"""


@pytest.fixture
def ask(tmp_path, monkeypatch):
    monkeypatch.setattr(ways_out, "find_sendmail", lambda: None)

    def run(config="", *, holder=None, offline=False, site="http://localhost:4000", address=None):
        server = (
            f'server {{ application_name: "Pond" {f"""site_url: "{site}" """ if site else ""}}}'
        )
        (tmp_path / "config.textproto").write_text(f"{server} {config}")
        loaded = load_config(tmp_path, {}, create=False)
        options = ServerOptions(tmp_path, address=address or f"127.0.0.1:{free_port()}")
        found = check_reachable(options, loaded, holder, offline=offline)
        return {v.name: (v.level.value, f"{v.message} {v.advice}") for v in found}

    return run


def test_offline_only_the_port_is_looked_at(ask):
    assert set(ask(offline=True)) == {"port"}


def test_a_free_port_and_a_taken_one(ask):
    level, message = ask(offline=True)["port"]
    assert level == "ok"
    assert " is free" in message
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert ask(offline=True, address=address)["port"][0] == "fail"
        level, message = ask(offline=True, address=address, holder="17")["port"]
        assert (level, message.strip()) == (
            "ok",
            f"the server (process 17) runs and answers on {address}",
        )
    assert ask(offline=True, holder="")["port"][0] == "warn"


@pytest.mark.parametrize(
    ("site", "level", "words"),
    [
        ("", "warn", "there is no site URL"),
        ("http://localhost:4000", "ok", "localhost is "),
        ("https://127.0.0.1", "ok", "127.0.0.1 is 127.0.0.1"),
        ("http://127.0.0.2", "warn", "is not encrypted"),
        ("https://nowhere.invalid", "fail", "nowhere.invalid: "),
    ],
)
def test_the_name_of_the_site(ask, site, level, words):
    found = ask(site=site)["site"]
    assert found[0] == level
    assert words in found[1]


def test_mail_servers(ask, tmp_path):
    (tmp_path / "mails").mkdir()
    server = MailServer(tmp_path / "mails")
    try:
        level, message = ask(SMTP.format(server.port))["mail"]
        assert (level, message.strip()) == ("ok", f"127.0.0.1:{server.port} lets us in")
    finally:
        server.stop()
    assert server.mails == []
    level, message = ask(SMTP.format(server.port))["mail"]
    assert level == "fail"
    assert message.startswith("SMTP: ")


def test_no_way_out_for_mails(ask):
    assert ask()["mail"][0] == "warn"


def test_who_says_nothing_is_not_waited_for(ask, monkeypatch):
    monkeypatch.setattr(reachable, "TIMEOUT_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        found = ask(SMTP.format(silent.getsockname()[1]))["mail"]
        assert time.monotonic() - started < 5
    assert found[0] == "fail"
    assert "no answer within 0.2 s" in found[1]


def test_buckets(ask, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with serve_s3() as server:
        bucket = f'{{ endpoint: "{server.url}" bucket_name: "none" region: "us-east-1" }}'
        found = ask(f"backups {{ s3 {bucket} }}")
        assert found["storage"][0] == "skip"
        assert found["backup-bucket"][0] == "fail"
        assert "hush" not in str(found)
