"""``trail audit …``: who changed what about the server (spec server/audit-log-p2)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import click

from trailbase_server.cli.in_depot import run_in_depot

if TYPE_CHECKING:
    from trailbase_server.audit.log import Proof
    from trailbase_server.audit.search import Page
    from trailbase_server.query.parse import ListQuery
    from trailbase_server.server.opened import OpenDepot
    from trailbase_server.server.options import ServerOptions

DEFAULT_LINES = 50  # what fits the memory of a terminal and of its reader
MAX_LINES = 1024  # of one page; for more there is the export
_TIME_FORMATS = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S")


@click.group()
def audit() -> None:
    """Read the audit log, or prove that it is whole."""


def _filters(command: Any) -> Any:
    options = (
        click.option(
            "--since", type=click.DateTime(_TIME_FORMATS), help="From this time on (UTC)."
        ),
        click.option("--actor", metavar="NAME", help="Only what this one did."),
        click.option("--action", metavar="NOUN.VERB", help="Only this, such as user.delete."),
    )
    for option in options:
        command = option(command)
    return command


@audit.command("list")
@_filters
@click.option(
    "-n",
    "--limit",
    type=click.IntRange(1, MAX_LINES),
    default=DEFAULT_LINES,
    show_default=True,
    help="How many.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.pass_obj
def list_entries(
    options: "ServerOptions", /, limit: int, as_json: bool, **given: str | datetime | None
) -> None:
    """List the latest entries, the newest first; times are UTC."""
    query = _parse(given, limit=str(limit))

    async def action(depot: "OpenDepot") -> "Page":
        from trailbase_server.audit.search import search

        return await search(depot.audit.database, query)

    page = run_in_depot(options, action)
    if as_json:
        import orjson

        document = {"total_row_count": page.total, "entries": page.entries}
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
        return
    for entry in page.entries:
        click.echo(_line(entry))


@audit.command("export")
@_filters
@click.pass_obj
def export_entries(options: "ServerOptions", /, **given: str | datetime | None) -> None:
    """Print all entries, the oldest first, one JSON object a line."""
    query = _parse(given)

    async def action(depot: "OpenDepot") -> None:
        from trailbase_server.audit.search import export

        async for piece in await export(depot.audit.database, query):
            click.echo(piece, nl=False)

    run_in_depot(options, action)


@audit.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def verify_entries(options: "ServerOptions", as_json: bool) -> int:
    """Prove that nothing was changed or taken out; prints the digest to note elsewhere."""

    async def action(depot: "OpenDepot") -> "Proof":
        return await depot.audit.prove()

    proof = run_in_depot(options, action)
    if as_json:
        import orjson

        from trailbase_server.admin.audit import render_proof

        click.echo(orjson.dumps(render_proof(proof)).decode())
    elif proof.is_whole:
        click.echo(f"{proof.entries} entries, up to {proof.last}, digest {proof.digest or 'none'}")
    else:
        click.echo(f"Error: the log was tampered with before entry {proof.broken_at}", err=True)
    return 0 if proof.is_whole else 1


def _parse(given: Mapping[str, str | datetime | None], **more: str) -> "ListQuery":
    from trailbase_server.query.parse import parse_list_query

    parameters = dict(more)
    since = given["since"]
    if isinstance(since, datetime):
        parameters["filter[time][$gte]"] = str(since.replace(tzinfo=UTC).timestamp())
    for name, column in (("actor", "actor_name"), ("action", "action")):
        if given[name] is not None:
            parameters[f"filter[{column}]"] = str(given[name])
    return parse_list_query(urlencode(parameters, safe="[]$"))


def _line(entry: Mapping[str, Any]) -> str:
    at = datetime.fromtimestamp(entry["time"], UTC).strftime("%Y-%m-%d %H:%M:%S")
    actor = entry["actor"]
    parts = [at, entry["outcome"], entry["action"], entry["object"]]
    parts += [f"by {actor['name'] or actor['kind']}", entry["client_ip"], entry["message"]]
    # Names and messages are others' words: one line each, and nothing that moves the cursor.
    return "  ".join(_printable(part) for part in parts if part)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
