"""Who may ask, in which format, and how many at once."""

import asyncio

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_metrics_families,
)

from tests.server.metrics.conftest import watched_depot
from trailbase_server.errors import OperatorError
from trailbase_server.server.metrics.page import MAX_WAITING, MIN_TOKEN_CHARS, load_token

TOKEN = "a-token-for-scrapers"


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


async def test_the_page_is_plain_text_for_those_who_do_not_ask_for_more(watched):
    answer = await watched.metrics.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_open_metrics_are_there_for_those_who_ask(watched):
    accept = {"accept": "application/openmetrics-text; version=1.0.0, text/plain; q=0.5"}
    answer = await watched.metrics.get("/metrics", headers=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")
    names = {family.name for family in open_metrics_families(answer.text)}
    assert {"trail_http_requests", "trail_build_info", "process_cpu_seconds"} <= names


async def test_the_main_application_has_no_metrics(watched):
    assert (await watched.web.get("/metrics")).status_code == 404


async def test_head_is_answered_without_a_body(watched):
    answer = await watched.metrics.head("/metrics")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        (f"Bearer {TOKEN}", 200),
        (f"Bearer {TOKEN}x", 401),
        ("Bearer ", 401),
        (f"Basic {TOKEN}", 401),
        (f"bearer{TOKEN}", 401),
        ("Bearer ä", 401),
    ],
)
async def test_a_token_keeps_others_out(pier, token_file, header, status):
    async with watched_depot(pier.root, metrics_token_file=token_file) as watched:
        headers = {} if header is None else {"authorization": header.encode("latin-1")}
        answer = await watched.metrics.get("/metrics", headers=headers)
        assert answer.status_code == status
        assert (answer.headers.get("www-authenticate") == "Bearer") == (status == 401)
        assert (await watched.metrics.get("/api/healthcheck")).status_code == 200


async def test_a_new_token_holds_after_a_reload_and_a_broken_one_does_not(pier, token_file):
    async with watched_depot(pier.root, metrics_token_file=token_file) as watched:

        async def status(token):
            headers = {"authorization": f"Bearer {token}"}
            return (await watched.metrics.get("/metrics", headers=headers)).status_code

        token_file.write_text("another-token-for-scrapers")
        await watched.depot.reload()
        assert (await status(TOKEN), await status("another-token-for-scrapers")) == (401, 200)
        token_file.write_text("short")
        await watched.depot.reload()
        assert (await status("short"), await status("another-token-for-scrapers")) == (401, 200)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "16 to 4096"),
        (b"x" * (MIN_TOKEN_CHARS - 1), "16 to 4096"),
        (b"x" * 5000, "16 to 4096"),
        (b"two lines of text\nare no token", "16 to 4096"),
        ("schlüssel-schlüssel".encode(), "not ASCII"),
    ],
)
def test_a_bad_token_is_told(tmp_path, text, reason):
    path = tmp_path / "token"
    path.write_bytes(text)
    with pytest.raises(OperatorError, match=reason):
        load_token(path)


def test_a_missing_token_file_is_told(tmp_path):
    with pytest.raises(OperatorError, match="No such file"):
        load_token(tmp_path / "none")


async def test_many_scrapes_at_once_are_refused_but_some_are_answered(watched):
    answers = await asyncio.gather(
        *(watched.metrics.get("/metrics") for _ in range(MAX_WAITING + 6))
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] * (MAX_WAITING + 1) + [503] * 5
    assert (await watched.metrics.get("/metrics")).status_code == 200


async def test_the_process_is_described(watched):
    scraped = await watched.scrape()
    assert scraped.samples["process_start_time_seconds", ()] > 1.6e9
    assert scraped.samples["process_open_fds", ()] >= 3
    assert scraped.samples["process_resident_memory_bytes", ()] > 2**20
