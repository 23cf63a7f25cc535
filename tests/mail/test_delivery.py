"""The worker: sends what waits, tries again, survives, and stops."""

import asyncio
import logging

import pytest

from trailbase_server.clock import FrozenClock
from trailbase_server.mail import delivery as module
from trailbase_server.mail.delivery import PARALLEL, Delivery
from trailbase_server.mail.envelope import Sender
from trailbase_server.mail.message import build_message
from trailbase_server.mail.outbox import KEEP_DELIVERED_S, MAX_ATTEMPTS, Outbox
from trailbase_server.mail.smtp import SmtpSettings, SmtpTransport
from trailbase_server.mail.transport import SendError


def letter(to="ada@mail.test"):
    sender = Sender("noreply@site.test")
    return build_message(sender, to, "Hello", "<p>Hi</p>", clock=FrozenClock())


class Slow:
    """A transport of the test's own: counts, and waits until it may go on."""

    label = "slow"
    is_outward = True

    def __init__(self):
        self.now = self.most = self.done = 0
        self.go = asyncio.Event()
        self.error = None

    async def send(self, envelope):
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await self.go.wait()
            if self.error:
                raise self.error
            self.done += 1
        finally:
            self.now -= 1


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


async def until_counts(outbox, waiting, failed=0):
    async with asyncio.timeout(10):
        while True:
            status = await outbox.status()
            if (status.waiting, status.failed) == (waiting, failed):
                return status
            await asyncio.sleep(0.005)


async def until_attempted(outbox, database, attempts):
    """Wait until all that waits was tried so often; seconds until the next attempt."""
    async with asyncio.timeout(10):
        while await database.query("SELECT min(attempts) FROM outbox WHERE state = 'waiting'") != [
            (attempts,)
        ]:
            await asyncio.sleep(0.002)
    return await outbox.next_due_s()


@pytest.fixture
async def deliver(outbox, clock):
    """Start a worker with a transport."""
    workers = []

    def start(transport):
        workers.append(Delivery(outbox, lambda: transport, clock))
        workers[-1].start()
        return workers[-1]

    yield start
    for worker in workers:
        await worker.stop()


def through(server):
    return SmtpTransport(SmtpSettings("127.0.0.1", server.port, "none"))


async def test_what_waits_is_sent_and_what_comes_later_too(outbox, deliver, mail_server):
    await outbox.enqueue("otp", letter("a@mail.test"))
    worker = deliver(through(mail_server))
    await mail_server.wait(1)
    await outbox.enqueue("otp", letter("b@mail.test"))
    worker.wake()
    mails = await mail_server.wait(2)
    assert [mail.to for mail in mails] == [["a@mail.test"], ["b@mail.test"]]
    await until_counts(outbox, 0)


async def test_a_server_that_is_down_then_up_loses_nothing(
    outbox, database, clock, deliver, mail_server
):
    mail_server.stop()
    worker = deliver(through(mail_server))
    for number in range(PARALLEL + 2):
        await outbox.enqueue("otp", letter(f"a{number}@mail.test"))
    worker.wake()
    assert await until_attempted(outbox, database, 1) == 5
    assert (await outbox.status()).waiting == PARALLEL + 2
    mail_server.start()
    clock.advance(5)
    worker.wake()
    mails = await mail_server.wait(PARALLEL + 2)
    assert len({mail.to[0] for mail in mails}) == PARALLEL + 2
    await until_counts(outbox, 0)


async def test_a_refusal_for_good_is_not_repeated(outbox, deliver, mail_server):
    await outbox.enqueue("otp", letter("550@mail.test"))
    await outbox.enqueue("otp", letter("ada@mail.test"))
    worker = deliver(through(mail_server))
    status = await until_counts(outbox, 0, failed=1)
    assert status.last_error == "SMTP: 550 not to this one"
    assert len(await mail_server.wait(1)) == 1
    await until(lambda: (worker.sent, worker.failed, worker.given_up) == (1, 1, 1))


