"""How verdicts are printed, for people and for programs."""

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailbase_server.server.verdict import Verdict

COLORS = {"ok": "green", "skip": "bright_black", "warn": "yellow", "fail": "red"}


def show_verdicts(verdicts: "Sequence[Verdict]", *, as_json: bool) -> None:
    """Print one line a verdict, advice below it, and how many are bad; or one JSON document."""
    if as_json:
        import orjson

        document = {"checks": [verdict.render() for verdict in verdicts]}
        click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())
        return
    width = max((len(verdict.name) for verdict in verdicts), default=0)
    for verdict in verdicts:
        level = click.style(f"{verdict.level.value:<4}", fg=COLORS[verdict.level.value])
        click.echo(f"{level}  {verdict.name:<{width}}  {verdict.message}".rstrip())
        if verdict.advice:
            click.echo(f"{'':<{width + 8}}{verdict.advice}")
    failures = sum(verdict.level == "fail" for verdict in verdicts)
    warnings = sum(verdict.level == "warn" for verdict in verdicts)
    if failures or warnings:
        click.echo(f"\n{_count(failures, 'failure')}, {_count(warnings, 'warning')}.")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
