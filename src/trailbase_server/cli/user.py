"""
``trail user …``: accounts from the command line (spec server/trail-user).

A user is named by e-mail address, id (UUID or base64) or username. What has been done is said on
standard error; standard output is for results.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from trailbase_server.cli.in_depot import run_with_accounts
from trailbase_server.cli.shown_accounts import (
    print_accounts,
    print_json,
    render_account,
    render_time,
)

if TYPE_CHECKING:
    from trailbase_server.auth.state import AuthState
    from trailbase_server.auth.users import User
    from trailbase_server.server.options import ServerOptions

R = TypeVar("R")

DEFAULT_LIMIT = 100  # accounts that a person may want to look at
MAX_LIMIT = 100_000  # some 30 MB of JSON
_SAID = {"None": "", "True": "yes", "False": "no"}
_json = click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")


@click.group()
def user() -> None:
    """Manage users."""


def with_user(
    options: "ServerOptions",
    reference: str,
    action: Callable[["AuthState", "User"], Awaitable[R]],
    deed: str,
    **after: object,
) -> tuple[str, R]:
    """
    Run an action on one user, and record it.

    Args:
        options: Which depot.
        reference: Who is meant.
        action: Gets the user.
        deed: What the action does, as the audit log calls it.
        after: What will be different, by name.

    Returns:
        The user's id as UUID text, and what the action returned.

    Raises:
        OperatorError: There is no such user, or the action says so.
    """
    from trailbase_server.auth.accounts import find_account
    from trailbase_server.ids import render_uuid_text
    from trailbase_server.server.audit import Deed

    recorded = Deed(deed, reference, after={"reference": reference, **after})

    async def run(state: "AuthState") -> tuple[str, R]:
        found = await find_account(state, reference)
        recorded.object = render_uuid_text(found.id)
        return recorded.object, await action(state, found)

    return run_with_accounts(options, run, recorded)


@user.command("list")
@click.argument("search", default="", metavar="[TEXT]")
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_LIMIT),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="How many at most.",
)
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave out so many first.")
@_json
@click.pass_obj
def list_users(
    options: "ServerOptions", search: str, limit: int, offset: int, as_json: bool
) -> None:
    """List users, the newest first; with TEXT those with it in their address or name."""
    from trailbase_server.auth.users import search_users

    found = run_with_accounts(
        options, lambda state: search_users(state.database, search, limit, offset)
    )
    if as_json:
        print_json({"users": [render_account(one) for one in found]})
    else:
        print_accounts(found)


@user.command()
@click.argument("user", metavar="USER")
@_json
@click.pass_obj
def show(options: "ServerOptions", user: str, as_json: bool) -> None:
    """Show what is known of a user, but for hashes and secrets."""
    from trailbase_server.auth.accounts import find_account
    from trailbase_server.auth.sessions import list_sessions_of
    from trailbase_server.clock import SYSTEM_CLOCK

    async def look(state: "AuthState") -> "tuple[User, int]":
        found = await find_account(state, user)
        now_s = SYSTEM_CLOCK.now_s()
        sessions = await list_sessions_of(state.session_database, found.id, None, now_s)
        return found, len(sessions)

    found, sessions = run_with_accounts(options, look)
    shown = {**render_account(found), "sessions": sessions}
    if as_json:
        print_json(shown)
        return
    times = {name: render_time(shown[name]) for name in ("created", "updated")}
    for name, value in {**shown, **times}.items():
        click.echo(f"{name}: {_SAID.get(str(value), value)}".rstrip())


@user.command("change-password")
@click.argument("user", metavar="USER")
@click.argument("password")
@click.pass_obj
def change_password(options: "ServerOptions", user: str, password: str) -> None:
    """Set a user's password and end their sessions."""
    from trailbase_server.auth import accounts

    user_id, _ = with_user(
        options,
        user,
        lambda state, who: accounts.change_password(state, who, password),
        "user.update",
        password=password,
    )
    click.echo(f"Updated password for '{user_id}'", err=True)


@user.command("change-email")
@click.argument("user", metavar="USER")
@click.argument("email", metavar="NEW_EMAIL")
@click.pass_obj
def change_email(options: "ServerOptions", user: str, email: str) -> None:
    """Set a user's verified e-mail address and end their sessions."""
    from trailbase_server.auth import accounts

    user_id, _ = with_user(
        options,
        user,
        lambda state, who: accounts.change_email(state, who, email),
        "user.update",
        email=email,
    )
    click.echo(f"Updated email for '{user_id}'", err=True)


