"""Mails on disk: taken in one write, tried again with growing pauses, bounded, forgotten."""

import pytest

from trailbase_server.mail import outbox as module
from trailbase_server.mail.envelope import Envelope
from trailbase_server.mail.outbox import (
    KEEP_DELIVERED_S,
    KEEP_FAILED_S,
    LEASE_S,
    LONGEST_PAUSE_S,
    MAX_ATTEMPTS,
    MAX_PER_HOUR,
    FullOutboxError,
    Outbox,
    OutboxStatus,
    pause_after,
)


def letter(to="ada@mail.test", content=b"secret link"):
    return Envelope("noreply@site.test", to, content)


async def contents(database):
    return await database.query("SELECT state, content FROM outbox ORDER BY id")


async def test_a_mail_is_claimed_as_it_was_given(outbox):
    assert await outbox.enqueue("otp", letter()) == "queued"
    (mail,) = await outbox.claim(5)
    assert (mail.letter, mail.attempts, mail.envelope) == ("otp", 0, letter())


async def test_what_is_claimed_is_not_claimed_again_until_its_lease_ends(outbox, clock):
    await outbox.enqueue("otp", letter())
    assert len(await outbox.claim(5)) == 1
    assert await outbox.claim(5) == []
    clock.advance(LEASE_S)
    assert len(await outbox.claim(5)) == 1


async def test_no_more_than_asked_for_is_claimed_the_oldest_first(outbox, clock):
    for number in range(3):
        await outbox.enqueue("otp", letter(f"a{number}@mail.test"))
        clock.advance(1)
    assert [mail.envelope.recipient for mail in await outbox.claim(2)] == [
        "a0@mail.test",
        "a1@mail.test",
    ]


async def test_a_mail_that_was_taken_keeps_no_content(outbox, database):
    await outbox.enqueue("otp", letter())
    (mail,) = await outbox.claim(1)
    await outbox.settle(mail)
    assert await contents(database) == [("delivered", None)]
    assert await outbox.status() == OutboxStatus(0, 0, None, None)


async def test_pauses_grow_and_the_last_error_stays(outbox, clock, database):
    await outbox.enqueue("otp", letter())
    pauses = []
    for attempt in range(MAX_ATTEMPTS):
        (mail,) = await outbox.claim(1)
        assert mail.attempts == attempt
        pause = await outbox.postpone(mail, f"refused {attempt}", is_final=False)
        pauses.append(pause)
        if pause is not None:
            assert await outbox.next_due_s() == pause
            assert await outbox.claim(1) == []
            clock.advance(pause)
    assert pauses[:4] == [5, 15, 45, 135]
    assert pauses[-2:] == [LONGEST_PAUSE_S, None]
    assert sum(pauses[:-1]) > 4 * 3600, "longer than the links in mails work"
    assert await contents(database) == [("failed", None)]
    assert await outbox.status() == OutboxStatus(0, 1, None, f"refused {MAX_ATTEMPTS - 1}")
    assert await outbox.next_due_s() is None


def test_no_pause_is_longer_than_an_hour():
    assert max(map(pause_after, range(1, 100))) == LONGEST_PAUSE_S


async def test_a_final_refusal_ends_it_at_once(outbox):
    await outbox.enqueue("otp", letter())
    (mail,) = await outbox.claim(1)
    assert await outbox.postpone(mail, "550 " + "x" * 9999, is_final=True) is None
    status = await outbox.status()
    assert (status.waiting, status.failed) == (0, 1)
    assert len(status.last_error) == module.MAX_ERROR_CHARS


async def test_an_answer_that_comes_too_late_changes_nothing(outbox, clock, database):
    await outbox.enqueue("otp", letter())
    (slow,) = await outbox.claim(1)
    clock.advance(LEASE_S)
    (mail,) = await outbox.claim(1)
    await outbox.settle(mail)
    await outbox.postpone(slow, "late", is_final=True)
    assert await contents(database) == [("delivered", None)]


async def test_hurry_makes_everything_due(outbox, clock):
    await outbox.enqueue("otp", letter())
    (mail,) = await outbox.claim(1)
    await outbox.postpone(mail, "down", is_final=False)
    assert await outbox.claim(1) == []
    await outbox.hurry()
    assert len(await outbox.claim(1)) == 1


async def test_an_address_gets_so_many_mails_an_hour(outbox, clock):
    for _ in range(MAX_PER_HOUR):
        assert await outbox.enqueue("otp", letter()) == "queued"
    assert await outbox.enqueue("otp", letter()) == "dropped"
    assert await outbox.enqueue("otp", letter("ADA@mail.test")) == "dropped"
    assert await outbox.enqueue("otp", letter("bob@mail.test")) == "queued"
    for mail in await outbox.claim(100):
        await outbox.settle(mail)
    assert await outbox.enqueue("otp", letter()) == "dropped", "sent ones count as well"
    clock.advance(3600)
    assert await outbox.enqueue("otp", letter()) == "queued"


async def test_a_full_outbox_takes_no_more(outbox, monkeypatch):
    monkeypatch.setattr(module, "MAX_WAITING", 2)
    for number in range(2):
        await outbox.enqueue("otp", letter(f"a{number}@mail.test"))
    with pytest.raises(FullOutboxError) as caught:
        await outbox.enqueue("otp", letter("b@mail.test"))
    assert caught.value.status == 424
    assert caught.value.public == ""
    (mail, _) = await outbox.claim(2)
    await outbox.settle(mail)
    assert await outbox.enqueue("otp", letter("b@mail.test")) == "queued"


async def test_old_mails_are_forgotten_waiting_ones_never(outbox, clock, database):
    for number in range(3):
        await outbox.enqueue("otp", letter(f"a{number}@mail.test"))
    delivered, failed, _ = await outbox.claim(3)
    await outbox.settle(delivered)
    await outbox.postpone(failed, "no", is_final=True)
    states = []
    for pause in (KEEP_DELIVERED_S, 1, KEEP_FAILED_S):
        clock.advance(pause)
        await outbox.purge()
        states.append([state for state, _ in await contents(database)])
    assert states == [["delivered", "failed", "waiting"], ["failed", "waiting"], ["waiting"]]


async def test_status_tells_the_age_of_the_oldest(outbox, clock):
    assert await outbox.status() == OutboxStatus(0, 0, None, None)
    first = clock.now_s()
    await outbox.enqueue("otp", letter())
    clock.advance(60)
    await outbox.enqueue("otp", letter())
    assert await outbox.status() == OutboxStatus(2, 0, first, None)


async def test_a_second_process_sees_what_the_first_has_written(outbox, database, clock):
    await outbox.enqueue("otp", letter())
    assert len(await Outbox(database, clock).claim(1)) == 1
