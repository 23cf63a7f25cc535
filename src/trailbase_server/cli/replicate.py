"""``trail replicate …``: what a Litestream that somebody else runs needs, and how it does."""

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trailbase_server.server.options import ServerOptions

FAILED = 1  # exit status of a replica that is late


@click.group()
def replicate() -> None:
    """See to continuous replication: see trail run --replicate."""


@replicate.command("config")
@click.argument("target", metavar="[URL|config]", default="config")
@click.pass_obj
def print_config(options: "ServerOptions", target: str) -> None:
    """
    Print litestream.yml for all databases of the depot, without keys.

    For a Litestream of your own, a sidecar: start the server once before, and then with
    --replicate sidecar.
    """
    from trailbase_server.replication.control import fits
    from trailbase_server.replication.render import render_config
    from trailbase_server.replication.settings import compile_replication
    from trailbase_server.server.configuration import load_configuration
    from trailbase_server.server.replication import control_socket, data_of, find_homes

    config = load_configuration(options)
    depot = options.depot.absolute()
    settings = compile_replication(target, config, depot, os.environ)
    homes = find_homes(depot, config)
    socket = control_socket(depot)
    text = render_config(
        settings, data_of(depot), homes, socket if fits(socket) else None, level="info"
    )
    click.echo(text, nl=False)


@replicate.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def print_status(ctx: click.Context, as_json: bool) -> None:
    """Show how far behind the replica of each database is; 1 if one is late."""
    import asyncio

    import orjson

    from trailbase_server.clock import SYSTEM_CLOCK
    from trailbase_server.errors import OperatorError
    from trailbase_server.replication.control import NoAnswerError, ask_databases
    from trailbase_server.replication.lag import LATE_S
    from trailbase_server.server.configuration import load_configuration
    from trailbase_server.server.replication import control_socket, data_of, find_homes

    options: ServerOptions = ctx.obj
    homes = find_homes(options.depot, load_configuration(options))
    socket, data = control_socket(options.depot), data_of(options.depot)
    try:
        listed = asyncio.run(ask_databases(socket))
    except NoAnswerError as exc:
        raise OperatorError(f"{exc}: is this depot replicated?") from exc
    shipped = {home: listed.get(str(data / home)) for home in homes}
    now = SYSTEM_CLOCK.now()
    lags = {
        home: None if at is None else round(max(0.0, now - at), 1) for home, at in shipped.items()
    }
    is_late = any(lag is None or lag > LATE_S for lag in lags.values())
    if as_json:
        click.echo(orjson.dumps({"lag_s": lags, "late": is_late}))
    else:
        for home, lag in lags.items():
            click.echo(f"{home}: {'nothing shipped yet' if lag is None else f'{lag} s behind'}")
    if is_late:
        ctx.exit(FAILED)
