"""Rules about the rate of requests."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.web.conftest import ALICE, BOSS, ROUTES, serving
from trailbase_server.clock import SYSTEM_CLOCK, FrozenClock
from trailbase_server.errors import TooManyRequestsError
from trailbase_server.web import rate_limit
from trailbase_server.web.rate_limit import Pace, RateLimits, RateRule, address_key
from trailbase_server.web.request import Request
from trailbase_server.web.response import empty
from trailbase_server.web.route import BoundRoute, Route, bind_routes

RECORDS = "/api/records/v1/{api}"
TABLE = bind_routes(
    (
        Route("GET", RECORDS, empty, operation="list_records"),
        Route("POST", RECORDS, empty, operation="create_records"),
        Route("GET", f"{RECORDS}/{{record}}", empty, operation="read_record"),
        Route("GET", "/api/healthcheck", empty, is_limited=False),
    ),
    None,
)
LIST, CREATE, READ, HEALTH = TABLE


@pytest.fixture
def clock():
    return FrozenClock()


def request(bound: BoundRoute, api="posts", address="192.0.2.1", who=None):
    asked = Request(bound.route.method, "/", params={"api": api, "record": "1"})
    asked.client_ip, asked.identity = address, who
    return asked


def passed(limits, bound, times=9, **who):
    """How many of so many pass."""
    verdicts = [limits.take(bound, request(bound, **who)) for _ in range(times)]
    return None if None in verdicts else [verdict.wait_s for verdict in verdicts].count(0)


@pytest.mark.parametrize(
    ("rule", "listed", "created", "read", "of_others"),
    [
        (RateRule(3, 60), 3, 0, 0, 0),
        (RateRule(3, 60, path="/api"), 3, 0, 0, 0),
        (RateRule(3, 60, path="/api/records/v1/posts"), 3, 0, 0, None),
        (RateRule(3, 60, path="/api/records/v1/posts/"), 3, 0, 0, None),
        (RateRule(3, 60, path="/api/records/v1/posts/1"), None, None, 3, None),
        (RateRule(3, 60, path="/api/records/v1/posts/2"), None, None, None, None),
        (RateRule(3, 60, path="/api/auth"), None, None, None, None),
        (RateRule(3, 60, path="/api/rec"), None, None, None, None),
        (RateRule(3, 60, methods=frozenset({"POST"})), None, 3, None, None),
        (RateRule(3, 60, operation="read_record"), None, None, 3, None),
    ],
)
def test_a_rule_is_for_some_routes(clock, rule, listed, created, read, of_others):
    limits = RateLimits([rule], TABLE, clock)
    counts = [passed(limits, LIST), passed(limits, CREATE), passed(limits, READ)]
    assert counts == [listed, created, read]
    assert passed(limits, LIST, api="others") == of_others
    assert passed(limits, HEALTH) is None


@pytest.mark.case("T-80")
def test_clients_are_counted_apart(clock):
    limits = RateLimits([RateRule(2, 60)], TABLE, clock)
    assert passed(limits, LIST) == 2
    assert passed(limits, LIST, address="192.0.2.2") == 2
    assert passed(limits, LIST, address="2001:db8::1") == 2
    assert passed(limits, LIST, address="2001:db8::ffff:1") == 0
    assert passed(limits, LIST, who=ALICE) == 0


def test_users_are_counted_apart_wherever_they_are(clock):
    limits = RateLimits([RateRule(2, 60, per="user")], TABLE, clock)
    assert passed(limits, LIST, who=ALICE) == 2
    assert passed(limits, LIST, who=ALICE, address="192.0.2.9") == 0
    assert passed(limits, LIST, who=BOSS) == 2
    assert passed(limits, LIST) == 2
    assert passed(limits, LIST, address="192.0.2.9") == 2


def test_the_strictest_rule_is_told_and_obeyed(clock):
    rules = [RateRule(9, 60), RateRule(3, 60, path="/api/records/v1/posts")]
    limits = RateLimits(rules, TABLE, clock)
    assert limits.take(LIST, request(LIST)).headers == [
        (b"x-ratelimit-limit", b"3"),
        (b"x-ratelimit-remaining", b"2"),
    ]
    assert passed(limits, LIST) == 2
    # What the first rule lets through counts for it, whatever the second says.
    assert passed(limits, LIST, api="others") == 0


def test_time_gives_requests_back(clock):
    limits = RateLimits([RateRule(6, 60, burst=2)], TABLE, clock)
    assert passed(limits, LIST) == 2
    assert limits.take(LIST, request(LIST)).wait_s == 10
    clock.advance(10)
    assert passed(limits, LIST) == 1
    clock.advance(3600)
    assert passed(limits, LIST) == 2


def test_a_socket_is_refused_like_anything_else(clock):
    limits = RateLimits([RateRule(1, 60)], TABLE, clock)
    limits.demand(LIST, request(LIST))
    with pytest.raises(TooManyRequestsError, match="Wait for 60s"):
        limits.demand(LIST, request(LIST))
    limits.demand(HEALTH, request(HEALTH))


@given(
    st.integers(1, 5),
    st.sampled_from([0.25, 1.0, 7.0]),
    st.lists(st.sampled_from([0.0, 0.1, 0.25, 1.0, 3.5, 100.0]), max_size=60),
)
def test_no_window_holds_more_than_it_may(burst, interval, steps):
    pace = Pace(burst, interval, 10)
    passes = []
    now = 0.0
    for step in steps:
        now += step
        if pace.take("a", now) >= 0:
            passes.append(now)
    for start, first in enumerate(passes):
        for end, last in enumerate(passes[start:], start):
            assert end - start + 1 <= burst + (last - first) / interval + 1e-3


@given(st.integers(1, 5), st.sampled_from([0.25, 1.0, 7.0]), st.integers(0, 9))
def test_whoever_waits_as_told_gets_on(burst, interval, more):
    now = 1e9
    pace = Pace(burst, interval, 10)
    for _ in range(burst + more):
        pace.take("a", now)
    verdict = pace.verdict(pace.take("a", now))
    assert verdict.wait_s >= 1
    assert pace.take("a", now + verdict.wait_s) >= 0


def test_the_table_is_bounded():
    pace = Pace(1, 60, 4)
    for number in range(1000):
        pace.take(str(number), 0.0)
        assert len(pace._free_at) + len(pace._old) <= 8
    assert pace.take("999", 0.0) < 0


def test_a_key_in_use_is_not_lost():
    pace = Pace(1, 60, 4)
    pace.take("kept", 0.0)
    for number in range(100):
        pace.take(str(number), 0.0)
        assert pace.take("kept", 0.0) < 0


def test_many_rules_share_the_memory(clock, monkeypatch):
    monkeypatch.setattr(rate_limit, "CAPACITY", 4096)
    limits = RateLimits([RateRule(1, 1)] * 2, TABLE, clock)
    assert [pace._capacity for _, pace in limits._rules] == [2048, 2048]
    limits = RateLimits([RateRule(1, 1)] * 64, TABLE, clock)
    assert limits._rules[0][1]._capacity == rate_limit.MIN_CAPACITY


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("a:b", "a:b"),
    ],
)
def test_what_counts_as_one_client(address, key):
    assert address_key(address) == key


# Over the wire

BOTH = pytest.mark.parametrize("door", ["/hot", "/cold"])


@pytest.fixture
async def limited(tmp_path):
    async with serving(tmp_path, ROUTES) as client:

        def limit(*rules):
            dispatcher = client.dispatcher
            dispatcher.rate_limits = RateLimits(rules, dispatcher.router.routes, SYSTEM_CLOCK)

        client.limit = limit
        yield client


@BOTH
async def test_a_refusal_says_when_to_come_again(limited, door):
    limited.limit(RateRule(2, 120, path=door))
    first = await limited.ask("GET", f"{door}/echo/a", ["Origin: http://a.test"])
    assert first[0] == 200
    assert (first[1]["x-ratelimit-limit"], first[1]["x-ratelimit-remaining"]) == ("2", "1")
    await limited.ask("GET", f"{door}/wait/1")
    status, headers, body = await limited.ask("GET", f"{door}/echo/a", ["Origin: http://a.test"])
    assert (status, body) == (429, "Too Many Requests! Wait for 60s")
    assert headers["retry-after"] == headers["x-ratelimit-after"] == "60"
    assert headers["x-ratelimit-remaining"] == "0"
    assert headers["access-control-allow-origin"] == "http://a.test"
    assert [entry[1] for entry in limited.log] == [200, 200, 429]


@BOTH
async def test_a_limit_is_told_once_half_of_it_is_used(limited, door):
    limited.limit(RateRule(6, 600))
    answers = [await limited.ask("GET", f"{door}/echo/a") for _ in range(6)]
    told = [headers.get("x-ratelimit-remaining") for _, headers, _ in answers]
    assert told == [None, None, "3", "2", "1", "0"]


@BOTH
async def test_without_a_rule_nothing_is_said(limited, door):
    limited.limit(RateRule(1, 60, path="/elsewhere"))
    for _ in range(3):
        status, headers, _ = await limited.ask("GET", f"{door}/echo/a")
        assert status == 200
        assert "x-ratelimit-limit" not in headers


@BOTH
async def test_a_rule_for_everything_counts_networks_not_addresses(limited, door):
    limited.limit(RateRule(1, 60))
    for address, status in (("2001:db8::1", 200), ("2001:db8::2", 429), ("2001:db8:1::1", 200)):
        headers = [f"X-Forwarded-For: {address}"]
        assert (await limited.ask("GET", f"{door}/echo/a", headers))[0] == status


@BOTH
async def test_users_share_an_address_without_sharing_a_limit(limited, door):
    limited.limit(RateRule(1, 60, per="user"))
    for token in ("alice", "boss"):
        headers = [f"Authorization: Bearer {token}"]
        assert (await limited.ask("GET", f"{door}/echo/a", headers))[0] == 200
        assert (await limited.ask("GET", f"{door}/echo/a", headers))[0] == 429


@BOTH
async def test_a_handler_that_waits_tells_of_its_own_limit(limited, door):
    limited.limit(RateRule(2, 60))
    answer = await limited.raw(
        f"GET {door}/wait/1 HTTP/1.1\r\nHost: h\r\n\r\nGET {door}/echo/a HTTP/1.1\r\n\r\n".encode()
    )
    assert answer.count("x-ratelimit-remaining: 1") == 1
    assert answer.count("x-ratelimit-remaining: 0") == 1


async def test_what_is_not_there_counts_too(limited):
    limited.limit(RateRule(1, 60), RateRule(9, 60, path="/other", methods=frozenset({"PUT"})))
    assert (await limited.ask("GET", "/nothing"))[0] == 404
    assert (await limited.ask("GET", "/nothing"))[0] == 429
    limited.limit(RateRule(1, 60, path="/nothing"))
    assert (await limited.ask("GET", "/nothing/at/all"))[0] == 404
    assert (await limited.ask("GET", "/nothing"))[0] == 429
    assert (await limited.ask("GET", "/else"))[0] == 404


async def test_strangers_at_closed_doors_count(limited):
    limited.limit(RateRule(1, 60))
    assert (await limited.ask("GET", "/user"))[0] == 401
    assert (await limited.ask("GET", "/user"))[0] == 429