@user.command("change-username")
@click.argument("user", metavar="USER")
@click.argument("username", metavar="NEW_USERNAME")
@click.pass_obj
def change_username(options: "ServerOptions", user: str, username: str) -> None:
    """Set a user's name."""
    from trailbase_server.auth import accounts

    with_user(
        options,
        user,
        lambda state, who: accounts.change_username(state, who, username),
        "user.update",
        username=username,
    )


@user.command("disable-totp")
@click.argument("user", metavar="USER")
@click.pass_obj
def disable_totp(options: "ServerOptions", user: str) -> None:
    """Switch off the second factor of a user who has lost it, and end their sessions."""
    from trailbase_server.auth import accounts

    user_id, _ = with_user(options, user, accounts.disable_second_factor, "user.update", totp=None)
    click.echo(f"Switched off the second factor of '{user_id}'", err=True)


@user.command()
@click.argument("email")
@click.argument("password")
@click.pass_obj
def add(options: "ServerOptions", email: str, password: str) -> None:
    """Add a user whose address counts as verified."""
    from trailbase_server.auth import accounts
    from trailbase_server.ids import render_uuid_text
    from trailbase_server.server.audit import Deed

    deed = Deed("user.create", after={"email": email, "verified": True})

    async def action(state: "AuthState") -> None:
        deed.object = render_uuid_text(await accounts.add_user(state, email, password))

    run_with_accounts(options, action, deed)
    click.echo(f"Added user '{email}'", err=True)


@user.command()
@click.argument("user", metavar="USER")
@click.pass_obj
def delete(options: "ServerOptions", user: str) -> None:
    """Delete a user and their sessions."""
    from trailbase_server.auth import accounts

    with_user(options, user, accounts.remove_user, "user.delete")
    click.echo(f"Deleted user '{user}'", err=True)


@user.command()
@click.argument("user", metavar="USER")
@click.argument("verified", default="true", type=click.Choice(["true", "false"]))
@click.pass_obj
def verify(options: "ServerOptions", user: str, verified: str) -> None:
    """Confirm a user's e-mail address, or take that back."""
    from trailbase_server.auth import accounts

    user_id, _ = with_user(
        options,
        user,
        lambda state, who: accounts.verify_user(state, who, verified=verified == "true"),
        "user.update",
        verified=verified == "true",
    )
    click.echo(f"Set verified={verified} for '{user_id}'", err=True)


@user.command("invalidate-session")
@click.argument("user", metavar="USER")
@click.pass_obj
def invalidate_session(options: "ServerOptions", user: str) -> None:
    """End all sessions of a user. Auth tokens go on until they expire."""
    from trailbase_server.auth import accounts

    with_user(options, user, accounts.end_sessions, "session.end")
    click.echo(f"Sessions invalidated for '{user}'", err=True)


@user.command()
@click.argument("user", metavar="USER")
@click.option("--json", "as_json", is_flag=True, help="Print the tokens as a JSON object.")
@click.pass_obj
def mint(options: "ServerOptions", user: str, as_json: bool) -> None:
    """Make an auth and a refresh token that are valid for twelve hours."""
    from base64 import b64encode

    import orjson

    from trailbase_server.auth import accounts

    _, session = with_user(options, user, accounts.mint_tokens, "session.mint")
    auth_token, refresh_token = session.identity.token, session.refresh_token
    if as_json:
        print_json({"auth_token": auth_token, "refresh_token": refresh_token})
        return
    click.echo(f'auth: "Bearer {auth_token}"', err=True)
    click.echo(f'🔄: "{refresh_token}"', err=True)
    both = orjson.dumps({"auth_token": auth_token, "refresh_token": refresh_token})
    click.echo(b64encode(both).decode("ascii"))


@user.command("import")
@click.option(
    "--auth0-json",
    "auth0_json",
    type=click.Path(path_type=Path),
    help="Export of Auth0: one JSON object a line.",
)
@click.option("-n", "--dry-run", is_flag=True, help="Parse the file and write nothing.")
@click.pass_obj
def import_users(options: "ServerOptions", auth0_json: Path | None, dry_run: bool) -> None:
    """Import users with their password hashes: all of them, or none."""
    from trailbase_server.auth import accounts
    from trailbase_server.auth.imports import parse_import
    from trailbase_server.errors import OperatorError
    from trailbase_server.server.audit import Deed

    if auth0_json is None:
        raise OperatorError("Missing '--auth0_json' path")
    try:
        users = parse_import(auth0_json.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as exc:
        raise OperatorError(f"cannot read {auth0_json}: {exc}") from exc
    click.echo(f"Importing {len(users)} users.", err=True)
    if not dry_run:
        run_with_accounts(
            options,
            lambda state: accounts.import_users(state, users),
            Deed("user.import", auth0_json.name, after={"users": len(users)}),
        )