async def test_a_mail_is_given_up_after_so_many_attempts(
    outbox, database, clock, deliver, mail_server
):
    await outbox.enqueue("otp", letter("451@mail.test"))
    worker = deliver(through(mail_server))
    for attempts in range(1, MAX_ATTEMPTS):
        clock.advance(await until_attempted(outbox, database, attempts))
        worker.wake()
    status = await until_counts(outbox, 0, failed=1)
    assert status.last_error == "SMTP: 451 not to this one"


async def test_few_attempts_run_at_a_time(outbox, deliver):
    slow = Slow()
    for number in range(PARALLEL * 3):
        await outbox.enqueue("otp", letter(f"a{number}@mail.test"))
    deliver(slow)
    await until(lambda: slow.now == PARALLEL)
    await asyncio.sleep(0.02)
    assert slow.now == PARALLEL
    slow.go.set()
    await until(lambda: slow.done == PARALLEL * 3)
    assert slow.most == PARALLEL
    await until_counts(outbox, 0)


async def test_a_restart_goes_on_with_what_was_being_sent(
    outbox, clock, database, deliver, monkeypatch
):
    monkeypatch.setattr(module, "STOP_S", 0.05)
    await outbox.enqueue("otp", letter())
    stuck = Slow()
    worker = deliver(stuck)
    await until(lambda: stuck.now == 1)
    await worker.stop()
    assert stuck.now == 0
    assert (await outbox.status()).waiting == 1
    # As after a crash: the lease has not ended, the new process does not wait for that.
    quick = Slow()
    quick.go.set()
    worker = Delivery(Outbox(database, clock), lambda: quick, clock)
    worker.start()
    await until_counts(outbox, 0)
    assert quick.done == 1
    await worker.stop()


async def test_stopping_lets_attempts_in_flight_end(outbox, deliver):
    await outbox.enqueue("otp", letter())
    slow = Slow()
    worker = deliver(slow)
    await until(lambda: slow.now == 1)
    stopping = asyncio.create_task(worker.stop())
    await asyncio.sleep(0.01)
    slow.go.set()
    await stopping
    assert slow.done == 1
    assert (await outbox.status()).waiting == 0
    await worker.stop()


async def test_hurrying_tries_everything_again(outbox, deliver):
    slow = Slow()
    slow.go.set()
    slow.error = SendError("wrong password")
    await outbox.enqueue("otp", letter())
    worker = deliver(slow)
    async with asyncio.timeout(10):
        while (await outbox.status()).last_error is None:
            await asyncio.sleep(0.005)
    slow.error = None
    worker.hurry()
    await until_counts(outbox, 0)


async def test_an_attempt_that_breaks_off_counts(outbox, deliver, caplog):
    slow = Slow()
    slow.go.set()
    slow.error = RuntimeError("a bug")
    await outbox.enqueue("otp", letter())
    with caplog.at_level(logging.WARNING):
        deliver(slow)
        async with asyncio.timeout(10):
            while (await outbox.status()).last_error != "RuntimeError":
                await asyncio.sleep(0.005)
    assert "next attempt in 5 s" in caplog.text
    assert "ada@mail.test" not in caplog.text


async def test_old_mails_are_purged_at_the_start_and_later(outbox, clock, database, deliver):
    async def count():
        return (await database.query("SELECT count(*) FROM outbox"))[0][0]

    slow = Slow()
    slow.go.set()
    await outbox.enqueue("otp", letter())
    worker = deliver(slow)
    await until_counts(outbox, 0)
    assert await count() == 1
    clock.advance(KEEP_DELIVERED_S + 1)
    worker.wake()
    async with asyncio.timeout(10):
        while await count():
            await asyncio.sleep(0.005)


@pytest.mark.case("T-92")
async def test_a_command_of_another_process_is_noticed(outbox, deliver, monkeypatch):
    monkeypatch.setattr(module, "POLL_S", 0.02)
    slow = Slow()
    slow.go.set()
    deliver(slow)
    await asyncio.sleep(0.05)
    await outbox.enqueue("otp", letter())
    await until(lambda: slow.done == 1)
