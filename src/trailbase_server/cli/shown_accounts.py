"""How accounts are shown on the command line; hashes and secrets never are."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trailbase_server.auth.users import User

ID_WIDTH = 36  # characters of a UUID


def render_account(user: "User") -> dict[str, Any]:
    """An account as a JSON object."""
    from trailbase_server.config.check import PROVIDER_KEYS
    from trailbase_server.ids import render_uuid_text

    return {
        "id": render_uuid_text(user.id),
        "email": user.email,
        "unverified_email": user.unverified_email,
        "username": user.username,
        "admin": user.admin,
        "has_password": user.password_hash is not None,
        "has_totp": user.totp_secret is not None,
        "provider": PROVIDER_KEYS.get(user.provider_id),
        "created": user.created,
        "updated": user.updated,
    }


def print_accounts(users: "Sequence[User]") -> None:
    """Print a line an account, cells separated by tabs."""
    from trailbase_server.ids import render_uuid_text

    click.echo(f"{'id':>{ID_WIDTH}}\temail\tcreated\tupdated")
    for user in users:
        cells = (
            render_uuid_text(user.id),
            user.email or "",
            render_time(user.created),
            render_time(user.updated),
        )
        click.echo("\t".join(cells))


def print_json(document: Any) -> None:
    """Print a JSON document."""
    import orjson

    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode())


def render_time(unix_s: int) -> str:
    """A moment as RFC 3339 has it."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
