"""Limits and trust as the operator has chosen them."""

import pytest

from trailbase_server.config.proto.config_pb2 import RateLimit, RateLimitKey, ServerConfig
from trailbase_server.errors import OperatorError
from trailbase_server.server.edge import compile_proxies, compile_rules, parse_rate
from trailbase_server.server.options import ServerOptions
from trailbase_server.web.rate_limit import RateRule

BOATS = "/api/records/v1/boat"
ONCE = 'rate_limits { path: "/api/records/v1/boat" requests: 1 seconds: 600 }'


async def statuses(web, path, count=3, **kinds):
    return [(await web.get(path, **kinds)).status_code for _ in range(count)]


async def test_rules_of_the_configuration_are_obeyed(pier):
    pier.edit("enable_record_transactions: true", ONCE)
    async with pier.opened() as (_, web):
        assert await statuses(web, BOATS) == [200, 429, 429]
        assert await statuses(web, "/api/records/v1/gauge") == [200, 200, 200]
        refused = await web.get(BOATS)
        assert refused.text == f"Too Many Requests! Wait for {refused.headers['retry-after']}s"


async def test_a_new_configuration_brings_new_rules(pier):
    async with pier.opened() as (depot, web):
        assert await statuses(web, BOATS) == [200, 200, 200]
        pier.edit("enable_record_transactions: true", ONCE)
        await depot.reload()
        assert await statuses(web, BOATS) == [200, 429, 429]
        # What was counted is not forgotten because something else has changed.
        pier.edit('"Pier"', '"Quay"')
        await depot.reload()
        assert await statuses(web, BOATS) == [429, 429, 429]
        pier.edit(ONCE, "")
        await depot.reload()
        assert await statuses(web, BOATS) == [200, 200, 200]


async def test_a_rate_for_everything_and_nobody_asks_too_often_after_health(pier):
    async with pier.opened(rate_limit="2/600") as (_, web):
        assert await statuses(web, BOATS) == [200, 200, 429]
        assert await statuses(web, "/nothing") == [429, 429, 429]
        assert await statuses(web, "/api/healthcheck") == [200, 200, 200]


async def test_developers_are_not_limited(pier):
    pier.edit("enable_record_transactions: true", ONCE)
    async with pier.opened(dev=True, rate_limit="1/600") as (_, web):
        assert await statuses(web, BOATS) == [200, 200, 200]


async def test_clients_behind_a_proxy_are_counted_apart(pier):
    async with pier.opened(rate_limit="1/600") as (_, web):
        for client in ("198.51.100.1", "198.51.100.2"):
            headers = {"x-forwarded-for": f"6.6.6.6, {client}"}
            assert await statuses(web, BOATS, headers=headers) == [200, 429, 429]


@pytest.mark.case("T-80")
async def test_headers_do_not_help_where_nobody_is_trusted(pier):
    async with pier.opened(rate_limit="1/600", trusted_proxies=("none",)) as (_, web):
        assert await statuses(web, BOATS, 1, headers={"x-forwarded-for": "1.1.1.1"}) == [200]
        assert await statuses(web, BOATS, 1, headers={"x-forwarded-for": "2.2.2.2"}) == [429]


async def test_forms_may_be_larger_than_other_bodies(pier):
    pier.edit(
        "enable_record_transactions: true",
        "request_size_limit_bytes: 2000 upload_size_limit_bytes: 9000",
    )
    async with pier.opened() as (_, web):
        name = "x" * 4000
        assert (await web.post(BOATS, json={"name": name})).status_code == 413
        assert (await web.post(BOATS, files={"name": (None, name)})).status_code == 200
        assert (await web.post(BOATS, files={"name": (None, "x" * 9000)})).status_code == 413


async def test_browsers_are_told_to_stay_with_tls(pier):
    pier.edit("enable_record_transactions: true", "hsts_max_age_sec: 3600")
    over_tls = {"x-forwarded-proto": "https"}
    async with pier.opened() as (_, web):
        for path in (BOATS, "/nothing"):
            told = (await web.get(path, headers=over_tls)).headers["strict-transport-security"]
            assert told == "max-age=3600; includeSubDomains"
            assert "strict-transport-security" not in (await web.get(path)).headers
    async with pier.opened(trusted_proxies=("none",)) as (_, web):
        assert "strict-transport-security" not in (await web.get(BOATS, headers=over_tls)).headers


def test_rules_from_options_and_configuration():
    server = ServerConfig(
        rate_limits=[
            RateLimit(requests=5),
            RateLimit(
                requests=5,
                seconds=10,
                burst=2,
                path="/api",
                methods=["HEAD", "POST"],
                operation="x",
                per=RateLimitKey.USER,
            ),
        ]
    )
    assert compile_rules(ServerOptions(rate_limit="100/10:20"), server) == [
        RateRule(100, 10, 20),
        RateRule(5, 60),
        RateRule(5, 10, 2, "/api", frozenset({"GET", "POST"}), "x", "user"),
    ]
    assert compile_rules(ServerOptions(), ServerConfig()) == []


@pytest.mark.parametrize("text", ["", "10", "0/1", "1/0", "1/1:0", "-1/1", "1 / 1", "9/9:9\n"])
def test_what_is_no_rate(text):
    with pytest.raises(OperatorError, match="no rate"):
        parse_rate(text)


def test_whom_to_believe():
    usual = compile_proxies(ServerOptions(proxy_hops=2), ["127.0.0.1"])
    assert (usual.trusts("10.0.0.1"), usual.hops) == (True, 2)
    assert not compile_proxies(ServerOptions(), ["0.0.0.0"]).trusts("10.0.0.1")
    told = ServerOptions(trusted_proxies=("203.0.113.0/24",))
    assert compile_proxies(told, ["0.0.0.0"]).trusts("203.0.113.9")
    with pytest.raises(OperatorError, match="example"):
        compile_proxies(ServerOptions(trusted_proxies=("example.org",)))
