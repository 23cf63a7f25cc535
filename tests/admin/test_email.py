"""The mail that tells whether mails get out, with a real mail server and without."""

import pytest

from tests.mail_server import MailServer

URL = "/api/_admin/email/test"


@pytest.fixture
def mail_server(tmp_path):
    directory = tmp_path / "mails"
    directory.mkdir()
    server = MailServer(directory)
    yield server
    server.stop()


def send_by(pier, port):
    pier.edit(
        "record_apis:",
        f'email {{ smtp_host: "127.0.0.1" smtp_port: {port} smtp_encryption: SMTP_ENCRYPTION_NONE'
        ' sender_name: "Pier" sender_address: "pier@pier.test" } record_apis:',
    )


async def ask(pier, body):
    async with pier.opened() as (depot, web):
        return await web.post(URL, json=body, headers=await pier.boss(depot))


async def test_a_mail_is_sent_at_once(pier, mail_server):
    send_by(pier, mail_server.port)
    answer = await ask(pier, {"email_address": "ada@pier.test"})
    assert (answer.status_code, answer.text) == (200, "")
    (mail,) = mail_server.mails
    assert mail["to"] == ["ada@pier.test"]
    assert "Subject: test email" in mail["content"]
    assert "This is a test. Do not reply" in mail["content"]


async def test_a_refusal_is_told(pier, mail_server):
    send_by(pier, mail_server.port)
    answer = await ask(pier, {"email_address": "550@pier.test"})
    assert answer.status_code == 424
    assert answer.text.startswith("Email: ")
    assert "550" in answer.text


async def test_without_a_way_out_that_is_told(pier, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    pier.edit("record_apis:", "email { disabled: true } record_apis:")
    answer = await ask(pier, {"email_address": "ada@pier.test"})
    assert answer.status_code == 424
    assert answer.text.startswith("Email: ")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"email_address": "ada"}, 400),
        ({"email_address": "ada@pier.test\r\nBcc: eve@pier.test"}, 400),
        ({"email_address": 5}, 422),
        ({}, 422),
        ([], 422),
    ],
)
async def test_what_is_no_address_is_refused(pier, mail_server, body, status):
    send_by(pier, mail_server.port)
    assert (await ask(pier, body)).status_code == status
    assert mail_server.mails == []
