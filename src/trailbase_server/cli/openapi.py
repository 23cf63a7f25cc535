"""``trail openapi``: the OpenAPI document of the server, or of one depot's record APIs."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trailbase_server.server.opened import OpenDepot
    from trailbase_server.server.options import ServerOptions


@click.group(invoke_without_command=True)
@click.option("--admin", is_flag=True, help="With the admin API.")
@click.option("--all", "ours", is_flag=True, help="With operations that only this server has.")
@click.option("--typed", is_flag=True, help="The record APIs of the depot, with their columns.")
@click.pass_context
def openapi(ctx: click.Context, admin: bool, ours: bool, typed: bool) -> None:
    """Print the OpenAPI document, JSON."""
    if typed and (admin or ours):
        raise click.UsageError("--typed is about the record APIs alone")
    ctx.meta["openapi"] = (admin, ours, typed)
    if ctx.invoked_subcommand is None:
        ctx.invoke(print_document)


@openapi.command("print")
@click.pass_context
def print_document(ctx: click.Context) -> None:
    """Print the document; what happens without a command too."""
    from trailbase_server.server.openapi import (
        administration_routes,
        build_document,
        public_routes,
        render_document,
    )

    admin, ours, typed = ctx.meta["openapi"]
    if typed:
        click.echo(_typed(ctx.obj))
        return
    routes = public_routes(ours=ours) + (administration_routes() if admin else [])
    click.echo(render_document(build_document(routes)).decode())


def _typed(options: "ServerOptions") -> str:
    from trailbase_server.cli.in_depot import run_in_depot
    from trailbase_server.server.openapi import render_document
    from trailbase_server.server.typed_openapi import build_typed_document

    async def action(depot: "OpenDepot") -> bytes:
        site = options.public_url or depot.config.config.server.site_url or None
        return render_document(build_typed_document(depot.records, site))

    return run_in_depot(options, action).decode()
