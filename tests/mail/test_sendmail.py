"""A real program takes the mail."""

import pytest

from trailbase_server.clock import FrozenClock
from trailbase_server.mail.envelope import Sender
from trailbase_server.mail.message import build_message
from trailbase_server.mail.sendmail import MAX_ERROR_BYTES, SendmailTransport
from trailbase_server.mail.transport import SendError

LETTER = build_message(
    Sender("noreply@site.test"), "ada@mail.test", "Hi", "<p>x</p>" * 50_000, clock=FrozenClock()
)


@pytest.fixture
def program(tmp_path):
    """Write a shell script that stands for sendmail."""

    def write(script, timeout_s=10):
        path = tmp_path / "sendmail"
        path.write_text(f"#!/bin/sh\ncd {tmp_path}\n{script}\n")
        path.chmod(0o755)
        return SendmailTransport(str(path), timeout_s)

    return write


async def test_arguments_and_input(program, tmp_path):
    await program('printf "%s\\n" "$@" > arguments; cat > mail; echo talks a lot').send(LETTER)
    assert (tmp_path / "arguments").read_text().splitlines() == [
        *("-i", "-f", "noreply@site.test", "--", "ada@mail.test")
    ]
    # Lines end as the system's do.
    assert (tmp_path / "mail").read_bytes() == LETTER.content.replace(b"\r\n", b"\n")


@pytest.mark.parametrize(("status", "is_permanent"), [(75, False), (1, False), (67, True)])
async def test_its_exit_status_counts(program, status, is_permanent):
    script = f"cat > /dev/null; echo no such thing >&2; exit {status}"
    with pytest.raises(SendError) as caught:
        await program(script).send(LETTER)
    assert caught.value.reason == f"Sendmail: exit status {status}: no such thing"
    assert caught.value.is_permanent is is_permanent


async def test_it_need_not_read_the_mail(program):
    await program("exit 0").send(LETTER)
    with pytest.raises(SendError, match=r"exit status 3$"):
        await program("exit 3").send(LETTER)


async def test_what_it_says_is_bounded(program):
    with pytest.raises(SendError) as caught:
        await program("cat >/dev/null; yes | head -c 1000000 >&2; exit 1").send(LETTER)
    assert len(caught.value.reason) < MAX_ERROR_BYTES + 50


async def test_it_is_ended_when_it_hangs(program):
    with pytest.raises(SendError, match="no end after") as caught:
        await program("exec sleep 60", timeout_s=0.2).send(LETTER)
    assert not caught.value.is_permanent


async def test_a_program_that_cannot_be_run():
    with pytest.raises(SendError, match="Sendmail: No such file"):
        await SendmailTransport("/nowhere/sendmail").send(LETTER)
