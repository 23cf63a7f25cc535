"""
``trail backups …``: made, listed, checked and put back from the command line (spec
server/trail-backups-list-trigger-restore-timestamp).

``list``, ``verify`` and ``restore`` touch no database that is open: they work on a depot that does
not start, too. ``restore`` wants the server stopped; the admin API restores under a running one.
"""

import asyncio
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec.structs import asdict

from trailbase_server.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trailbase_server.backups.create import Progress
    from trailbase_server.backups.restore import Restored, Scope
    from trailbase_server.backups.settings import BackupSettings
    from trailbase_server.backups.shelf import Shelf, StoredBackup
    from trailbase_server.backups.verify import PrepareFor
    from trailbase_server.server.options import ServerOptions

R = TypeVar("R")

FAILED = 1  # exit status of a backup that is not good

_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_from_directory = click.option(
    "--from",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory of the backups.  [default: as configured]",
)
_from_bucket = click.option(
    "--bucket", is_flag=True, help="Backups of the bucket that the configuration names."
)


@click.group()
def backups() -> None:
    """Make, list, check and restore backups."""


@backups.command("list")
@_from_directory
@_from_bucket
@_as_json
@click.pass_obj
def list_backups(
    options: "ServerOptions", directory: Path | None, bucket: bool, as_json: bool
) -> None:
    """List backups, oldest first."""
    from trailbase_server.admin.backups import render_backup
    from trailbase_server.backups.service import list_shelf, open_bucket_shelf
    from trailbase_server.backups.shelf import BEFORE_RESTORE

    settings = _settings(options)
    before: list[dict[str, Any]] = []
    if bucket:
        timestamps = asyncio.run(open_bucket_shelf(settings).list())
        where = f"s3://{settings.bucket.bucket if settings.bucket else ''}/{settings.prefix}"
        listed: list[dict[str, Any]] = [{"timestamp": one} for one in timestamps]
    else:
        shelf = _shelf(settings, directory)
        where = f"{shelf.directory}/"
        listed = [render_backup(one) for one in list_shelf(shelf)]
        before = [render_backup(one) for one in list_shelf(shelf.before_restore)]
    if as_json:
        _print_json({"backups": listed, "before_restore": before})
        return
    click.echo(f"Found {len(listed)} backups")
    for one in listed:
        click.echo(_render_line(one, where))
    if before:
        click.echo(f"Found {len(before)} backups of what restores have replaced")
        for one in before:
            click.echo(_render_line(one, f"{where}{BEFORE_RESTORE}/"))


@backups.command()
@_as_json
@click.pass_obj
def trigger(options: "ServerOptions", as_json: bool) -> None:
    """Make a backup, beside a running server or without one."""
    from trailbase_server.backups.errors import DisabledBackupsError
    from trailbase_server.cli.in_depot import run_in_depot
    from trailbase_server.server.audit import Deed

    def run(progress: "Progress") -> "StoredBackup":
        deed = Deed("backup.trigger", "")
        return run_in_depot(options, lambda depot: depot.backups.run(progress), deed)

    try:
        backup = _with_progress(run, quiet=as_json)
    except DisabledBackupsError:
        click.echo("Skipping backup. Window size explicitly set to 0", err=True)
        return
    if as_json:
        _print_json({"timestamp": backup.timestamp, "path": str(backup.path)})
    click.echo("Backup succeeded.", err=True)


@backups.command()
@click.argument("timestamp", metavar="TIMESTAMP|all", default="all")
@_from_directory
@_as_json
@click.pass_context
def verify(ctx: click.Context, /, timestamp: str, directory: Path | None, as_json: bool) -> None:
    """Check backups: sums of all files, every page of the databases, foreign keys."""
    from trailbase_server.backups.verify import verify_backup

    options: ServerOptions = ctx.obj
    shelf = _shelf(_settings(options), directory)
    chosen = shelf.list() if timestamp == "all" else [shelf.find(_parse_timestamp(timestamp))]
    prepare_for = _prepare_for(options)
    reports = []
    for one in chosen:
        work = partial(verify_backup, one, prepare_for)
        reports.append(_with_progress(work, quiet=as_json))
    if as_json:
        shown = [{**asdict(report), "ok": not report.problems} for report in reports]
        _print_json({"backups": shown})
    else:
        for report in reports:
            click.echo(f"{report.timestamp}: {'broken' if report.problems else 'good'}")
            for line in [*report.problems, *report.remarks]:
                click.echo(f"  {line}")
    if any(report.problems for report in reports):
        ctx.exit(FAILED)


