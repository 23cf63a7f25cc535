"""The whole way: a letter, the outbox, a real server; and the ways that end in the log."""

import asyncio
import logging

import pytest

from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.mail import open as ways_out
from trailbase_server.mail.envelope import InvalidAddressError
from trailbase_server.mail.mailer import Mailer, send_now
from trailbase_server.mail.outbox import MAX_PER_HOUR
from trailbase_server.mail.settings import compile_mail
from trailbase_server.mail.transport import SendError

SITE = "https://site.test"


def config(server=None, **email):
    if server is not None:
        email |= {"smtp_host": "127.0.0.1", "smtp_port": server.port}
        email |= {"smtp_encryption": "SMTP_ENCRYPTION_NONE"}
    return Config(email=email, server={"application_name": "The Site"})


@pytest.fixture
async def mailer(database):
    mailer = Mailer(database)
    yield mailer
    await mailer.stop()


async def test_a_letter_arrives(mailer, mail_server):
    mailer.configure(config(mail_server, sender_name="We"), SITE)
    mailer.start()
    await mailer("verify_email", "ada@mail.test", {"token": "t.o.k", "redirect_uri": "/x"})
    (mail,) = await mail_server.wait()
    assert mail.message["From"] == "We <noreply@site.test>"
    assert mail.message["To"] == "ada@mail.test"
    assert "The Site" in mail.message["Subject"]
    link = f"{SITE}/api/auth/v1/verify_email/confirm/t.o.k?redirect_uri=/x"
    assert f'href="{link}"' in mail.html
    assert link in mail.plain


async def test_nobody_waits_for_a_mail_server_and_nothing_is_lost(mailer, mail_server, database):
    mail_server.stop()
    mailer.configure(config(mail_server), SITE)
    mailer.start()
    async with asyncio.timeout(5):
        await mailer("otp", "ada@mail.test", {"code": "abc123", "redirect_uri": None})
    async with asyncio.timeout(5):
        while (await mailer.status()).last_error is None:
            await asyncio.sleep(0.01)
    await mailer.stop()
    mail_server.start()
    second = Mailer(database)
    second.configure(config(mail_server), SITE)
    second.start()
    (mail,) = await mail_server.wait()
    assert "abc123" in mail.plain
    await second.stop()


async def test_a_command_leaves_its_letters_to_the_server(mailer, mail_server):
    mailer.configure(config(mail_server), SITE)
    await mailer("otp", "ada@mail.test", {"code": "abc123", "redirect_uri": None})
    assert (await mailer.status()).waiting == 1
    mailer.start()
    await mail_server.wait()


async def test_a_change_of_the_configuration_holds_for_what_waits(mailer, start_mail_server):
    old, new = start_mail_server(), start_mail_server()
    old.stop()
    mailer.configure(config(old), SITE)
    mailer.start()
    await mailer("otp", "ada@mail.test", {"code": "abc123", "redirect_uri": None})
    async with asyncio.timeout(5):
        while (await mailer.status()).last_error is None:
            await asyncio.sleep(0.01)
    mailer.configure(config(new), SITE)
    await new.wait()


async def test_too_many_letters_to_one_address_are_dropped_in_silence(mailer, mail_server, caplog):
    mailer.configure(config(mail_server), SITE)
    with caplog.at_level(logging.WARNING):
        for _ in range(MAX_PER_HOUR + 1):
            await mailer("otp", "ada@mail.test", {"code": "abc123", "redirect_uri": None})
    assert (await mailer.status()).waiting == MAX_PER_HOUR
    assert "dropped" in caplog.text
    assert mailer.statistics.dropped == 1
    assert "ada" not in caplog.text


async def test_without_any_way_out_letters_count_as_sent(mailer, monkeypatch, caplog):
    monkeypatch.setattr(ways_out, "find_sendmail", lambda: None)
    mailer.configure(config(), SITE)
    with caplog.at_level(logging.WARNING):
        await mailer("otp", "ada@mail.test", {"code": "abc123", "redirect_uri": None})
    assert (await mailer.status()).waiting == 0
    assert "was not sent" in caplog.text
    assert "abc123" not in caplog.text


async def test_developer_mode_shows_letters(database, mail_server, caplog):
    mailer = Mailer(database, dev=True)
    mailer.configure(config(mail_server), SITE)
    with caplog.at_level(logging.INFO):
        await mailer("otp", "ada@mail.test", {"code": "abc123", "redirect_uri": None})
    assert "TO: ada@mail.test" in caplog.text
    assert "abc123" in caplog.text
    assert mail_server.mails == []


async def test_no_address_no_letter(mailer):
    mailer.configure(config(), SITE)
    with pytest.raises(InvalidAddressError):
        await mailer("otp", "ada", {"code": "abc123", "redirect_uri": None})


async def test_sending_now_says_what_happened(mailer, mail_server):
    mailer.configure(config(mail_server), SITE)
    label = await mailer.send_now("ada@mail.test", "Test", "<p>high</p>")
    assert label == f"127.0.0.1:{mail_server.port}"
    (mail,) = await mail_server.wait()
    assert (mail.message["Subject"], mail.plain.strip()) == ("Test", "high")
    with pytest.raises(SendError, match="SMTP: 550"):
        await mailer.send_now("550@mail.test", "Test", "<p>high</p>")
    with pytest.raises(InvalidAddressError):
        await send_now(compile_mail(config(mail_server), SITE), "ada", "Test", "x")
    assert (await mailer.status()).waiting == 0


async def test_words_of_the_depot(database, tmp_path, mail_server):
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail/otp.html").write_text("<b>{{ CODE }}</b>")
    mailer = Mailer(database, tmp_path)
    mailer.configure(config(mail_server), SITE)
    mailer.start()
    await mailer("otp", "ada@mail.test", {"code": "abc123", "redirect_uri": None})
    (mail,) = await mail_server.wait()
    assert (mail.html.strip(), mail.plain.strip()) == ("<b>abc123</b>", "abc123")
    await mailer.stop()
