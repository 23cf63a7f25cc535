"""
``trail check …``: whether a depot is in order, from its files alone: for CI, and before a restart.

Nothing in the depot is written, and no running server is asked. Exit status 1: something has to be
mended, or, with ``--strict``, something looks like a mistake.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from trailbase_server.records.grants import Grant
    from trailbase_server.server.access_report import AccessReport
    from trailbase_server.server.options import ServerOptions

_CELLS = {"nobody": "-", "users": "users", "everybody": "everybody"}
_LEGEND = "everybody: also without an account; users: with an account; +rule: where the rule holds"

_json = click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
_strict = click.option("--strict", is_flag=True, help="Warnings count as errors: exit status 1.")
_ignore = click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="CODE[:API]",
    help="Leave out findings of a kind, everywhere or of one API; may be repeated.",
)


def tls_files(command: "Callable[..., object]") -> "Callable[..., object]":
    """The options that say which certificate the server uses."""
    cert = click.option(
        "--tls-cert",
        envvar="TLS_CERT",
        show_envvar=True,
        type=click.Path(path_type=Path),
        help="The certificate that the server is told to use, PEM.",
    )
    key = click.option(
        "--tls-key",
        envvar="TLS_KEY",
        show_envvar=True,
        type=click.Path(path_type=Path),
        help="Its private key, PEM.",
    )
    return cert(key(command))


@click.group(invoke_without_command=True)
@_json
@_strict
@_ignore
@tls_files
@click.pass_context
def check(
    ctx: click.Context,
    as_json: bool,
    strict: bool,
    ignored: tuple[str, ...],
    tls_cert: Path | None,
    tls_key: Path | None,
) -> int:
    """
    Look for mistakes in configuration, migrations, access, secrets and TLS; writes nothing.

    Exit status 1 if something has to be mended.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    from dataclasses import replace

    from trailbase_server.cli.verdicts import show_verdicts
    from trailbase_server.server.depot_check import check_depot
    from trailbase_server.server.verdict import is_good

    options = replace(ctx.obj, tls_cert=tls_cert, tls_key=tls_key)
    verdicts = check_depot(options, os.environ, frozenset(ignored))
    show_verdicts(verdicts, as_json=as_json)
    return int(not is_good(verdicts, strict=strict))


@check.command()
@_json
@_strict
@_ignore
@click.pass_obj
def access(options: "ServerOptions", as_json: bool, strict: bool, ignored: tuple[str, ...]) -> int:
    """
    Show who may do what with each record API, and what looks like a mistake.

    The schema is that of the migrations, applied to empty databases elsewhere.
    """
    from trailbase_server.server.access_report import report_access
    from trailbase_server.server.configuration import check_configuration
    from trailbase_server.server.rehearsal import rehearse

    with rehearse(check_configuration(options), options.geoip_db_path) as rehearsal:
        report = report_access(rehearsal, frozenset(ignored))
    if as_json:
        import orjson

        click.echo(orjson.dumps(report.render(), option=orjson.OPT_INDENT_2).decode())
    else:
        show_access(report)
    return int(report.has_errors or (strict and bool(report.remarks)))


def show_access(report: "AccessReport") -> None:
    """Print a table of grants, and below it what was found."""
    if report.apis:
        operations = list(report.apis[0].grants)
        rows = [["api", *operations]]
        rows += [[api.name, *map(_cell, api.grants.values())] for api in report.apis]
        _print_table(rows)
        click.echo(f"\n{_LEGEND}")
    else:
        click.echo("There are no record APIs: nobody can read or write a record.")
    for remark in report.remarks:
        found = remark.finding
        click.echo(
            f"\n{remark.place}: {found.severity}: {found.api}: {found.message} ({found.code})"
        )
        click.echo(f"    {found.fix}")
    click.echo(f"\n{_count(report)}")


def _cell(grant: "Grant") -> str:
    return _CELLS[grant.who] + ("+rule" if grant.rule else "")


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


def _count(report: "AccessReport") -> str:
    errors = sum(remark.finding.severity == "error" for remark in report.remarks)
    warnings = len(report.remarks) - errors
    if not report.remarks:
        return "Nothing to remark."
    return f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}."
