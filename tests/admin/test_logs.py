"""The handlers of the access log on a store that writes and a reader that reads."""

import json
from functools import partial

import pytest

from trailbase_server.admin.logs import LogsState, get_log_stats, list_logs
from trailbase_server.admin.routes import LOG_ROUTES
from trailbase_server.clock import FrozenClock
from trailbase_server.logs.pages import LogView
from trailbase_server.logs.store import LogStore
from trailbase_server.migrations.embedded import system_migrations
from trailbase_server.migrations.runner import migrate
from trailbase_server.sqlite.open import DatabaseFiles, open_connection
from trailbase_server.sqlite.side_reader import SideReader
from trailbase_server.web.request import Request

NOW = 1_800_000_000.0


@pytest.fixture
def state(tmp_path):
    files = DatabaseFiles(tmp_path / "logs.db")
    connection = open_connection(files, "migrator")
    migrate(connection, system_migrations("logs"), "logs")
    connection.close()
    store = LogStore(partial(open_connection, files, "migrator"), flush_s=60)
    reader = SideReader(files)
    yield LogsState(store, reader.run, LogView(), lambda: 86_400.0, FrozenClock(NOW))
    reader.close()
    store.close()


def entry(url):
    return (NOW - 1, 200, "GET", url, 0.5, "", b"", b"", None, b"", "1.1", "", None)


async def test_what_was_just_answered_is_in_the_list(state):
    state.store.append(entry("/now"))
    answer = await list_logs(state, Request("GET", "/api/_admin/logs/list", "limit=5"))
    page = json.loads(answer.body)
    assert (page["total_row_count"], page["cursor"]) == (1, "1")
    assert page["entries"][0]["url"] == "/now"


async def test_statistics_take_a_filter_and_nothing_else(state):
    state.store.append(entry("/a"))
    state.store.append(entry("/b"))
    request = Request("GET", "/api/_admin/logs/stats", "filter[url]=/a&limit=7")
    assert json.loads((await get_log_stats(state, request)).body) == {
        "rates": [[NOW - 300, 1 / 600]],
        "country_codes": None,
    }


def test_the_routes_are_for_administrators():
    assert [route.path for route in LOG_ROUTES] == [
        "/api/_admin/logs/list",
        "/api/_admin/logs/stats",
    ]
    assert {route.audience for route in LOG_ROUTES} == {"admin"}
