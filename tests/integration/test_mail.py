"""Mails of a running server: across kill -9, restarts and mail servers that are down."""

import asyncio
import re
import time

import httpx
import pytest

from tests.mail_server import MailServer
from tests.serving import Server

CONFIG = """
server {{ application_name: "Boats" site_url: "https://boats.test" }}
email {{
  smtp_host: "127.0.0.1" smtp_port: {port} smtp_encryption: SMTP_ENCRYPTION_NONE
  sender_name: "Boats" sender_address: "harbour@boats.test"
}}
"""
SECRET = {"password": "window-seat", "password_repeat": "window-seat"}
QUICK_S = 2.0  # far less than any time-out of a mail server


@pytest.fixture
def mail_server(tmp_path):
    (tmp_path / "mails").mkdir()
    server = MailServer(tmp_path / "mails")
    yield server
    server.stop()


@pytest.fixture
def depot(tmp_path, mail_server):
    depot = tmp_path / "depot"
    depot.mkdir()
    (depot / "config.textproto").write_text(CONFIG.format(port=mail_server.port))
    return depot


def register(server, address):
    began = time.monotonic()
    answer = httpx.post(f"{server.url}/api/auth/v1/register", json={"email": address, **SECRET})
    assert answer.status_code == 200
    assert time.monotonic() - began < QUICK_S


def mails_of(mail_server, count):
    return asyncio.run(mail_server.wait(count))


def test_a_new_account_is_confirmed_by_its_mail(depot, mail_server):
    with Server(depot) as server:
        register(server, "ada@mail.test")
        (mail,) = mails_of(mail_server, 1)
        path = re.search(r'href="https://boats\.test([^"]*)"', mail.html)[1]
        login = {"email": "ada@mail.test", "password": "window-seat"}
        url = f"{server.url}/api/auth/v1/login"
        assert httpx.post(url, json=login).status_code == 401
        assert httpx.get(server.url + path).status_code == 200
        assert httpx.post(url, json=login).status_code == 200
        assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()


def test_nothing_is_lost_when_the_mail_server_and_then_ours_go_down(depot, mail_server):
    mail_server.stop()
    with Server(depot) as server:
        for number in range(5):
            register(server, f"a{number}@mail.test")
        server.kill()
    mail_server.start()
    with Server(depot):
        mails = mails_of(mail_server, 5)
        assert sorted(mail.to[0] for mail in mails) == [f"a{n}@mail.test" for n in range(5)]
        assert len({mail.message["Message-ID"] for mail in mails}) == 5


def test_a_mail_server_that_comes_back_gets_what_waits(depot, mail_server):
    mail_server.stop()
    with Server(depot) as server:
        register(server, "ada@mail.test")
        while "next attempt in 5 s" not in server.log.read_text():
            time.sleep(0.05)
        mail_server.start()
        mails_of(mail_server, 1)
        # Nothing in the log that would let its reader in, or tell who has an account.
        assert "ada@mail.test" not in server.log.read_text()
        assert "eyJ" not in server.log.read_text()
