"""
``trail admin …``: who may administrate (spec server/trail-admin-list-promote-user-demote-user).

Only the command line can promote and demote: an administrator cannot lock the others out.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trailbase_server.cli.in_depot import run_with_accounts
from trailbase_server.cli.shown_accounts import print_accounts, print_json, render_account
from trailbase_server.cli.user import with_user

if TYPE_CHECKING:
    from trailbase_server.auth.state import AuthState
    from trailbase_server.server.options import ServerOptions

PASSWORD_LENGTH = 20  # of letters and digits: 119 bits


@click.group()
def admin() -> None:
    """Manage administrators."""


@admin.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.pass_obj
def list_admins(options: "ServerOptions", as_json: bool) -> None:
    """List administrators, one a line, separated by tabs."""
    from trailbase_server.auth import users

    found = run_with_accounts(options, lambda state: users.list_admins(state.database))
    if as_json:
        print_json({"admins": [render_account(one) for one in found]})
    else:
        print_accounts(found)


@admin.command()
@click.argument("email")
@click.option(
    "--password-file",
    envvar="ADMIN_PASSWORD_FILE",
    show_envvar=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with the password.  [default: one is made up and shown once]",
)
@click.pass_obj
def create(options: "ServerOptions", email: str, password_file: Path | None) -> None:
    """Add an administrator whose address counts as verified."""
    from trailbase_server.auth import accounts
    from trailbase_server.crypto import random_text
    from trailbase_server.ids import render_uuid_text
    from trailbase_server.server.audit import Deed

    made_up = random_text(PASSWORD_LENGTH)
    password = made_up if password_file is None else _read_password(password_file)
    deed = Deed("user.create", after={"email": email, "verified": True, "admin": True})

    async def action(state: "AuthState") -> None:
        user_id = await accounts.add_administrator(state, email, password)
        deed.object = render_uuid_text(user_id)

    run_with_accounts(options, action, deed)
    click.echo(f"Added administrator '{email}'", err=True)
    if password_file is None:
        click.echo(f"Their password, shown this once: {made_up}", err=True)


def _read_password(path: Path) -> str:
    from trailbase_server.errors import OperatorError

    try:
        return path.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as exc:
        raise OperatorError(f"cannot read {path}: {exc}") from exc


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
