"""``trail migration``: an empty file for the next change of the schema, and what is applied."""

from typing import TYPE_CHECKING

import click

from trailbase_server.server.options import ServerOptions

if TYPE_CHECKING:
    from trailbase_server.server.histories import History

NEW = "new-file"  # no suffix can be called like that


class _Migration(click.Group):
    """``trail migration SUFFIX DB``, as the reference has it, with commands beside it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take what names no command for the arguments of ``new``."""
        words = [word for word in args if not word.startswith("-")]
        # Who asks for help or for completions wants to hear of all that there is.
        is_asking = ctx.resilient_parsing or any(word in ctx.help_option_names for word in args)
        if not is_asking and (not words or words[0] not in self.commands):
            args = [NEW, *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Migration, subcommand_metavar="[SUFFIX] [DB] | status")
def migration() -> None:
    """
    Make an empty migration, or show which are applied.

    SUFFIX says in letters, digits and underscores what it does; DB is the name of a configured
    database.
    """


@migration.command(NEW)
@click.argument("suffix", default="update")
@click.argument("database", metavar="[DB]", default="main")
@click.option("--json", "as_json", is_flag=True, help="Print the path as a JSON object.")
@click.pass_obj
def make_migration(options: ServerOptions, suffix: str, database: str, as_json: bool) -> None:
    """Make an empty migration, whatever it is called."""
    from trailbase_server.clock import SYSTEM_CLOCK
    from trailbase_server.migrations.files import EMPTY_MIGRATION, create_migration_file

    if not database.replace("-", "").replace("_", "").isalnum() or not database.isascii():
        raise click.BadParameter(
            f"'{database}' is no name of a database: letters, digits, _ and - only",
            param_hint="DB",
        )
    directory = options.depot / "migrations" / database
    path = create_migration_file(directory, suffix, EMPTY_MIGRATION, SYSTEM_CLOCK.now_s())
    if as_json:
        import orjson

        click.echo(orjson.dumps({"path": str(path)}).decode())
    else:
        click.echo(f'Created empty migration file: "{path}"', err=True)


@migration.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.option("--own", is_flag=True, help="Show the server's own migrations too.")
@click.pass_obj
def status(options: ServerOptions, as_json: bool, own: bool) -> int:
    """
    Show which migrations are applied and which wait; writes nothing.

    Exit status 1 if the next start would fail because of them.
    """
    from trailbase_server.server.configuration import load_configuration
    from trailbase_server.server.histories import read_histories

    histories = read_histories(options.depot, load_configuration(options))
    if as_json:
        import orjson

        document = {"databases": [history.render() for history in histories]}
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
    else:
        for history in histories:
            _show(history, own=own)
    return int(any(history.plan.problems for history in histories))


def _show(history: "History", *, own: bool) -> None:
    made = "" if history.exists else ": not made yet"
    click.echo(f"{history.database}{made}")
    changed = {migration.version for migration in history.plan.divergent}
    for row in history.applied:
        if own or row.version not in history.own:
            word = "changed" if row.version in changed else "applied"
            click.echo(f"  {word}  {row.version}__{row.name}")
    for migration in history.plan.pending:
        if own or migration.version not in history.own:
            click.echo(f"  pending  {migration.version}__{migration.name}")
    for problem in history.plan.problems:
        click.echo(f"  problem  {problem}")
