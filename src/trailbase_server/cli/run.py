"""``trail run``: serve a depot."""

import gc
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click

from trailbase_server.server.options import (
    DEFAULT_ACME_DIRECTORY,
    DEFAULT_ADDRESS,
    DEFAULT_SLOW_QUERY_MS,
    ServerOptions,
)

MAX_HOPS = 16  # proxies in a row: far more than anybody has
MAX_WAIT_S = 3600  # longer than any service manager waits
MAX_THREADS = 1024  # far more than any machine has use for


def _check_proxies(
    _context: click.Context, _parameter: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    if given:
        from trailbase_server.web.proxies import parse_proxies

        try:
            parse_proxies(given)
        except ValueError as exc:
            raise click.BadParameter(str(exc)) from exc
    return given


def _check_rate(
    _context: click.Context, _parameter: click.Parameter, given: str | None
) -> str | None:
    if given is not None:
        from trailbase_server.errors import OperatorError
        from trailbase_server.server.edge import parse_rate

        try:
            parse_rate(given)
        except OperatorError as exc:
            raise click.BadParameter(str(exc)) from exc
    return given


def _check_replica(
    _context: click.Context, _parameter: click.Parameter, given: str | None
) -> str | None:
    if given not in (None, "config", "sidecar"):
        from trailbase_server.errors import OperatorError
        from trailbase_server.replication.target import parse_target

        try:
            parse_target(given)
        except OperatorError as exc:
            raise click.BadParameter(str(exc)) from exc
    return given


@click.command()
@click.option(
    "-a",
    "--address",
    envvar="ADDRESS",
    default=DEFAULT_ADDRESS,
    show_default=True,
    show_envvar=True,
    metavar="HOST:PORT",
    help="Where to listen.",
)
@click.option(
    "--admin-address",
    envvar="ADMIN_ADDRESS",
    show_envvar=True,
    metavar="HOST:PORT|unix:PATH",
    help="Serve the admin API and the dashboard only here.",
)
@click.option(
    "--no-admin",
    envvar="NO_ADMIN",
    show_envvar=True,
    is_flag=True,
    help="Serve neither admin API nor dashboard.",
)
@click.option(
    "--metrics-address",
    envvar="METRICS_ADDRESS",
    show_envvar=True,
    metavar="HOST:PORT|unix:PATH",
    help="Serve metrics for Prometheus here, at /metrics.",
)
@click.option(
    "--metrics-token-file",
    envvar="METRICS_TOKEN_FILE",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="Ask for the bearer token in this file; with it, --admin-address serves /metrics too.",
)
@click.option(
    "--public-dir",
    envvar="PUBLIC_DIR",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="Serve the files of this directory at /.",
)
@click.option(
    "--spa",
    envvar="SPA",
    show_envvar=True,
    is_flag=True,
    help="Answer unknown pages with the index.html of --public-dir.",
)
@click.option(
    "--geoip-db-path",
    envvar="GEOIP_DB_PATH",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="MaxMind database.  [default: GeoLite2-Country.mmdb in the depot]",
)
@click.option("--dev", is_flag=True, help="Local development: lenient and talkative.")
@click.option(
    "--demo", is_flag=True, help="Administrators that anybody may be: nothing can be spoiled."
)
@click.option(
    "--cors-allowed-origins",
    multiple=True,
    default=["*"],
    show_default=True,
    metavar="ORIGIN",
    help="Origin whose pages may call the server. Repeatable.",
)
@click.option(
    "--runtime-threads",
    envvar="RUNTIME_THREADS",
    show_envvar=True,
    type=click.IntRange(0, MAX_THREADS),
    help="Threads for slow reads; 0: as many as fit the machine.",
)
@click.option(
    "--synchronous",
    envvar="SYNCHRONOUS",
    show_envvar=True,
    type=click.Choice(["FULL", "NORMAL"], case_sensitive=False),
    default="FULL",
    show_default=True,
    help="FULL: what is acknowledged is on disk; NORMAL: a power cut may lose the last writes.",
)
@click.option(
    "--access-log",
    envvar="ACCESS_LOG",
    show_envvar=True,
    type=click.Choice(["stdout", "stderr", "off"]),
    help="Also write a line of JSON for each request.  [default: off; stdout with --dev]",
)
@click.option("--stderr-logging", is_flag=True, help="Old name of --access-log stdout.")
@click.option(
    "--log-format",
    envvar="LOG_FORMAT",
    show_envvar=True,
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the server's own log on standard error.",
)
@click.option(
    "--slow-query-ms",
    envvar="SLOW_QUERY_MS",
    show_envvar=True,
    type=click.IntRange(0),
    default=DEFAULT_SLOW_QUERY_MS,
    show_default=True,
    help="Log statements that take as long as that; 0: none.",
)
@click.option(
    "--disable-auth-ui",
    envvar="DISABLE_AUTH_UI",
    show_envvar=True,
    is_flag=True,
    help="Do not serve the account pages below /_/auth.",
)
@click.option(
    "--trusted-proxies",
    envvar="TRUSTED_PROXIES",
    show_envvar=True,
    multiple=True,
    metavar="CIDR,...",
    callback=_check_proxies,
    help="Proxies whose forwarding headers are believed: networks, 'private', 'unix' or 'none'."
    " Repeatable.  [default: private and unix; none on a public address]",
)
@click.option(
    "--proxy-hops",
    envvar="PROXY_HOPS",
    show_envvar=True,
    type=click.IntRange(1, MAX_HOPS),
    default=1,
    show_default=True,
    help="How many trusted proxies stand in a row before the server.",
)
@click.option(
    "--max-connections",
    envvar="MAX_CONNECTIONS",
    show_envvar=True,
    type=click.IntRange(1),
    help="Connections in total.  [default: as many as the process may have files]",
)
@click.option(
    "--max-connections-per-address",
    envvar="MAX_CONNECTIONS_PER_ADDRESS",
    show_envvar=True,
    type=click.IntRange(1),
    default=1000,
    show_default=True,
    help="Connections of one address (IPv6: of one /64) that is no trusted proxy.",
)
@click.option(
    "--rate-limit",
    envvar="RATE_LIMIT",
    show_envvar=True,
    metavar="REQUESTS/SECONDS[:BURST]",
    callback=_check_rate,
    help="How often one client address may come; finer rules are server.rate_limits.",
)
@click.option(
    "--tls-cert",
    envvar="TLS_CERT",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="Certificate and intermediate ones, PEM.  [default: secrets/certs/cert.pem, if any]",
)
@click.option(
    "--tls-key",
    envvar="TLS_KEY",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="Its key, PEM.  [default: secrets/certs/key.pem, if any]",
)
@click.option(
    "--tls-min-version",
    envvar="TLS_MIN_VERSION",
    show_envvar=True,
    type=click.Choice(["1.2", "1.3"]),
    default="1.2",
    show_default=True,
    help="Oldest version of TLS.",
)
@click.option(
    "--http-redirect-address",
    envvar="HTTP_REDIRECT_ADDRESS",
    show_envvar=True,
    metavar="HOST:PORT",
    help="Send plain HTTP from here to https, and answer ACME.",
)
@click.option(
    "--acme-domain",
    envvar="ACME_DOMAIN",
    show_envvar=True,
    multiple=True,
    metavar="NAME",
    help="Get a certificate for this host name, which accepts the authority's terms. Repeatable.",
)
@click.option(
    "--acme-email",
    envvar="ACME_EMAIL",
    show_envvar=True,
    metavar="ADDRESS",
    help="Where the authority may write to.",
)
@click.option(
    "--acme-directory",
    envvar="ACME_DIRECTORY",
    show_envvar=True,
    metavar="URL|production|staging",
    default=DEFAULT_ACME_DIRECTORY,
    show_default=True,
    help="The authority; the two names are those of Let's Encrypt.",
)
@click.option(
    "--acme-ca-file",
    envvar="ACME_CA_FILE",
    show_envvar=True,
    type=click.Path(path_type=Path),
    help="Who vouches for the authority's own server, PEM.  [default: the usual ones]",
)
@click.option(
    "--drain-delay",
    envvar="DRAIN_DELAY",
    show_envvar=True,
    type=click.FloatRange(0, MAX_WAIT_S),
    default=0,
    metavar="SECONDS",
    help="After SIGTERM, answer as not ready but go on for so long: balancers have to notice.",
)
@click.option(
    "--reuse-port",
    envvar="REUSE_PORT",
    show_envvar=True,
    is_flag=True,
    help="Let the next server bind the same addresses, to take over without a gap.",
)
@click.option(
    "--wait-for-lock",
    envvar="WAIT_FOR_LOCK",
    show_envvar=True,
    type=click.FloatRange(0, MAX_WAIT_S),
    default=0,
    metavar="SECONDS",
    help="Wait for so long for the server that has the depot to stop.",
)
@click.option(
    "--config-readonly",
    envvar="CONFIG_READONLY",
    show_envvar=True,
    is_flag=True,
    help="Refuse changes of the configuration through the admin API.",
)
@click.option(
    "--replicate",
    envvar="REPLICATE",
    show_envvar=True,
    metavar="URL|config|sidecar",
    callback=_check_replica,
    help="Ship all databases continuously with Litestream: to file:///directory or"
    " s3://bucket/prefix, or where the configuration says; 'sidecar': somebody else runs it.",
)
@click.pass_obj
def run(general: ServerOptions, /, **given: object) -> int:
    """Serve the depot until SIGINT or SIGTERM; SIGHUP reads the configuration again."""
    # Hardly anything that a start makes is garbage; ``serve`` looks for some again once it serves.
    gc.disable()
    try:
        return _run(general, given)
    finally:
        gc.enable()


def _run(general: ServerOptions, given: Mapping[str, object]) -> int:
    from trailbase_server.server.serve import serve

    options = build_options(general, given)
    if options.dev or options.log_format != "text":
        from trailbase_server.cli.logging import DEVELOPING, SERVING, configure_logging

        configure_logging(
            DEVELOPING if options.dev else SERVING, is_json=options.log_format == "json"
        )
    return serve(options)


def build_options(general: ServerOptions, given: Mapping[str, object]) -> ServerOptions:
    """
    Put the options of a start together.

    Args:
        general: Those before ``run``.
        given: Those after it, by the names that both click and ``ServerOptions`` use.
    """
    return replace(general, **given)  # type: ignore[arg-type]  # a test compares the names
