"""
``trail``: global options, the list of commands, and how failures end.

Exit status: 0 done, 1 something the operator has to mend (``Error: …`` on standard error), 2 wrong
usage. A command's module is imported when the command is used.
"""

import os
import signal
import sys
from importlib import import_module
from pathlib import Path

import click

from trailbase_server import WIRE_VERSION, __version__
from trailbase_server.errors import AppError, OperatorError
from trailbase_server.server.options import DEFAULT_DEPOT, ServerOptions

COMMANDS = {
    "run": "run:run",
    "health": "health:health",
    "check": "check:check",
    "config": "config:config",
    "doctor": "doctor:doctor",
    "schema": "schema:schema",
    "openapi": "openapi:openapi",
    "mcp": "mcp:mcp",
    "components": "components:components",
    "migration": "migration:migration",
    "user": "user:user",
    "admin": "admin:admin",
    "keys": "keys:keys",
    "jobs": "jobs:jobs",
    "logs": "logs:logs",
    "audit": "audit:audit",
    "backups": "backups:backups",
    "replicate": "replicate:replicate",
    "email": "email:email",
    "completion": "completion:completion",
    "version": "main:show_version",
    "help": "main:show_help",
}
INTERRUPTED = 130  # 128 + SIGINT, as shells report it
FIRST_PROCESS = 1  # of a container


class LazyGroup(click.Group):
    """A group whose commands are imported on demand, listed in the order of ``COMMANDS``."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Names in the order in which help shows them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command; None for an unknown name."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(import_module(f"trailbase_server.cli.{module}"), name)
        return command


def _print_version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    _show_versions()
    ctx.exit()


def _show_versions() -> None:
    import apsw

    click.echo(f"trail v{__version__} (wire protocol of {WIRE_VERSION})")
    click.echo(f"sqlite: {apsw.sqlite_lib_version()}")


def _check_url(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(value)
        is_absolute = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port  # raises for a port that is no number
    except ValueError as exc:
        raise click.BadParameter(f"'{value}' is not a URL: {exc}") from exc
    if not is_absolute:
        raise click.BadParameter(f"'{value}' is not an absolute http or https URL")
    return value


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--depot",
    envvar="DEPOT",
    type=click.Path(path_type=Path),
    show_envvar=True,
    help=f"Directory of the depot, made on demand.  [default: {DEFAULT_DEPOT}]",
)
@click.option("--data-dir", envvar="DATA_DIR", type=click.Path(path_type=Path), hidden=True)
@click.option(
    "--public-url",
    envvar="PUBLIC_URL",
    show_envvar=True,
    callback=_check_url,
    metavar="URL",
    help="Where users reach the server; overrides the site URL of the configuration.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the versions of trail and SQLite.",
)
@click.pass_context
def trail(
    ctx: click.Context, depot: Path | None, data_dir: Path | None, public_url: str | None
) -> None:
    """Turn a directory with migrations and a configuration into a production back end."""
    if depot is not None and data_dir is not None:
        raise click.UsageError("--data-dir is the old name of --depot: give only one of them")
    ctx.obj = ServerOptions(depot=depot or data_dir or Path(DEFAULT_DEPOT), public_url=public_url)
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
        return
    from trailbase_server.cli.logging import QUIET, SERVING, configure_logging

    configure_logging(SERVING if ctx.invoked_subcommand == "run" else QUIET)
    if data_dir is not None:
        from logging import getLogger

        getLogger(__name__).warning("--data-dir and DATA_DIR are deprecated: use --depot or DEPOT")


@click.command("help", add_help_option=False)
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def show_help(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Show the help of a command."""
    at = ctx.find_root()
    for word in words:
        command = at.command.get_command(at, word) if isinstance(at.command, click.Group) else None
        if command is None:
            raise click.UsageError(f"No such command '{' '.join(words)}'.", at)
        at = click.Context(command, parent=at, info_name=word)
    click.echo(at.get_help())


@click.command("version")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show_version(as_json: bool) -> None:
    """Show the versions of trail, of the wire protocol and of SQLite."""
    if not as_json:
        _show_versions()
        return
    import apsw
    import orjson

    versions = {"trail": __version__, "wire": WIRE_VERSION, "sqlite": apsw.sqlite_lib_version()}
    click.echo(orjson.dumps(versions).decode())


def run_command(arguments: list[str]) -> int:
    """
    Run the command line.

    Args:
        arguments: Without the program's name.

    Returns:
        Exit status.

    Spec:
        server/general
    """
    try:
        result = trail.main(arguments, prog_name="trail", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as exc:
        # A group without a command: asking for help is no mistake.
        click.echo(exc.ctx.get_help() if exc.ctx else str(exc))
        return 0
    except click.ClickException as exc:
        exc.show()
        return exc.exit_code
    except (OperatorError, AppError) as exc:
        for line in str(exc).splitlines() or [type(exc).__name__]:
            click.echo(f"Error: {line}", err=True)
        return 1
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return result if isinstance(result, int) else 0


def _end(number: int, _frame: object) -> None:
    os._exit(128 + number)


def main() -> None:
    """Entry point of the ``trail`` program."""
    if os.getpid() == FIRST_PROCESS:
        # The kernel ends nobody else's init, so a stop would wait for its time-out. The server
        # handles the signal better once it is up.
        signal.signal(signal.SIGTERM, _end)
    sys.exit(run_command(sys.argv[1:]))
