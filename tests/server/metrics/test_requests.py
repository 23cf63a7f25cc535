"""Counts equal what was sent."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trailbase_server.server.metrics.reading import Answers
from trailbase_server.server.metrics.requests import _describe_answers
from trailbase_server.tally import Tally

LIST = ("GET", "/api/records/v1/{api}")
WAYS = {
    "list": (("GET", "/api/records/v1/boat"), (*LIST[::-1], "2xx")),
    "head": (("HEAD", "/api/records/v1/boat"), (*LIST[::-1], "2xx")),
    "nothing": (("GET", "/nothing/here"), ("", "GET", "4xx")),
    "wrong": (("PUT", "/api/records/v1/boat"), ("", "PUT", "4xx")),
    "odd": (("BREW", "/pot"), ("", "other", "4xx")),
    "options": (("OPTIONS", "/api/records/v1/boat"), ("", "OPTIONS", "2xx")),
    "login": (("POST", "/api/auth/v1/login"), ("/api/auth/v1/login", "POST", "4xx")),
    "admin": (("GET", "/api/_admin/info"), ("/api/_admin/info", "GET", "4xx")),
}


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(sorted(WAYS)), max_size=12))
async def test_every_answer_is_counted_once(watched, ways):
    before = await watched.scrape()
    for way in ways:
        method, path = WAYS[way][0]
        await watched.web.request(method, path)
    after = await watched.scrape()
    for route, method, status in {WAYS[way][1] for way in WAYS}:
        labels = {"route": route, "method": method, "status": status}
        sent = sum(WAYS[way][1] == (route, method, status) for way in ways)
        grown = (after("http_requests_total", **labels) or 0) - (
            before("http_requests_total", **labels) or 0
        )
        assert grown == sent, labels


async def test_times_and_bytes_are_those_of_the_route(watched):
    sizes = [len((await watched.web.get(WAYS["list"][0][1])).content) for _ in range(3)]
    await watched.web.head(WAYS["list"][0][1])
    scraped = await watched.scrape()
    labels = {"route": LIST[1], "method": "GET"}
    assert scraped("http_request_duration_seconds_count", **labels) == 4
    assert 0 < scraped("http_request_duration_seconds_sum", **labels) < 60
    assert scraped("http_request_duration_seconds_bucket", **labels, le="+Inf") == 4
    assert scraped("http_response_bytes_total", **labels) == sum(sizes)


async def test_no_label_has_what_a_client_has_sent(watched):
    for path in ("/secret-path", "/api/records/v1/secret-name", "/api/records/v1/boat/secret-id"):
        await watched.web.get(path)
        await watched.web.request("SECRET", path)
    answer = await watched.metrics.get("/metrics")
    assert "secret" not in answer.text.lower()


def test_too_many_and_web_sockets_are_told_apart():
    tally = Tally()
    tally.add(200, 0.001, 10)
    tally.add(429, 0.001, 5)
    tally.add(101, 3600.0, 0)
    families = {f.name: f for f in _describe_answers([Answers("/x", "GET", tally.look())])}
    counts = {
        sample.labels.get("status"): sample.value
        for sample in families["trail_http_requests"].samples
    }
    assert counts == {"1xx": 1, "2xx": 1, "4xx": 1}
    [limited] = families["trail_http_rate_limited"].samples
    assert limited.value == 1
    times = families["trail_http_request_duration_seconds"].samples
    assert next(s.value for s in times if s.name.endswith("_count")) == 2


async def test_log_ins_are_counted_by_what_became_of_them(watched):
    for secret in ("wrong", "rope-and-anchor"):
        given = {"email": "boss@pier.test", "password": secret}
        await watched.web.post("/api/auth/v1/login", json=given)
    events = (await watched.scrape()).labelled("auth_events_total")
    assert {event: count for (event,), count in events.items() if count} == {
        "password_wrong": 1,
        "session": 1,
    }


async def test_listeners_are_counted_together(watched):
    await watched.web.get("/api/healthcheck")
    await watched.metrics.get("/api/healthcheck")
    scraped = await watched.scrape()
    labels = {"route": "/api/healthcheck", "method": "GET", "status": "2xx"}
    assert scraped("http_requests_total", **labels) == 2
