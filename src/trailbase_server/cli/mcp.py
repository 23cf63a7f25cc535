"""``trail mcp``: a running server's operations as tools of the Model Context Protocol."""

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from trailbase_server.mcp.proxy import Tokens
    from trailbase_server.server.options import ServerOptions

DEFAULT_ADDRESS = "http://localhost:4000"


@click.command()
@click.argument("address", default=DEFAULT_ADDRESS, metavar="[ADDRESS]")
@click.option(
    "--tokens",
    envvar="TOKENS",
    show_envvar=True,
    help="Of whom calls are made in the name, as `trail user mint` prints them.",
)
@click.option("--user", help="Log this user of the depot in, for twelve hours.")
@click.option("--read-only", is_flag=True, help="Only tools that change nothing.")
@click.option(
    "--tools",
    "patterns",
    multiple=True,
    metavar="NAME",
    help="Only tools of this name; * stands for anything. Can be repeated.",
)
@click.pass_obj
def mcp(
    options: "ServerOptions",
    address: str,
    tokens: str | None,
    user: str | None,
    read_only: bool,
    patterns: tuple[str, ...],
) -> None:
    """
    Speak the Model Context Protocol on standard input and output.

    ADDRESS is the URL of a running server, http://localhost:4000 unless given. Whoever speaks to
    this process may do there what the user may.
    """
    if (tokens is None) == (user is None):
        raise click.UsageError("one of --tokens and --user is needed")
    import httpx

    from trailbase_server.mcp.proxy import CALL_TIMEOUT_S, Proxy, parse_tokens
    from trailbase_server.mcp.stdio import ToolServer, serve_tools
    from trailbase_server.mcp.tools import build_tools
    from trailbase_server.server.openapi import (
        administration_routes,
        build_document,
        public_routes,
    )

    document = build_document(public_routes() + administration_routes())
    tools = build_tools(document, read_only=read_only, patterns=patterns)
    if not tools:
        raise click.UsageError("no tool has such a name")
    base = _check_address(address)
    credentials = parse_tokens(tokens) if tokens is not None else _mint(options, user or "")
    with httpx.Client(base_url=base, timeout=CALL_TIMEOUT_S, follow_redirects=False) as client:
        proxy = Proxy(client, credentials)
        was_renewed = proxy.sign_in()
        click.echo(f"tokens refreshed: {str(was_renewed).lower()}", err=True)
        click.echo("start listening on stdio", err=True)
        serve_tools(ToolServer(tools, proxy), sys.stdin.buffer, sys.stdout.buffer)


def _check_address(address: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError(f"'{address}' is no http or https URL")
    return address


def _mint(options: "ServerOptions", user: str) -> "Tokens":
    from trailbase_server.auth import accounts
    from trailbase_server.cli.user import with_user
    from trailbase_server.mcp.proxy import Tokens

    _, session = with_user(options, user, accounts.mint_tokens, "session.mint")
    identity = session.identity
    return Tokens(identity.token, session.refresh_token, identity.csrf_token)
