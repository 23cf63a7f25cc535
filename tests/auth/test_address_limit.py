"""Requests by client address: a burst, then one a second."""

import pytest

from trailbase_server.auth import address_limit
from trailbase_server.auth.address_limit import AddressLimit
from trailbase_server.clock import FrozenClock
from trailbase_server.web.request import Request


@pytest.fixture
def clock():
    return FrozenClock()


@pytest.fixture
def limit(clock):
    return AddressLimit(clock, 4)


def take(limit, address="192.0.2.1"):
    request = Request("POST", "/")
    request.client_ip = address
    return limit.take(request)


def waits(limit, count=1, address="192.0.2.1"):
    return [take(limit, address).wait_s for _ in range(count)]


def test_a_burst_passes_then_one_a_second(limit, clock):
    assert waits(limit, 6) == [0, 0, 0, 0, 1, 1]
    clock.advance(1)
    assert waits(limit, 2) == [0, 1]
    clock.advance(100)
    assert waits(limit, 5) == [0, 0, 0, 0, 1]


def test_refused_requests_do_not_prolong_the_wait(limit, clock):
    waits(limit, 4)
    for _ in range(9):
        clock.advance(0.1)
        assert waits(limit) == [1]
    clock.advance(0.11)
    assert waits(limit) == [0]


def test_headers(limit):
    assert take(limit, "192.0.2.1").headers == [
        (b"x-ratelimit-limit", b"4"),
        (b"x-ratelimit-remaining", b"3"),
    ]
    waits(limit, 3)
    assert take(limit, "192.0.2.1").headers == [
        (b"retry-after", b"1"),
        (b"x-ratelimit-after", b"1"),
        (b"x-ratelimit-limit", b"4"),
        (b"x-ratelimit-remaining", b"0"),
    ]


def test_addresses_do_not_share(limit):
    waits(limit, 5)
    assert waits(limit, 1, "192.0.2.2") == [0]
    assert waits(limit, 1, "") == [0]


@pytest.mark.case("T-80")
def test_an_ipv6_network_is_one_client(limit):
    assert waits(limit, 4, "2001:db8::1") == [0] * 4
    assert waits(limit, 1, "2001:db8::ffff:1") == [1]
    assert waits(limit, 1, "2001:db8:0:1::1") == [0]
    assert waits(limit, 4, "::ffff:192.0.2.1") == [0] * 4
    assert waits(limit, 1, "::ffff:192.0.2.2") == [0]


@pytest.mark.case("T-80")
def test_the_table_is_bounded(clock, monkeypatch):
    monkeypatch.setattr(address_limit, "CAPACITY", 3)
    limit = AddressLimit(clock, 2)
    for number in range(100):
        assert take(limit, f"192.0.2.{number}").wait_s == 0
    assert waits(limit, 2, "192.0.2.99") == [0, 1]
    assert waits(limit, 2, "192.0.2.0") == [0, 0]


def test_a_new_burst_starts_afresh_and_the_same_one_does_not(limit):
    waits(limit, 4)
    limit.burst = 4
    assert waits(limit) == [1]
    limit.burst = 2
    assert waits(limit, 3) == [0, 0, 1]
