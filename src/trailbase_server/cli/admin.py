"""
``trail admin …``: who may administrate (spec server/trail-admin-list-promote-user-demote-user).

Only the command line can promote and demote: an administrator cannot lock the others out.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from trailbase_server.cli.in_depot import run_with_accounts
from trailbase_server.cli.user import with_user

if TYPE_CHECKING:
    from trailbase_server.server.options import ServerOptions

ID_WIDTH = 36  # characters of a UUID


@click.group()
def admin() -> None:
    """Manage administrators."""


@admin.command("list")
@click.pass_obj
def list_admins(options: "ServerOptions") -> None:
    """List administrators, one a line, separated by tabs."""
    from trailbase_server.auth import users
    from trailbase_server.ids import render_uuid_text

    found = run_with_accounts(options, lambda state: users.list_admins(state.database))
    click.echo(f"{'id':>{ID_WIDTH}}\temail\tcreated\tupdated")
    for user in found:
        cells = (
            render_uuid_text(user.id),
            user.email or "",
            _render_time(user.created),
            _render_time(user.updated),
        )
        click.echo("\t".join(cells))


@admin.command()
@click.argument("user", metavar="USER")
@click.pass_obj
def promote(options: "ServerOptions", user: str) -> None:
    """Make a user an administrator, at once."""
    from trailbase_server.auth import accounts

    user_id, _ = with_user(
        options,
        user,
        lambda state, who: accounts.set_administrator(state, who, admin=True),
        "user.promote",
        admin=True,
    )
    click.echo(f"Promoted user to admin for '{user_id}'", err=True)


@admin.command()
@click.argument("user", metavar="USER")
@click.pass_obj
def demote(options: "ServerOptions", user: str) -> None:
    """Make an administrator an ordinary user, at once, and end their sessions."""
    from trailbase_server.auth import accounts

    user_id, _ = with_user(
        options,
        user,
        lambda state, who: accounts.set_administrator(state, who, admin=False),
        "user.demote",
        admin=False,
    )
    click.echo(f"Demoted admin to user for '{user_id}'", err=True)


def _render_time(unix_s: int) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
