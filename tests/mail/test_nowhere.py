"""Mails that end in the log."""

import logging

import pytest

from trailbase_server.clock import FrozenClock
from trailbase_server.mail.envelope import Sender
from trailbase_server.mail.message import build_message
from trailbase_server.mail.nowhere import LogTransport, NoTransport

LETTER = build_message(
    Sender("noreply@site.test", "Site"),
    "ada@mail.test",
    "Hallo Grüße",
    '<p>Code <a href="https://site.test/?a=1&amp;b=SECRET">SECRET</a></p>',
    clock=FrozenClock(),
)


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO)
    return caplog


async def test_developer_mode_shows_everything(lines):
    await LogTransport().send(LETTER)
    assert lines.records[0].levelname == "INFO"
    assert lines.records[0].getMessage().splitlines()[1:] == [
        "FROM: Site <noreply@site.test>",
        "TO: ada@mail.test",
        "SUBJECT: Hallo Grüße",
        "BODY:",
        "Code SECRET <https://site.test/?a=1&b=SECRET>",
    ]


async def test_without_a_way_out_nothing_secret_is_logged(lines):
    await NoTransport("mail is disabled").send(LETTER)
    assert "a mail to ada@mail.test was not sent: mail is disabled" in lines.text
    assert "SECRET" not in lines.text
