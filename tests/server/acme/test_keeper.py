import asyncio
import threading

import pytest

from tests.authority import DAY_S, Authority, pem_of
from trailbase_server.clock import FrozenClock
from trailbase_server.server.acme.challenges import Challenges
from trailbase_server.server.acme.errors import IssuanceError, UnreachableError
from trailbase_server.server.acme.keeper import (
    MAX_RETRY_S,
    REFUSED_RETRY_S,
    UNREACHABLE_RETRY_S,
    CertificateKeeper,
    keep_certificate,
)
from trailbase_server.server.acme.settings import AcmeSettings
from trailbase_server.server.tls import Certificates

AUTHORITY = Authority()


class Fixture:
    """A keeper, and an authority that does what the test says."""

    def __init__(self, folder):
        self.settings = AcmeSettings(
            ("a.test",), None, "https://ca.test/directory", None, folder / "certs"
        )
        self.clock = FrozenClock()
        self.certificates = Certificates(self.settings.files, clock=self.clock)
        self.outcomes = []
        self.orders = 0
        self.keeper = CertificateKeeper(
            self.settings, self.certificates, Challenges(), self.obtain, self.clock
        )

    def obtain(self, settings, challenges):
        self.orders += 1
        outcome = self.outcomes.pop(0) if self.outcomes else self.issue()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def issue(self, *names, **options):
        key, chain = AUTHORITY.issue(*names or ("a.test",), **options)
        self.clock.at = chain[0].not_valid_before_utc.timestamp()
        return pem_of(key) + pem_of(chain)


@pytest.fixture
def fixture(tmp_path):
    return Fixture(tmp_path)


async def test_a_first_certificate_is_due_at_once_and_stored_for_its_owner_alone(fixture):
    assert fixture.keeper.due_in() <= 0
    assert await fixture.keeper.attempt() == 0
    assert fixture.certificates.certificate.names == ("a.test",)
    assert fixture.settings.certificate.stat().st_mode & 0o777 == 0o600
    assert fixture.settings.folder.stat().st_mode & 0o777 == 0o700
    assert fixture.certificates.status().problems == ()


async def test_it_is_renewed_when_two_thirds_of_its_life_are_over(fixture):
    await fixture.keeper.attempt()
    left = fixture.keeper.due_in()
    assert 57 * DAY_S < left <= 60 * DAY_S
    fixture.clock.advance(left - 1)
    assert fixture.keeper.due_in() > 0
    fixture.clock.advance(2)
    assert fixture.keeper.due_in() <= 0


async def test_other_names_make_it_due(fixture):
    fixture.outcomes = [fixture.issue("a.test", "b.test")]
    await fixture.keeper.attempt()
    assert fixture.keeper.due_in() <= 0


async def test_a_later_start_takes_over_what_is_there(fixture, tmp_path):
    await fixture.keeper.attempt()
    later = Fixture(tmp_path)
    later.keeper.load()
    later.clock.at = fixture.clock.at
    assert later.keeper.due_in() > 0


async def test_a_broken_file_of_an_earlier_start_is_replaced(fixture, caplog):
    fixture.settings.folder.mkdir()
    fixture.settings.certificate.write_bytes(b"nonsense")
    fixture.keeper.load()
    assert "getting a new one" in caplog.text
    assert fixture.keeper.due_in() <= 0
    await fixture.keeper.attempt()
    assert fixture.certificates.status().problems == ()


async def test_waits_grow_and_depend_on_why(fixture, caplog):
    fixture.outcomes = [UnreachableError("down")] * 3
    waits = [await fixture.keeper.attempt() for _ in range(3)]
    for number, wait_s in enumerate(waits):
        assert UNREACHABLE_RETRY_S * 2**number <= wait_s <= UNREACHABLE_RETRY_S * 2**number * 1.25
    assert "ACME: no certificate for a.test: down" in fixture.certificates.status().problems[0]
    assert "next attempt in" in caplog.text
    assert await fixture.keeper.attempt() == 0
    fixture.outcomes = [IssuanceError("no")] * 40
    assert REFUSED_RETRY_S <= await fixture.keeper.attempt() <= REFUSED_RETRY_S * 1.25
    for _ in range(39):
        last = await fixture.keeper.attempt()
    assert MAX_RETRY_S <= last <= MAX_RETRY_S * 1.25
    assert fixture.certificates.certificate is not None


async def test_a_certificate_that_is_no_good_is_not_used(fixture):
    fixture.outcomes = [b"nonsense"]
    assert await fixture.keeper.attempt() > 0
    assert fixture.certificates.certificate is None


async def test_what_cannot_be_stored_is_not_ordered(fixture):
    fixture.settings.folder.write_text("in the way")
    assert await fixture.keeper.attempt() > 0
    assert fixture.orders == 0


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_it_goes_on_by_itself_and_sighup_makes_it_hurry(fixture):
    fixture.outcomes = [IssuanceError("no")]
    async with keep_certificate(fixture.keeper):
        await until(lambda: fixture.certificates.source_problem)
        assert fixture.orders == 1
        fixture.certificates.reload()
        await until(lambda: fixture.certificates.certificate is not None)
        assert fixture.orders == 2
        fixture.certificates.reload()
        await asyncio.sleep(0.05)
        assert fixture.orders == 2


async def test_an_order_that_hangs_keeps_nobody_from_ending(fixture):
    begun, end = threading.Event(), threading.Event()

    def hang(settings, challenges):
        begun.set()
        end.wait(5)
        return b""

    fixture.keeper._obtain = hang
    async with keep_certificate(fixture.keeper):
        await until(begun.is_set)
    end.set()
    await asyncio.sleep(0.05)


async def test_without_a_keeper_nothing_runs():
    async with keep_certificate(None):
        assert len(asyncio.all_tasks()) <= 2
