"""The access log, as administrators read it: pages of it, and how much was asked when."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.db.base import Reader
from trailbase_server.logs.pages import LogView, list_log
from trailbase_server.logs.stats import log_stats
from trailbase_server.logs.store import LogStore
from trailbase_server.query.filter import FilterNode
from trailbase_server.query.parse import ListQuery, parse_list_query
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value

FLUSH_S = 1.0  # longest time for the newest entries to be written first


@dataclass(frozen=True, slots=True)
class LogsState:
    """
    What the handlers need.

    Attributes:
        store: Writes the log.
        run: Runs a function in a thread with a reader of ``logs.db`` as first argument.
        view: What is shown of it.
        retention_s: Age at which entries are deleted now.
        clock: Tells the end of the statistics.
    """

    store: LogStore
    run: Callable[..., Awaitable[Any]]
    view: LogView
    retention_s: Callable[[], float]
    clock: Clock = SYSTEM_CLOCK


async def list_logs(state: LogsState, request: Request) -> Response:
    """
    Answer with a page of the access log; what was answered before is in it.

    Raises:
        BadRequestError: Something in the query string.

    Spec:
        server/reading-admin
        admin-api/get-logs-list
    """
    query = parse_list_query(request.query)
    return json_value(await state.run(_list, state, query))


async def get_log_stats(state: LogsState, request: Request) -> Response:
    """
    Answer with requests a second over the time that is kept, and the countries they came from.

    Raises:
        BadRequestError: Something in the filter.

    Spec:
        server/reading-admin
        admin-api/get-logs-stats
    """
    query = parse_list_query(request.query)
    return json_value(await state.run(_stats, state, query.filter))


def _list(reader: Reader, state: LogsState, query: ListQuery) -> dict[str, Any]:
    state.store.flush(FLUSH_S)
    return list_log(reader, query, state.view)


def _stats(reader: Reader, state: LogsState, node: FilterNode | None) -> dict[str, Any]:
    state.store.flush(FLUSH_S)
    return log_stats(reader, node, state.view, state.clock.now(), state.retention_s())
