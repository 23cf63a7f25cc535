"""The rules for new passwords, and the threads that compare old ones."""

import asyncio
import os
import sys
import threading

import pytest

from trailbase_server.auth import password
from trailbase_server.auth.options import PasswordRules
from trailbase_server.auth.password import (
    MAX_WAITING,
    UNMATCHED_HASH,
    PasswordWorkers,
    check_password,
    needs_rehash,
)
from trailbase_server.crypto import hash_password, verify_password
from trailbase_server.errors import BadRequestError, InternalError, UnavailableError

ALL = PasswordRules(minimal_length=10, digits=True, mixed_case=True, special=True)
DIGITS = PasswordRules(digits=True)


@pytest.mark.case("T-13")
@pytest.mark.parametrize(
    ("rules", "secret"),
    [
        (PasswordRules(), "tulip-78"),
        (PasswordRules(), "äöüß"),
        (PasswordRules(), "x" * 128),
        (PasswordRules(), "tulip\0rope"),
        (ALL, "Tulip-And-Rope-9"),
        (ALL, "Тюль-шнур-9"),
        (DIGITS, "tuliprope٣"),
        (DIGITS, "tuliprope\u2167"),
    ],
)
def test_passwords_that_do(rules, secret):
    check_password(rules, secret, secret)


@pytest.mark.case("T-13")
@pytest.mark.parametrize(
    ("rules", "secret", "reason"),
    [
        (PasswordRules(), "tulip-7", "Password too short"),
        (PasswordRules(), "x" * 129, "Password too long"),
        (PasswordRules(), "ä" * 65, "Password too long"),
        (ALL, "Tulip-and", "Password too short"),
        (ALL, "Tulip-and-rope", "Must contain digits"),
        (ALL, "1234567890", "Must contain non-digits"),
        (ALL, "tulip-and-rope-9", "Must contain lower and upper case"),
        (ALL, "TULIP-AND-ROPE-9", "Must contain lower and upper case"),
        (ALL, "TulipAndRope9", "Must contain special characters"),
    ],
)
def test_passwords_that_do_not(rules, secret, reason):
    with pytest.raises(BadRequestError, match=reason):
        check_password(rules, secret, secret)


def test_the_repetition_is_looked_at_first():
    with pytest.raises(BadRequestError, match="Passwords don't match"):
        check_password(PasswordRules(), "x", "y")


@pytest.fixture
def workers():
    workers = PasswordWorkers(2)
    yield workers
    workers.close()


async def test_what_is_hashed_is_verified(workers):
    stored = await workers.hash("tulip-78")
    assert not needs_rehash(stored)
    assert await workers.verify(stored, "tulip-78")
    assert not await workers.verify(stored, "tulip-79")


@pytest.mark.case("T-09")
async def test_the_hash_for_nobody_costs_the_same_and_matches_nothing(workers):
    assert not needs_rehash(UNMATCHED_HASH)
    assert not verify_password(UNMATCHED_HASH, "")
    assert not await workers.verify(None, "")


async def test_an_unusable_hash_is_our_mistake(workers):
    with pytest.raises(InternalError):
        await workers.verify("plain text", "plain text")


def test_other_hashes_are_due_for_renewal():
    assert needs_rehash("$2b$04$BVXaM8VLYaW6MqiR02WpK.gb/nQRl0Xo4VauN3U9o3EqSazJaflrm")
    assert needs_rehash("$argon2id$v=19$m=64,t=1,p=1$Y29uZm9ybWFuY2Utc2FsdA$9TQdRRd30ryy4DRfY2U3Cw")
    assert not needs_rehash(hash_password("x"))


@pytest.mark.case("T-12", "T-85")
async def test_a_full_queue_refuses(workers, monkeypatch):
    gate = threading.Event()

    def wait(_hash, _password):
        return gate.wait(10)

    monkeypatch.setattr(password, "verify_password", wait)
    running = [asyncio.ensure_future(workers.verify("h", "p")) for _ in range(MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError):
        await workers.verify("h", "p")
    gate.set()
    assert all(await asyncio.gather(*running))
    assert workers.waiting == 0
    assert await workers.verify("h", "p")


@pytest.mark.case("T-12")
async def test_the_event_loop_goes_on_meanwhile(workers):
    stored = hash_password("x")
    work = asyncio.ensure_future(workers.verify(stored, "x"))
    turns = 0
    while not work.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert turns > 1


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priorities of their own")
async def test_the_threads_stand_back_behind_the_event_loop(workers, monkeypatch):
    seen = []
    monkeypatch.setattr(password, "verify_password", lambda *_: seen.append(priority()))
    await workers.verify("h", "p")
    assert seen[0] > priority()


def priority():
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
