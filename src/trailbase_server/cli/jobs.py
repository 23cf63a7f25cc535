"""
``trail jobs …``: what the server does by itself, and doing it now (spec server/jobs).

Both work alone and beside a running server: runs are remembered where both look, and a job that the
server runs right now is not begun a second time.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from trailbase_server.cli.in_depot import run_in_depot

if TYPE_CHECKING:
    from trailbase_server.jobs.job import JobStatus, Run
    from trailbase_server.server.opened import OpenDepot
    from trailbase_server.server.options import ServerOptions

# What only the process of the server knows.
_OF_THE_SERVER = ("running", "runs", "failures")
_HEADINGS = ("id", "name", "schedule", "next run", "last run", "result", "missed")


@click.group()
def jobs() -> None:
    """List jobs, or run one."""


@jobs.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.pass_obj
def list_jobs(options: "ServerOptions", as_json: bool) -> None:
    """List jobs with their schedule, next and last run; times are UTC."""
    found = run_in_depot(options, _statistics)
    if as_json:
        import orjson

        document = {"jobs": [_render(job) for job in found]}
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
        return
    rows = [_HEADINGS, *(_row(job) for job in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@jobs.command("run")
@click.argument("job", metavar="ID|NAME")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def run_job(options: "ServerOptions", job: str, as_json: bool) -> int:
    """Run a job now and wait for it, even if it is disabled."""
    from trailbase_server.server.audit import Deed

    deed = Deed("job.run", job)

    async def action(depot: "OpenDepot") -> "tuple[JobStatus, Run]":
        found = _find(depot.scheduler.statistics, job)
        deed.object = str(found.id)
        run = await depot.scheduler.run(found.id)
        deed.after = {"error": run.error}
        return found, run

    found, run = run_in_depot(options, action, deed)
    if as_json:
        import orjson

        result = {
            "id": found.id,
            "name": found.name,
            "duration_ms": run.duration_ms,
            "error": run.error,
        }
        click.echo(orjson.dumps(result).decode())
    elif run.error is None:
        click.echo(f"{found.name}: done in {run.duration_ms} ms", err=True)
    else:
        click.echo(f"Error: {found.name}: {run.error}", err=True)
    return 0 if run.error is None else 1


async def _statistics(depot: "OpenDepot") -> "list[JobStatus]":
    await depot.scheduler.look_back()
    return depot.scheduler.statistics


def _find(found: "list[JobStatus]", reference: str) -> "JobStatus":
    for job in found:
        if reference in (str(job.id), job.name) or reference.lower() == job.name.lower():
            return job
    from trailbase_server.errors import OperatorError

    known = ", ".join(f"{job.id} ({job.name})" for job in found)
    raise OperatorError(f"there is no job '{reference}', only: {known}")


def _render(job: "JobStatus") -> dict[str, Any]:
    from trailbase_server.admin.jobs import render_job

    return {name: value for name, value in render_job(job).items() if name not in _OF_THE_SERVER}


def _row(job: "JobStatus") -> tuple[str, ...]:
    result = ""
    if job.latest is not None:
        result = job.latest.error or f"done in {job.latest.duration_ms} ms"
    return (
        str(job.id),
        job.name,
        job.schedule,
        "disabled" if job.next is None and not job.enabled else _time(job.next),
        _time(job.latest.started if job.latest is not None else None),
        " ".join(result.split())[:80],
        str(job.missed),
    )


def _time(unix_s: float | None) -> str:
    if unix_s is None:
        return "never"
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
