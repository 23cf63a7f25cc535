"""``trail migration``: make an empty file for the next change of the schema."""

import click

from trailbase_server.server.options import ServerOptions


@click.command()
@click.argument("suffix", default="update")
@click.argument("database", metavar="[DB]", default="main")
@click.pass_obj
def migration(options: ServerOptions, suffix: str, database: str) -> None:
    """
    Make an empty migration.

    SUFFIX says in letters, digits and underscores what it does; DB is the name of a configured
    database.
    """
    from trailbase_server.clock import SYSTEM_CLOCK
    from trailbase_server.migrations.files import EMPTY_MIGRATION, create_migration_file

    if not database.replace("-", "").replace("_", "").isalnum() or not database.isascii():
        raise click.BadParameter(
            f"'{database}' is no name of a database: letters, digits, _ and - only",
            param_hint="DB",
        )
    directory = options.depot / "migrations" / database
    path = create_migration_file(directory, suffix, EMPTY_MIGRATION, SYSTEM_CLOCK.now_s())
    click.echo(f'Created empty migration file: "{path}"', err=True)
