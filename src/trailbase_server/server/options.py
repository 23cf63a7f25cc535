"""What the command line asked for, as one immutable value."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DEFAULT_DEPOT = "traildepot"
DEFAULT_ADDRESS = "localhost:4000"
DEFAULT_SLOW_QUERY_MS = 500  # an impatient person's patience
DEFAULT_ACME_DIRECTORY = "production"


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """
    Everything a start can be told outside the depot.

    Attributes:
        depot: The directory; created on demand.
        public_url: Overrides ``server.site_url`` of the configuration; an absolute URL.
        address: ``host:port`` of the main listener; host names are resolved, IPv6 in brackets.
        admin_address: Like ``address``, or ``unix:/path``: administration only there. None, or the
            same as ``address``: on the main listener.
        no_admin: No administration over HTTP at all.
        metrics_address: Like ``admin_address``: metrics and health only there. None: no such
            listener.
        metrics_token_file: Has the token that scrapers must show; with it, the listener of
            administration has the metrics too.
        public_dir: Static files served at ``/``; must exist when given.
        spa: Answer unknown pages of ``public_dir`` with its ``index.html``.
        geoip_db_path: MaxMind database; must exist when given. None: the depot's own, if any.
        dev: Local development: permissive CORS, cookies without ``Secure``, debug log.
        demo: Anybody may be an administrator: nothing can be spoiled for others.
        cors_allowed_origins: Origins as given, ``*`` for all.
        runtime_threads: Threads for reads that are too slow for the event loop; None: as many as
            the database thinks right.
        synchronous: FULL: an acknowledged write is on disk. NORMAL: a power cut may lose the last
            ones.
        access_log: Where lines of JSON about requests go, besides ``logs.db``. None: standard
            output in developer mode and with ``stderr_logging``, else nowhere.
        stderr_logging: The reference's name for ``access_log="stdout"``.
        log_format: Of the lines on standard error.
        slow_query_ms: Time from which a statement is told about; 0: none is.
        disable_auth_ui: Do not serve the account pages.
        trusted_proxies: Addresses, networks, ``private``, ``unix`` or ``none``: whose forwarding
            headers are believed. Empty: who is near, unless the server is on a public address.
        proxy_hops: How many proxies stand in a row before the server.
        max_connections: In total; None: as many as the process may have files.
        max_connections_per_address: Of one peer, or one IPv6 network (/64), that is no trusted
            proxy.
        rate_limit: ``REQUESTS/SECONDS`` or ``REQUESTS/SECONDS:BURST`` of each client address.
        tls_cert, tls_key: PEM files instead of those in ``secrets/certs``.
        tls_min_version: Oldest version of TLS.
        http_redirect_address: Where plain HTTP is sent to https; for ACME too.
        acme_domain: Host names to get a certificate for; empty: none.
        acme_email: Where the authority may write to.
        acme_directory: The authority: an https URL, ``production`` or ``staging``.
        acme_ca_file: PEM of those who vouch for the authority's own server.
        drain_delay: Seconds for which requests are still accepted once the server was told to stop
            and says that it is not ready.
        reuse_port: Let another server bind the same addresses, to take over.
        wait_for_lock: Seconds to wait for another server to give up the depot; 0: do not.
        config_readonly: Refuse every change of ``config.textproto`` through the admin API.
        replicate: Where Litestream ships all databases to: ``file://…``, ``s3://…``, ``config`` for
            where the configuration says, ``sidecar`` where somebody else runs it. None: nowhere.

    Spec:
        server/trail-run
    """

    depot: Path = Path(DEFAULT_DEPOT)
    public_url: str | None = None
    address: str = DEFAULT_ADDRESS
    admin_address: str | None = None
    no_admin: bool = False
    metrics_address: str | None = None
    metrics_token_file: Path | None = None
    public_dir: Path | None = None
    spa: bool = False
    geoip_db_path: Path | None = None
    dev: bool = False
    demo: bool = False
    cors_allowed_origins: tuple[str, ...] = ("*",)
    runtime_threads: int | None = None
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    access_log: Literal["stdout", "stderr", "off"] | None = None
    stderr_logging: bool = False
    log_format: Literal["text", "json"] = "text"
    slow_query_ms: int = DEFAULT_SLOW_QUERY_MS
    disable_auth_ui: bool = False
    trusted_proxies: tuple[str, ...] = ()
    proxy_hops: int = 1
    max_connections: int | None = None
    max_connections_per_address: int = 1000
    rate_limit: str | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_min_version: Literal["1.2", "1.3"] = "1.2"
    http_redirect_address: str | None = None
    acme_domain: tuple[str, ...] = ()
    acme_email: str | None = None
    acme_directory: str = DEFAULT_ACME_DIRECTORY
    acme_ca_file: Path | None = None
    drain_delay: float = 0.0
    reuse_port: bool = False
    wait_for_lock: float = 0.0
    config_readonly: bool = False
    replicate: str | None = None

    @property
    def has_admin_listener(self) -> bool:
        """Administration has an address of its own."""
        return self.admin_address not in (None, self.address) and not self.no_admin
