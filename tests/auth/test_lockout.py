"""When an account is locked, for how long, and what parallel attempts see."""

import asyncio

import pytest

from trailbase_server.auth.lockout import CAPACITY, MAX_WAITING, Lockout
from trailbase_server.clock import FrozenClock
from trailbase_server.errors import TooManyRequestsError


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def lockout(clock):
    return Lockout(clock)


async def attempt(lockout, key=b"nora", *, succeed=False):
    async with lockout.attempt(key) as one:
        one.succeeded = succeed


async def is_locked(lockout, key=b"nora"):
    try:
        await attempt(lockout, key, succeed=True)
    except TooManyRequestsError:
        return True
    return False


async def test_three_failures_lock_one_account(lockout):
    for _ in range(3):
        await attempt(lockout)
    assert await is_locked(lockout)
    assert not await is_locked(lockout, b"solo")


@pytest.mark.case("T-11")
async def test_the_lock_ends_a_minute_after_the_last_failure(lockout, clock):
    for _ in range(3):
        await attempt(lockout)
        clock.advance(20)
    clock.advance(39.9)
    assert await is_locked(lockout)  # and does not prolong it
    clock.advance(0.2)
    assert not await is_locked(lockout)


async def test_a_success_clears_the_failures(lockout):
    for succeed in (False, False, True, False, False):
        await attempt(lockout, succeed=succeed)
    assert not await is_locked(lockout)


async def test_an_attempt_that_breaks_off_counts_as_a_failure(lockout):
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with lockout.attempt(b"nora"):
                raise ZeroDivisionError
    assert await is_locked(lockout)


@pytest.mark.case("T-12")
async def test_parallel_guesses_do_not_slip_through(lockout):
    compared = 0

    async def guess():
        nonlocal compared
        async with lockout.attempt(b"nora"):
            compared += 1
            await asyncio.sleep(0.001)

    results = await asyncio.gather(*(guess() for _ in range(20)), return_exceptions=True)
    assert compared == 3
    assert sum(isinstance(result, TooManyRequestsError) for result in results) == 17


async def test_parallel_log_ins_with_the_right_password_all_succeed(lockout):
    async def right():
        async with lockout.attempt(b"nora") as one:
            await asyncio.sleep(0.001)
            one.succeeded = True

    await asyncio.gather(*(right() for _ in range(20)))
    assert not lockout._accounts


@pytest.mark.case("T-12")
async def test_the_queue_of_an_account_is_bounded(lockout):
    gate = asyncio.Event()

    async def slow():
        async with lockout.attempt(b"nora") as one:
            await gate.wait()
            one.succeeded = True

    running = [asyncio.ensure_future(slow()) for _ in range(3 + MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequestsError):
        await attempt(lockout)
    gate.set()
    await asyncio.gather(*running)


async def test_a_cancelled_attempt_leaves_no_gap(lockout):
    gate = asyncio.Event()

    async def slow():
        async with lockout.attempt(b"nora") as one:
            await gate.wait()
            one.succeeded = True

    running = [asyncio.ensure_future(slow()) for _ in range(5)]
    await asyncio.sleep(0)
    running[4].cancel()
    running[0].cancel()
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*running, return_exceptions=True)
    assert not lockout._accounts


async def test_the_longest_quiet_account_is_forgotten_first(lockout):
    await attempt(lockout, b"first")
    for number in range(CAPACITY - 1):
        await attempt(lockout, str(number).encode())
    await attempt(lockout, b"first")
    await attempt(lockout, b"one more")
    assert len(lockout._accounts) == CAPACITY
    assert b"0" not in lockout._accounts
    await attempt(lockout, b"first")
    assert await is_locked(lockout, b"first")


async def test_operators_can_unlock(lockout):
    for _ in range(3):
        await attempt(lockout)
    lockout.forget(b"nora")
    lockout.forget(b"nobody")
    assert not await is_locked(lockout)


async def test_demo_accounts_are_never_locked(clock):
    lockout = Lockout(clock, enabled=False)
    for _ in range(5):
        await attempt(lockout)
    assert not await is_locked(lockout)
