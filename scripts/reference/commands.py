"""``command-line.md``: the help of every command of ``trail``."""

from collections.abc import Iterator

import click

from trailbase_server.cli.main import trail

WIDTH = 100  # characters of a line of help
HEAD = """\
# Command line

`trail` without a command shows its help, `trail COMMAND --help` that of a command. Exit status: 0
done, 1 something to mend (`Error: …` on standard error), 2 wrong usage. Options with an
environment variable can be set by it.
"""


def render_commands() -> str:
    """Render the page."""
    settings = {**trail.context_settings, "terminal_width": WIDTH}
    context = click.Context(trail, info_name="trail", **settings)
    return "\n".join((HEAD, *_sections(context)))


def _sections(context: click.Context) -> Iterator[str]:
    help_text = context.command.get_help(context)
    yield f"## `{context.command_path}`\n\n```text\n{help_text}\n```\n"
    if not isinstance(context.command, click.Group):
        return
    for name in context.command.list_commands(context):
        command = context.command.get_command(context, name)
        if command is not None and not command.hidden:
            yield from _sections(click.Context(command, parent=context, info_name=name))
