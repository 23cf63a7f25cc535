"""
``trail components …``: WebAssembly files in the depot's ``wasm/`` (spec server/trail-components).

Files come from this machine: the reference's own components are made for another server, and what
comes from elsewhere is fetched and checked by whoever wants it.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from trailbase_server.server.audit import Deed
    from trailbase_server.server.options import ServerOptions
    from trailbase_server.wasm.files import ComponentFiles

R = TypeVar("R")
_OWN = ("wasi", "root")  # namespaces that every component uses


@click.group()
def components() -> None:
    """List, add and remove components; the server does not run them yet."""


@components.command("list")
def list_components() -> None:
    """List the ids of the reference server's own components."""
    from trailbase_server.wasm.files import FIRST_PARTY

    click.echo("Components:\n")
    for name in FIRST_PARTY:
        click.echo(name)


@components.command()
@click.pass_obj
def installed(options: "ServerOptions") -> None:
    """List installed components with the interfaces they use."""
    import orjson

    from trailbase_server.errors import AppError

    files = _files(options)
    for path in files.installed():
        try:
            packages = files.packages(path)
        except AppError as exc:
            click.echo(f"{path} - {exc}")
            continue
        shown: list[dict[str, Any]] = [
            {
                "name": one.name,
                "namespace": one.namespace,
                "version": one.version,
                "worlds": [],
                "interfaces": one.interfaces,
            }
            for one in packages
            if one.namespace not in _OWN
        ]
        text = orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode()
        click.echo(f"{path} - interfaces: {text}")


@components.command()
@click.argument("reference", metavar="FILE")
@click.pass_obj
def add(options: "ServerOptions", reference: str) -> None:
    """Copy FILE, a .wasm or a .zip with such files, into the depot; same names are replaced."""
    from trailbase_server.errors import OperatorError
    from trailbase_server.server.audit import Deed
    from trailbase_server.wasm.files import FIRST_PARTY

    if reference in FIRST_PARTY:
        raise OperatorError(
            f"{reference} is made for the reference server and is not fetched: give a file"
        )
    if "://" in reference:
        raise OperatorError("nothing is fetched from a URL: download the file, check it, add it")
    deed = Deed("component.add", Path(reference).name)
    added = _change(options, deed, lambda files: files.add(Path(reference)))
    click.echo(f"Added: [{', '.join(str(path) for path in added)}]", err=True)


@components.command()
@click.argument("reference", metavar="NAME")
@click.pass_obj
def remove(options: "ServerOptions", reference: str) -> None:
    """Remove the file NAME of wasm/, or those of an id."""
    from trailbase_server.errors import OperatorError
    from trailbase_server.server.audit import Deed

    if "://" in reference:
        raise OperatorError("a URL is no installed component")
    deed = Deed("component.remove", reference)
    removed = _change(options, deed, lambda files: files.remove(reference))
    click.echo(f"Removed: [{', '.join(str(path) for path in removed)}]", err=True)


@components.command()
@click.pass_obj
def update(options: "ServerOptions") -> None:
    """Tell which components are not updated: all, as none is fetched."""
    for path in _files(options).installed():
        click.echo(f"Skipping {path}: add a newer file with `trail components add`", err=True)


def _files(options: "ServerOptions") -> "ComponentFiles":
    from trailbase_server.wasm.files import ComponentFiles

    return ComponentFiles(options.depot)


def _change(options: "ServerOptions", deed: "Deed", action: "Callable[[ComponentFiles], R]") -> R:
    from trailbase_server.cli.in_depot import run_in_depot

    async def run(_depot: object) -> R:
        return action(_files(options))

    return run_in_depot(options, run, deed)
