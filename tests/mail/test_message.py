"""One mail as bytes: what is in it, and that nothing breaks out of it."""

import email
import email.policy
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trailbase_server.clock import FrozenClock
from trailbase_server.mail.envelope import MAX_HEADER_CHARS, Sender, clean_line
from trailbase_server.mail.message import build_message

MAX_LINE_BYTES = 998  # RFC 5322
MAX_WORD_CHARS = 75  # RFC 2047, of an encoded word

SENDER = Sender("noreply@site.test", "The Site")


def build(to="ada@mail.test", subject="Hello", html="<p>Hi</p>", text=None, sender=SENDER):
    return build_message(sender, to, subject, html, text, FrozenClock(1_800_000_000))


def read(envelope):
    return email.message_from_bytes(envelope.content, policy=email.policy.default)


def bodies(envelope):
    message = read(envelope)
    plain, html = message.iter_parts()
    return tuple(part.get_content().replace("\r\n", "\n") for part in (plain, html))


def test_headers():
    envelope = build()
    message = read(envelope)
    assert (envelope.sender, envelope.recipient) == ("noreply@site.test", "ada@mail.test")
    identifier = message["Message-ID"]
    assert dict(message.items()) | {"Content-Type": ""} == {
        "From": "The Site <noreply@site.test>",
        "To": "ada@mail.test",
        "Subject": "Hello",
        "Date": "Fri, 15 Jan 2027 08:00:00 +0000",
        "Message-ID": identifier,
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
        "Content-Type": "",
    }
    assert identifier.startswith("<")
    assert identifier.endswith("@site.test>")
    assert read(build())["Message-ID"] != identifier


def test_two_alternatives_the_better_one_last():
    envelope = build(html="<p>Grüße</p>")
    message = read(envelope)
    assert message.get_content_type() == "multipart/alternative"
    kinds = [part.get_content_type() for part in message.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    assert bodies(envelope) == ("Grüße\n", "<p>Grüße</p>\n")
    assert bodies(build(text="own words"))[0] == "own words\n"


def test_without_a_name_the_address_stands_alone():
    assert read(build(sender=Sender("a@b.test")))["From"] == "a@b.test"


HOSTILE = "x\r\nBcc: eve@evil.test\r\n\r\n<b>body</b>"
NAMES = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"}


@pytest.mark.case("T-14")
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=200), st.text(max_size=200))
@example(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
@example("a\x85b\u2028c\x0bd\x1ce", "=?utf-8?q?x?=", ".\r\n.", "From x")
@example("é" * 60, "é" * 60, "\r", "\n" * 5)
@example("x" * 5000, "é" * 5000, "y" * 5000, "\x00")
def test_no_text_breaks_out(name, subject, html, text):
    envelope = build(subject=subject, html=html, text=text, sender=Sender("a@b.test", name))
    message = read(envelope)
    assert set(message.keys()) == NAMES | {"Content-Type"}
    assert message["To"] == "ada@mail.test"
    assert [address.addr_spec for address in message["From"].addresses] == ["a@b.test"]
    assert len(list(message.iter_parts())) == 2
    lines = envelope.content.split(b"\r\n")
    assert all(len(line) <= MAX_LINE_BYTES for line in lines)
    head = envelope.content.partition(b"\r\n\r\n")[0]
    assert all(len(word) <= MAX_WORD_CHARS for word in re.findall(rb"=\?utf-8\S*", head))
    assert b"\n" not in envelope.content.replace(b"\r\n", b"")
    assert b"\r" not in envelope.content.replace(b"\r\n", b"")
    assert envelope.content.isascii()


@given(st.text(max_size=80))
def test_a_subject_arrives_as_one_clean_line(subject):
    wanted = clean_line(subject)
    arrived = read(build(subject=subject))["Subject"]
    # Blanks next to encoded words may be folded; what is read is the same.
    assert "".join(arrived.split()) == "".join(wanted.split())
    assert len(wanted) <= MAX_HEADER_CHARS


_LINES = st.text(alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\r"))


@given(_LINES)
def test_a_body_arrives_as_it_was_written(html):
    _, arrived = bodies(build(html=html))
    assert arrived.rstrip("\n") == html.rstrip("\n")


@given(
    st.from_regex(r"[a-z.!#$%&'*+/=?^_`{|}~-]{1,64}", fullmatch=True),
    st.lists(
        st.from_regex(r"[a-z][a-z0-9-]{0,60}[a-z0-9]", fullmatch=True), min_size=1, max_size=4
    ),
)
def test_every_address_survives_its_header(local, labels):
    address = f"{local}@{'.'.join(labels)}"
    message = read(build(to=address))
    assert [one.addr_spec.replace('"', "") for one in message["To"].addresses] == [address]
