"""Through real mail servers, in processes of their own."""

import asyncio
import logging
import socket

import pytest
import uvloop

from trailbase_server.clock import FrozenClock
from trailbase_server.config.proto.config_pb2 import EmailConfig
from trailbase_server.mail import smtp as module
from trailbase_server.mail.envelope import Sender
from trailbase_server.mail.message import build_message
from trailbase_server.mail.smtp import SmtpSettings, SmtpTransport, compile_smtp
from trailbase_server.mail.transport import SendError

SENDER = Sender("noreply@site.test", "Site")
LOGIN = {"username": "ship", "password": "sécret"}


def letter(to="ada@mail.test", html="<p>Grüße</p>\n.\n..two dots\nFrom x"):
    return build_message(SENDER, to, "Hello", html, clock=FrozenClock())


def transport(server, encryption="none", host="127.0.0.1", **login):
    return SmtpTransport(
        SmtpSettings(host, server.port, encryption, local_host="site.test", **login)
    )


@pytest.fixture
def trusted(certificate, monkeypatch):
    """The system knows who made the certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", certificate["certificate"])
    return certificate


async def test_in_the_clear(mail_server):
    sent = letter()
    await transport(mail_server).send(sent)
    (mail,) = await mail_server.wait()
    assert (mail.__dict__["from"], mail.to) == ("noreply@site.test", ["ada@mail.test"])
    assert mail.host == "site.test"
    assert not mail.tls
    assert mail.login is None
    assert mail.content.encode() == sent.content
    assert mail.html.replace("\r\n", "\n") == "<p>Grüße</p>\n.\n..two dots\nFrom x\n"


@pytest.mark.parametrize("mode", ["starttls", "tls"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_encrypted_with_a_password(start_mail_server, trusted, mode, host):
    server = start_mail_server(mode=mode, **trusted, **LOGIN)
    await transport(server, mode, host, **LOGIN).send(letter())
    (mail,) = await server.wait()
    assert mail.tls
    assert mail.login == list(LOGIN.values())


@pytest.mark.parametrize("mode", ["none", "starttls", "tls"])
def test_on_the_event_loop_of_the_server(start_mail_server, trusted, mode):
    server = start_mail_server(mode=mode, **trusted)
    uvloop.run(transport(server, mode, "localhost").send(letter()))
    assert [mail["tls"] for mail in server.mails] == [mode != "none"]


@pytest.mark.parametrize("mode", ["starttls", "tls"])
async def test_a_certificate_that_nobody_knows_gets_nothing(start_mail_server, certificate, mode):
    server = start_mail_server(mode=mode, **certificate, **LOGIN)
    with pytest.raises(SendError, match=r"SMTP: .*certificate") as caught:
        await transport(server, mode, **LOGIN).send(letter())
    assert not caught.value.is_permanent
    assert server.mails == []


async def test_a_certificate_of_somebody_else_gets_nothing(start_mail_server, trusted, monkeypatch):
    server = start_mail_server(mode="tls", **trusted)
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *more, **named: real("127.0.0.1", *more, **named)
    )
    with pytest.raises(SendError, match="certificate"):
        await transport(server, "tls", "other.test").send(letter())


async def test_a_server_that_does_not_offer_starttls_gets_nothing(mail_server):
    with pytest.raises(SendError, match="STARTTLS"):
        await transport(mail_server, "starttls", **LOGIN).send(letter())
    assert mail_server.mails == []


async def test_a_wrong_password_may_be_mended(start_mail_server, trusted):
    server = start_mail_server(mode="tls", **trusted, **LOGIN)
    with pytest.raises(SendError, match="535") as caught:
        await transport(server, "tls", username="ship", password="wrong").send(letter())
    assert not caught.value.is_permanent
    assert "wrong" not in caught.value.reason


@pytest.mark.parametrize(
    ("to", "html", "is_permanent"),
    [
        ("550@mail.test", "x", True),
        ("451@mail.test", "x", False),
        ("ada@mail.test", "poison", True),
    ],
)
async def test_refusals(mail_server, to, html, is_permanent):
    with pytest.raises(SendError, match=r"SMTP: \d\d\d not t") as caught:
        await transport(mail_server).send(letter(to, html))
    assert caught.value.is_permanent is is_permanent
    assert caught.value.public == ""
    assert mail_server.mails == []


async def test_a_server_that_is_down(mail_server):
    mail_server.stop()
    with pytest.raises(SendError) as caught:
        await transport(mail_server).send(letter())
    assert not caught.value.is_permanent
    mail_server.start()
    await transport(mail_server).send(letter())
    assert len(await mail_server.wait()) == 1


@pytest.fixture
async def listen():
    """Serve with a function of reader and writer."""
    servers = []

    async def start(serve):
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        servers.append(server)
        return SmtpTransport(SmtpSettings(*server.sockets[0].getsockname()[:2], "none"))

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_a_server_that_says_nothing(listen, monkeypatch):
    monkeypatch.setattr(module, "CONNECT_TIMEOUT_S", 0.05)

    async def serve(reader, writer):
        await reader.read()
        writer.close()

    silent = await listen(serve)
    with pytest.raises(SendError, match="SMTP: ") as caught:
        await silent.send(letter())
    assert not caught.value.is_permanent


async def test_a_server_that_talks_nonsense(listen):
    async def serve(reader, writer):
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        await reader.read()
        writer.close()

    odd = await listen(serve)
    with pytest.raises(SendError, match="SMTP: ") as caught:
        await odd.send(letter())
    assert not caught.value.is_permanent


async def test_a_mail_that_was_taken_is_sent_whatever_comes_after(listen, monkeypatch):
    monkeypatch.setattr(module, "QUIT_TIMEOUT_S", 0.05)
    answers = {b"EHLO": b"250 here", b"MAIL": b"250 ok", b"RCPT": b"250 ok", b"DATA": b"354 go"}

    async def serve(reader, writer):
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            if line == b".\r\n":
                writer.write(b"250 taken\r\n")
            elif line[:4] in answers:
                writer.write(answers[line[:4]] + b"\r\n")
        writer.close()

    rude = await listen(serve)
    await rude.send(letter())


@pytest.mark.parametrize(
    ("fields", "settings", "label"),
    [
        (
            {"smtp_username": "u", "smtp_password": "p"},
            SmtpSettings("mail.test", 25, "starttls", "u", "p", "site.test"),
            "u@mail.test:25",
        ),
        (
            {"smtp_encryption": "SMTP_ENCRYPTION_TLS", "smtp_username": "u", "smtp_password": "p"},
            SmtpSettings("mail.test", 25, "tls", "u", "p", "site.test"),
            "u@mail.test:25",
        ),
        (
            {"smtp_encryption": "SMTP_ENCRYPTION_NONE", "smtp_username": "u"},
            SmtpSettings("mail.test", 25, "none", None, None, "site.test"),
            "mail.test:25",
        ),
    ],
)
def test_settings(fields, settings, label):
    config = EmailConfig(smtp_host="mail.test", smtp_port=25, **fields)
    compiled = compile_smtp(config, "site.test")
    assert compiled == settings
    assert SmtpTransport(compiled).label == label
    assert "'p'" not in repr(compiled)


def test_a_password_in_the_clear_is_worth_a_warning(caplog):
    config = EmailConfig(
        smtp_host="bücher.test",
        smtp_port=25,
        smtp_username="u",
        smtp_password="p",
        smtp_encryption="SMTP_ENCRYPTION_NONE",
    )
    with caplog.at_level(logging.WARNING):
        assert compile_smtp(config, "site.test").host == "xn--bcher-kva.test"
    assert "in the clear" in caplog.text


async def test_asking_is_all_but_sending(start_mail_server, trusted, tmp_path):
    server = start_mail_server(mode="starttls", **trusted, **LOGIN)
    await transport(server, "starttls", "localhost", **LOGIN).probe()
    assert server.mails == []
    with pytest.raises(SendError, match="SMTP: 5"):
        await transport(server, "starttls", "localhost", username="ship", password="x").probe()
    server.stop()
    with pytest.raises(SendError, match="SMTP: "):
        await transport(server, "starttls", "localhost").probe()
