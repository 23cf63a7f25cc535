"""
``trail config …``: what runs and why, whether it is right, and what differs from another one.

The depot is only read; secrets are shown on demand only.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from trailbase_server.config.proto.config_pb2 import Config
    from trailbase_server.server.options import ServerOptions

_json = click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
_secrets = click.option(
    "--secrets/--redacted",
    "with_secrets",
    default=False,
    help="Show secrets as they are, or as <REDACTED>.  [default: redacted]",
)


@click.group()
def config() -> None:
    """Show, check and compare the configuration."""


@config.command()
@_secrets
@click.option(
    "--provenance",
    is_flag=True,
    help="One field a line, with the line of the file, the variable or the vault it comes from.",
)
@click.option(
    "--unset",
    is_flag=True,
    help="With --provenance or --json: also fields that have their default.",
)
@_json
@click.pass_obj
def show(
    options: "ServerOptions", with_secrets: bool, provenance: bool, unset: bool, as_json: bool
) -> None:
    """Show what would run: file, secrets and environment together."""
    from trailbase_server.config.load import load_config
    from trailbase_server.config.provenance import list_settings
    from trailbase_server.config.textproto import render_text
    from trailbase_server.config.vault import redact

    loaded = load_config(options.depot, os.environ, create=False)
    if not provenance and not as_json:
        click.echo(render_text(loaded.config if with_secrets else redact(loaded.config)))
        return
    rows = [
        {
            "path": setting.path,
            "value": setting.value if with_secrets else setting.redacted(),
            "origin": setting.origin,
            "secret": setting.is_secret,
        }
        for setting in list_settings(loaded, unset=unset)
    ]
    if as_json:
        _print_json({"hash": loaded.hash, "settings": rows})
        return
    for row in rows:
        click.echo(f"{row['path']}: {_render(row['value'])}  # {row['origin']}")


@config.command()
@_json
@click.pass_obj
def check(options: "ServerOptions", as_json: bool) -> int:
    """
    Find all mistakes, with file, line and column; exit status 1 if there are any.

    The schema is that of the migrations, applied to empty databases elsewhere.
    """
    from trailbase_server.server.config_report import find_mistakes

    mistakes = find_mistakes(options.depot, os.environ, options.geoip_db_path)
    if as_json:
        _print_json({"mistakes": [mistake.render() for mistake in mistakes]})
    elif mistakes:
        for mistake in mistakes:
            click.echo(str(mistake))
    else:
        click.echo("The configuration is right.", err=True)
    return int(bool(mistakes))


@config.command()
@click.argument("other", required=False, type=click.Path(exists=True, path_type=Path))
@click.option("--previous", is_flag=True, help="Compare with what an update replaced last.")
@click.option("--exit-code", is_flag=True, help="Exit status 1 if there are differences.")
@_json
@click.pass_obj
def diff(
    options: "ServerOptions",
    other: Path | None,
    previous: bool,
    exit_code: bool,
    as_json: bool,
) -> int:
    """
    Show what differs from OTHER, a depot or a file; without it, from a new depot.

    Compared are the files, not the environment; secrets are, where both are depots.
    """
    from trailbase_server.config.changes import list_changes
    from trailbase_server.config.load import load_config
    from trailbase_server.config.vault import redact

    if previous and other is not None:
        raise click.UsageError("give either OTHER or --previous")
    ours = load_config(options.depot, {}, create=False).own
    if previous:
        from trailbase_server.config.store import BACKUP_FILE

        other = options.depot / BACKUP_FILE
    theirs, is_depot = _read_other(other)
    before, after = list_changes(*((theirs, ours) if is_depot else (redact(theirs), redact(ours))))
    if as_json:
        _print_json({"before": before, "after": after})
    else:
        for path in dict.fromkeys((*before, *after)):
            for sign, side in (("-", before), ("+", after)):
                if path in side:
                    click.echo(f"{sign} {path}: {_render(side[path])}")
    return int(exit_code and bool(before or after))


def _read_other(other: Path | None) -> "tuple[Config, bool]":
    """Read what to compare with, and say whether its secrets are known."""
    from trailbase_server.config.defaults import default_config
    from trailbase_server.config.fields import complete
    from trailbase_server.config.load import load_config, parse_config
    from trailbase_server.errors import OperatorError

    if other is None:
        return default_config(), False
    if other.is_dir():
        return load_config(other, {}, create=False).own, True
    try:
        content = other.read_bytes()
    except OSError as exc:
        raise OperatorError(f"cannot read {other}: {exc.strerror}") from exc
    stored, _, mistakes = parse_config(content)
    if mistakes:
        lines = [f"{other}:{m.line}:{m.column}: {m.message}" for m in mistakes]
        raise OperatorError("\n".join(lines))
    return complete(stored), False


def _render(value: Any) -> str:
    import orjson

    return "not set" if value is None else orjson.dumps(value).decode()


def _print_json(document: dict[str, Any]) -> None:
    import orjson

    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
