"""``trail logs …``: the access log on the command line, beside a running server or without one."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import click

from trailbase_server.cli.in_depot import run_in_depot

if TYPE_CHECKING:
    from trailbase_server.server.opened import OpenDepot
    from trailbase_server.server.options import ServerOptions

DEFAULT_LINES = 20  # what fits a terminal
MAX_LINES = 1024  # of one page
POLL_S = 0.5  # time between two looks for new entries
_TIME_FORMATS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")


@click.group()
def logs() -> None:
    """Read the access log."""


def _choices(command: Any) -> Any:
    options = (
        click.option(
            "--since", type=click.DateTime(_TIME_FORMATS), help="From this time on (UTC)."
        ),
        click.option("--status", type=int, help="Only with this status, or 400 and above: -400."),
        click.option("--method", metavar="NAME", help="Only this one, such as POST."),
        click.option("--url", metavar="PATTERN", help="Only what is like this; % is anything."),
        click.option("--user", metavar="ID", help="Only what this user asked for."),
        click.option("--request-id", metavar="ID", help="Only the request with this id."),
        click.option(
            "-n",
            "--limit",
            type=click.IntRange(1, MAX_LINES),
            default=DEFAULT_LINES,
            show_default=True,
            help="How many.",
        ),
        click.option("--json", "as_json", is_flag=True, help="One JSON object a line."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@logs.command("list")
@_choices
@click.pass_obj
def list_entries(
    options: "ServerOptions", /, limit: int, as_json: bool, **given: str | int | datetime | None
) -> None:
    """List the latest entries, the newest first; times are UTC."""
    _show(run_in_depot(options, lambda depot: _read(depot, given, limit=limit)), as_json)


@logs.command("tail")
@_choices
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl+C.")
@click.pass_obj
def tail_entries(
    options: "ServerOptions",
    /,
    limit: int,
    as_json: bool,
    follow: bool,
    **given: str | int | datetime | None,
) -> None:
    """Print the latest entries, the newest last."""

    async def action(depot: "OpenDepot") -> None:
        entries = (await _read(depot, given, limit=limit))[::-1]
        _show(entries, as_json)
        seen = max((entry["id"] for entry in entries), default=0)
        while follow:
            await asyncio.sleep(POLL_S)
            entries = await _read(depot, given, limit=MAX_LINES, after=seen)
            _show(entries, as_json)
            seen = max((entry["id"] for entry in entries), default=seen)

    run_in_depot(options, action)


async def _read(
    depot: "OpenDepot",
    given: Mapping[str, str | int | datetime | None],
    limit: int,
    after: int | None = None,
) -> list[dict[str, Any]]:
    """Read a page; with ``after`` what is newer than that id, the oldest first."""
    from trailbase_server.logs.pages import list_log
    from trailbase_server.query.parse import parse_list_query

    parameters = [("limit", str(limit)), *_filters(given)]
    if after is not None:
        parameters += [("order", "id"), ("filter[id][$gt]", str(after))]
    pages = depot.log_pages
    query = parse_list_query(urlencode(parameters))
    page: dict[str, Any] = await pages.run(list_log, query, pages.view)
    entries: list[dict[str, Any]] = page["entries"]
    return entries


def _filters(given: Mapping[str, str | int | datetime | None]) -> list[tuple[str, str]]:
    filters = []
    since, status = given["since"], given["status"]
    if isinstance(since, datetime):
        filters.append(("filter[created][$gte]", str(since.replace(tzinfo=UTC).timestamp())))
    if isinstance(status, int):
        key = "filter[status]" if status >= 0 else "filter[status][$gte]"
        filters.append((key, str(abs(status))))
    if given["method"]:
        filters.append(("filter[method]", str(given["method"]).upper()))
    if given["url"]:
        filters.append(("filter[url][$like]", str(given["url"])))
    if given["user"]:
        filters.append(("filter[user_id]", str(given["user"])))
    if given["request_id"]:
        filters.append(("filter[data]", f'{{"request_id":"{given["request_id"]}"}}'))
    return filters


def _show(entries: list[dict[str, Any]], as_json: bool) -> None:
    for entry in entries:
        if as_json:
            import orjson

            click.echo(orjson.dumps(entry))
        else:
            at = datetime.fromtimestamp(entry["created"], UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
            click.echo(
                f"{at[:-3]}  {entry['status']}  {entry['latency_ms']:9.2f} ms  "
                f"{entry['client_ip'] or '-':15}  {entry['method']:6} {_plain(entry['url'])}"
            )


def _plain(text: str) -> str:
    """Nothing that drives a terminal."""
    return "".join(one if one.isprintable() else "�" for one in text)
