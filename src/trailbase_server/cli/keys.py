"""``trail keys …``: the key pair that signs tokens."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trailbase_server.server.options import ServerOptions


@click.group()
def keys() -> None:
    """Manage the keys that sign tokens."""


@keys.command()
@click.option(
    "--compromised",
    is_flag=True,
    help="The old key has leaked: it counts no more. Auth tokens, mailed links and recovery codes "
    "are void; sessions go on.",
)
@click.pass_obj
def rotate(options: "ServerOptions", *, compromised: bool) -> None:
    """
    Sign with a new key from now on.

    Tokens of the old one are good until they expire. A server that runs takes the new key over
    with SIGHUP or its next start.
    """
    import asyncio
    from datetime import UTC, datetime

    from trailbase_server.auth.key_rotation import keep_time, rotate_keys
    from trailbase_server.cli.in_depot import run_in_depot
    from trailbase_server.clock import SYSTEM_CLOCK
    from trailbase_server.server.audit import Deed
    from trailbase_server.server.configuration import load_configuration
    from trailbase_server.server.depot import KEYS

    config = load_configuration(options)
    keep_s = 0 if compromised else keep_time(config.auth)
    now_s = SYSTEM_CLOCK.now_s()
    deed = Deed("keys.rotate", after={"compromised": compromised})
    new = run_in_depot(
        options,
        lambda _: asyncio.to_thread(rotate_keys, options.depot / KEYS, now_s, keep_s),
        deed,
    )
    click.echo(f"New key: {new.name}")
    if compromised:
        click.echo("The old key counts no more: restart the server now", err=True)
    else:
        until = datetime.fromtimestamp(now_s + keep_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        click.echo(f"The old key verifies until {until}", err=True)


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.pass_obj
def list_keys(options: "ServerOptions", as_json: bool) -> None:
    """List the keys that verify tokens by their names, the one that signs first."""
    from trailbase_server.auth.keys import load_keys, thumbprint
    from trailbase_server.clock import SYSTEM_CLOCK
    from trailbase_server.server.configuration import load_configuration
    from trailbase_server.server.depot import KEYS

    load_configuration(options)
    public_keys = load_keys(options.depot / KEYS).verifying(SYSTEM_CLOCK.now())
    names = [thumbprint(public) for public in public_keys]
    if as_json:
        from trailbase_server.cli.shown_accounts import print_json

        print_json({"signing": names[0], "verifying": names})
        return
    for name in names:
        click.echo(name)
