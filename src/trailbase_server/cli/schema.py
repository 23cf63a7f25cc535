"""``trail schema``: the JSON Schema of a record API."""

import asyncio

import click

from trailbase_server.server.options import ServerOptions

MODES = ("insert", "select", "update")


@click.command()
@click.argument("api", metavar="API")
@click.option(
    "--mode",
    envvar="MODE",
    show_envvar=True,
    type=click.Choice(MODES, case_sensitive=False),
    default=MODES[0],
    show_default=True,
    help="What the schema is for.",
)
@click.pass_obj
def schema(options: ServerOptions, api: str, mode: str) -> None:
    """Print the JSON Schema of the record API called API."""
    click.echo(asyncio.run(_render(options, api, mode)))


async def _render(options: ServerOptions, name: str, mode: str) -> str:
    import orjson

    from trailbase_server.errors import OperatorError
    from trailbase_server.records.json_schema import render_json_schema
    from trailbase_server.schema.json_schema import SchemaMode
    from trailbase_server.server.start import open_depot

    async with open_depot(options) as depot:
        plan = depot.records.apis.get(name)
        if plan is None:
            raise OperatorError(f"Could not find api: '{name}'")
        document = render_json_schema(
            plan, SchemaMode[mode.upper()], depot.records.catalog, depot.registry.schema
        )
    return orjson.dumps(orjson.loads(document), option=orjson.OPT_INDENT_2).decode()
