"""
``command-line.md``: every command of ``trail``, with its arguments and options.

Written from what the commands declare, not from their ``--help``: how that looks depends on the
version of the library that prints it.
"""

import inspect
import re
from collections.abc import Iterator

import click

from trailbase_server.cli.main import trail

from .markdown import code, table

_TOLD_DEFAULT = re.compile(r"\s*\[default: (.*)\]")  # one that is worked out
HEAD = """\
# Command line

`trail` without a command shows its help, `trail COMMAND --help` that of a command. Exit status: 0
done, 1 something to mend (`Error: …` on standard error), 2 wrong usage. An option with a variable
can be set in the environment too.
"""


def render_commands() -> str:
    """Render the page."""
    return "\n".join((HEAD, *_sections(click.Context(trail, info_name="trail"))))


def _sections(context: click.Context) -> Iterator[str]:
    command = context.command
    yield f"## `{context.command_path}`\n\n{render_command(command, context.command_path)}"
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if found is not None and not found.hidden:
            yield from _sections(click.Context(found, parent=context, info_name=name))


def render_command(command: click.Command, path: str) -> str:
    """
    Render what a command declares.

    Args:
        command: Of click.
        path: How it is called, such as ``trail user add``.
    """
    arguments = [_argument(one) for one in command.params if isinstance(one, click.Argument)]
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    words = [path, *(["[OPTIONS]"] if options else []), *arguments]
    if isinstance(command, click.Group):
        words.append("[COMMAND]" if command.invoke_without_command else "COMMAND")
    parts = [f"`{' '.join(words)}`\n", *_paragraphs(command.help or "")]
    rows = [(_names(one), *_meaning(one), _variable(one)) for one in options]
    if rows:
        parts.append(table(("option", "meaning", "default", "variable"), rows))
    return "\n".join(parts)


def _paragraphs(text: str) -> Iterator[str]:
    """One a paragraph; what click must not wrap (``\\b``) stays as it is."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b\n"):
            yield f"```text\n{paragraph[2:]}\n```\n"
        else:
            yield f"{' '.join(paragraph.split())}\n"


def _argument(argument: click.Argument) -> str:
    text = argument.metavar or _value(argument)
    return text if argument.required or text.startswith("[") else f"[{text}]"


def _names(option: click.Option) -> str:
    names = [*option.opts, *option.secondary_opts]
    if not (option.is_flag or option.count):
        names[-1] += f" {option.metavar or _value(option)}"
    return ", ".join(map(code, names))


def _value(parameter: click.Parameter) -> str:
    kind = parameter.type
    if isinstance(kind, click.Choice):
        return "|".join(map(str, kind.choices))
    if isinstance(kind, click.Path):
        return "PATH"
    if isinstance(kind, click.DateTime):
        return "TIME"
    if isinstance(kind, (click.types.IntParamType, click.types.FloatParamType)):
        return "NUMBER"
    return (parameter.name or "").upper()


def _meaning(option: click.Option) -> tuple[str, str]:
    """What it is for; its default, where there is one to tell, and the range of a number."""
    text = option.help or ""
    told = _TOLD_DEFAULT.search(text)
    default = told[1] if told else ""
    if option.show_default:
        values = option.default if isinstance(option.default, list | tuple) else [option.default]
        default = ", ".join(code(value) for value in values)
    return _TOLD_DEFAULT.sub("", text), f"{default} {_range(option.type)}".strip()


def _range(kind: object) -> str:
    if not isinstance(kind, click.IntRange | click.FloatRange):
        return ""
    words = []
    if kind.min is not None:
        words.append(f"{'above' if kind.min_open else 'from'} {kind.min}")
    if kind.max is not None:
        words.append(f"{'below' if kind.max_open else 'to'} {kind.max}")
    return f"({' '.join(words)})"


def _variable(option: click.Option) -> str:
    return code(option.envvar) if option.show_envvar and isinstance(option.envvar, str) else ""
