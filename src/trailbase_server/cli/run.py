"""``trail run``: serve a depot."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click

from trailbase_server.server.options import DEFAULT_ADDRESS, ServerOptions

MAX_THREADS = 1024  # far more than any machine has use for


@click.command()
@click.option(
    "-a",
    "--address",
    envvar="ADDRESS",
    default=DEFAULT_ADDRESS,
    show_default=True,
    show_envvar=True,
    metavar="HOST:PORT",
    help="Where to listen.",
)
@click.option(
    "--admin-address",
    envvar="ADMIN_ADDRESS",
    show_envvar=True,
    metavar="HOST:PORT|unix:PATH",
    help="Serve the admin API and the dashboard only here.",
)
@click.option(
    "--no-admin",
    envvar="NO_ADMIN",
    show_envvar=True,
    is_flag=True,
    help="Serve neither admin API nor dashboard.",
)
@click.option(
    "--public-dir",
    envvar="PUBLIC_DIR",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="Serve the files of this directory at /.",
)
@click.option(
    "--spa",
    envvar="SPA",
    show_envvar=True,
    is_flag=True,
    help="Answer unknown pages with the index.html of --public-dir.",
)
@click.option(
    "--geoip-db-path",
    envvar="GEOIP_DB_PATH",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="MaxMind database.  [default: GeoLite2-Country.mmdb in the depot]",
)
@click.option("--dev", is_flag=True, help="Local development: lenient and talkative.")
@click.option(
    "--cors-allowed-origins",
    multiple=True,
    default=["*"],
    show_default=True,
    metavar="ORIGIN",
    help="Origin whose pages may call the server. Repeatable.",
)
@click.option(
    "--runtime-threads",
    envvar="RUNTIME_THREADS",
    show_envvar=True,
    type=click.IntRange(0, MAX_THREADS),
    help="Threads for slow reads; 0: as many as fit the machine.",
)
@click.option(
    "--synchronous",
    envvar="SYNCHRONOUS",
    show_envvar=True,
    type=click.Choice(["FULL", "NORMAL"], case_sensitive=False),
    default="FULL",
    show_default=True,
    help="FULL: what is acknowledged is on disk; NORMAL: a power cut may lose the last writes.",
)
@click.option(
    "--disable-auth-ui",
    envvar="DISABLE_AUTH_UI",
    show_envvar=True,
    is_flag=True,
    help="Do not serve the account pages below /_/auth.",
)
@click.option(
    "--config-readonly",
    envvar="CONFIG_READONLY",
    show_envvar=True,
    is_flag=True,
    help="Refuse changes of the configuration through the admin API.",
)
@click.pass_obj
def run(general: ServerOptions, /, **given: object) -> int:
    """Serve the depot until SIGINT or SIGTERM; SIGHUP reads the configuration again."""
    from trailbase_server.server.serve import serve

    options = build_options(general, given)
    if options.dev:
        from trailbase_server.cli.logging import DEVELOPING, configure_logging

        configure_logging(DEVELOPING)
    return serve(options)


def build_options(general: ServerOptions, given: Mapping[str, object]) -> ServerOptions:
    """
    Put the options of a start together.

    Args:
        general: Those before ``run``.
        given: Those after it, by the names that both click and ``ServerOptions`` use.
    """
    return replace(general, **given)  # type: ignore[arg-type]  # a test compares the names