@backups.command()
@click.argument("timestamp", metavar="[TIMESTAMP]", required=False)
@click.option(
    "--from",
    "place",
    metavar="DIRECTORY|URL|config",
    help="Directory of the backups [default: as configured]; or a replica: file:///directory,"
    " s3://bucket/prefix, 'config' for the configured one.",
)
@_from_bucket
@click.option(
    "--at",
    "moment",
    metavar="TIME|latest",
    help="From the replica, as all was at this moment: 2026-01-31T12:00:00Z or Unix seconds.",
)
@click.option("--no-session", is_flag=True, help="Keep the sessions there are.")
@click.option("--no-logs", is_flag=True, help="Keep the access log there is.")
@click.option("--exclude", multiple=True, metavar="DATABASE", help="Keep this one. Repeatable.")
@click.option("--config", is_flag=True, help="Replace config.textproto and migrations, too.")
@click.option("--secrets", is_flag=True, help="Replace secrets/, too.")
@_as_json
@click.pass_obj
def restore(options: "ServerOptions", /, **given: Any) -> None:
    """
    Put a backup, or a replica, back into the depot, while no server runs.

    A backup of what is there is made first. Files that the depot lacks (uploads, configuration,
    secrets) come back from backups, others stay; a replica has databases only.
    """
    from trailbase_server.backups.restore import Scope

    excluded = {*given["exclude"]}
    excluded |= {name for name in ("session", "logs") if given[f"no_{name}"]}
    scope = Scope(frozenset(excluded), config=given["config"], secrets=given["secrets"])
    place, timestamp = given["place"], given["timestamp"]
    if given["moment"] is not None or place == "config" or "://" in (place or ""):
        if timestamp is not None or given["bucket"]:
            raise click.UsageError("a replica is restored by --at: give no TIMESTAMP, no --bucket")
        run = partial(_restore_replica, options, place or "config", given["moment"], scope)
    else:
        if timestamp is None:
            raise click.UsageError("Missing argument 'TIMESTAMP', or --at for a replica.")
        directory = Path(place) if place else None
        run = partial(
            _restore_backup, options, _parse_timestamp(timestamp), directory, given["bucket"], scope
        )
    report = _with_progress(run, quiet=given["as_json"])
    if given["as_json"]:
        _print_json(asdict(report))
    else:
        click.echo(f"databases: {', '.join(report.databases)}", err=True)
        if report.kept:
            click.echo(f"left as they were: {', '.join(report.kept)}", err=True)
        for path in report.files:
            click.echo(f"file: {path}", err=True)
        if report.safety is not None:
            click.echo(f"backup of before: {report.safety}", err=True)
    click.echo("Backup restored.", err=True)


def _restore_backup(
    options: "ServerOptions",
    timestamp: int,
    directory: Path | None,
    from_bucket: bool,
    scope: "Scope",
    progress: "Progress",
) -> "Restored":
    from trailbase_server.server.restore import restore_offline

    settings = _settings(options)
    return restore_offline(
        options.depot,
        settings,
        timestamp,
        scope,
        source=_shelf(settings, directory),
        from_bucket=from_bucket,
        prepare_for=_prepare_for(options),
        progress=progress,
    )


def _restore_replica(
    options: "ServerOptions",
    place: str,
    moment: str | None,
    scope: "Scope",
    progress: "Progress",
) -> "Restored":
    import os

    from trailbase_server.config.load import CONFIG_FILE
    from trailbase_server.config.proto.config_pb2 import Config
    from trailbase_server.replication.moment import LATEST, parse_moment
    from trailbase_server.replication.settings import compile_replication
    from trailbase_server.server.configuration import load_configuration
    from trailbase_server.server.replica import Wanted, restore_replica

    at = parse_moment(moment or LATEST)
    has_config = (options.depot / CONFIG_FILE).exists()
    config = load_configuration(options) if has_config else Config()
    depot = options.depot.absolute()
    wanted = Wanted(
        compile_replication(place, config, depot, os.environ),
        [one.name for one in config.databases],
        at,
        os.environ,
    )
    return restore_replica(
        options.depot,
        _settings(options),
        wanted,
        scope,
        prepare_for=_prepare_for(options),
        progress=progress,
    )


def _settings(options: "ServerOptions") -> "BackupSettings":
    """What the configuration says, or the defaults for a directory without one."""
    import os

    from trailbase_server.backups.settings import compile_backups
    from trailbase_server.config.load import CONFIG_FILE, load_config
    from trailbase_server.config.proto.config_pb2 import Config

    if not (options.depot / CONFIG_FILE).exists():
        return compile_backups(Config(), options.depot)
    return compile_backups(
        load_config(options.depot, os.environ, create=False).config, options.depot
    )


def _shelf(settings: "BackupSettings", directory: Path | None) -> "Shelf":
    from trailbase_server.backups.shelf import Shelf

    return Shelf(directory or settings.directory)


def _prepare_for(options: "ServerOptions") -> "PrepareFor":
    """Functions for looking into copies; with the schemas of the configuration if it is sound."""
    import os

    from trailbase_server.config.load import CONFIG_FILE, load_config
    from trailbase_server.schema.registry import SchemaRegistry
    from trailbase_server.server.backups import BackupFunctions

    schemas: dict[str, str] = {}
    if (options.depot / CONFIG_FILE).exists():
        config = load_config(options.depot, os.environ, create=False).config
        schemas = {schema.name: schema.schema for schema in config.schemas}
    return BackupFunctions(SchemaRegistry(schemas))


def _parse_timestamp(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise OperatorError(f"'{text}' is not a timestamp: see trail backups list") from None


def _render_line(backup: dict[str, Any], where: str) -> str:
    timestamp = backup["timestamp"]
    problem = f" {backup['problem']}" if "problem" in backup else ""
    return f'{timestamp}: @{_render_time(timestamp)} ("{where}{timestamp}"){problem}'


def _render_time(unix_s: int) -> str:
    try:
        return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # a directory may be called anything
        return "?"


def _print_json(value: object) -> None:
    import orjson

    click.echo(orjson.dumps(value))


def _with_progress(work: "Callable[[Progress], R]", *, quiet: bool) -> R:
    """Run long work, with a bar on a terminal."""
    from trailbase_server.backups.create import tell_nobody

    if quiet or not sys.stderr.isatty():
        return work(tell_nobody)
    from rich.console import Console
    from rich.progress import Progress as Bars

    with Bars(console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what)
            bars.update(tasks[what], completed=done, total=total)

        return work(show)
