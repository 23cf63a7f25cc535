"""``trail doctor``: what is the matter with the depot, the machine and what it needs of others."""

import os
from dataclasses import replace
from pathlib import Path

import click

from trailbase_server.cli.check import tls_files
from trailbase_server.server.options import DEFAULT_ADDRESS, ServerOptions


@click.command()
@click.option(
    "-a",
    "--address",
    envvar="ADDRESS",
    show_envvar=True,
    default=DEFAULT_ADDRESS,
    show_default=True,
    metavar="HOST:PORT",
    help="Where the server listens, or is to listen.",
)
@tls_files
@click.option("--offline", is_flag=True, help="Ask neither DNS nor mail server nor buckets.")
@click.option("--strict", is_flag=True, help="Warnings count as failures: exit status 1.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.pass_obj
def doctor(
    options: ServerOptions,
    address: str,
    tls_cert: Path | None,
    tls_key: Path | None,
    offline: bool,
    strict: bool,
    as_json: bool,
) -> int:
    """
    Say what is the matter, part by part, with advice; writes nothing, tells no secrets.

    Exit status 1 if something fails.
    """
    from trailbase_server.cli.verdicts import show_verdicts
    from trailbase_server.server.doctor import examine
    from trailbase_server.server.verdict import is_good

    given = replace(options, address=address, tls_cert=tls_cert, tls_key=tls_key)
    verdicts = examine(given, os.environ, offline=offline)
    show_verdicts(verdicts, as_json=as_json)
    return int(not is_good(verdicts, strict=strict))
