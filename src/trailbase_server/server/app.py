"""
The application: the table of routes, one line per package.

Around a handler, outermost first: access log, CORS, body limit, credentials, audience (``web/asgi``
and ``web/dispatch`` apply them in this order).
"""

from collections.abc import Iterable
from dataclasses import replace

from trailbase_server.admin.pages import ADMIN_PAGE_ROUTES, OperationsPage
from trailbase_server.admin.reload import ReloadState
from trailbase_server.admin.routes import (
    AUDIT_ROUTES,
    BACKUP_ROUTES,
    COMPONENT_ROUTES,
    EMAIL_ROUTES,
    FENCE_ROUTES,
    JOB_ROUTES,
    LOG_ROUTES,
    RELOAD_ROUTES,
    SCHEMA_ROUTES,
    SQL_ROUTES,
    USER_ROUTES,
)
from trailbase_server.admin.routes import ROUTES as ADMIN_ROUTES
from trailbase_server.admin.sql import SqlState
from trailbase_server.auth.pages.routes import PAGE_ROUTES
from trailbase_server.auth.routes import ROUTES as AUTH_ROUTES
from trailbase_server.auth.routes import WELL_KNOWN_ROUTES
from trailbase_server.config.load import LoadedConfig
from trailbase_server.records.routes import ROUTES as RECORD_ROUTES
from trailbase_server.records.routes import TRANSACTION_ROUTES
from trailbase_server.server.audit import audit_requests, watch_sign_ins
from trailbase_server.server.demo import fence_demo
from trailbase_server.server.edge import compile_proxies, guard_edge
from trailbase_server.server.health import ROUTES as HEALTH_ROUTES
from trailbase_server.server.metrics.page import METRICS_ROUTES, MetricsPage
from trailbase_server.server.openapi import OPENAPI_ROUTES, OpenApiState
from trailbase_server.server.opened import OpenDepot
from trailbase_server.server.public_openapi import PUBLIC_OPENAPI_ROUTES, PublicDocument
from trailbase_server.server.ready import READY_ROUTES, ReadyPage
from trailbase_server.wasm.files import ComponentFiles
from trailbase_server.web.asgi import AsgiApplication, TrailApplication
from trailbase_server.web.cors import Cors
from trailbase_server.web.dispatch import Dispatcher
from trailbase_server.web.route import BoundRoute, Route, bind_routes
from trailbase_server.web.router import Router

# What the dashboard needs to log in where administration has a listener of its own.
_LOGIN_PATHS = frozenset(
    f"/api/auth/v1/{name}" for name in ("login", "login_mfa", "logout", "refresh", "status")
)


def all_routes(depot: OpenDepot) -> list[BoundRoute]:
    """Every operation with the state of its package, also those that are switched off."""
    pages = PAGE_ROUTES if depot.auth.pages.is_enabled else ()
    routes = [
        *bind_routes(HEALTH_ROUTES, None),
        *bind_routes(READY_ROUTES, ReadyPage(depot.readiness, depot.authenticator)),
        *bind_routes((*RECORD_ROUTES, *TRANSACTION_ROUTES), depot.records),
        *bind_routes(watch_sign_ins((*AUTH_ROUTES, *WELL_KNOWN_ROUTES, *pages)), depot.auth),
        *bind_routes(ADMIN_ROUTES, depot.admin),
        *bind_routes(USER_ROUTES, depot.auth),
        *bind_routes(RELOAD_ROUTES, _reload_state(depot)),
        *bind_routes(JOB_ROUTES, depot.scheduler),
        *bind_routes(BACKUP_ROUTES, depot.backups),
        *bind_routes(AUDIT_ROUTES, depot.audit),
        *bind_routes(LOG_ROUTES, depot.log_pages),
        *bind_routes(SCHEMA_ROUTES, depot.records),
        *bind_routes(EMAIL_ROUTES, depot.mailer),
        *bind_routes(COMPONENT_ROUTES, ComponentFiles(depot.options.depot)),
        *bind_routes(PUBLIC_OPENAPI_ROUTES, _public_document(depot)),
        *bind_routes(OPENAPI_ROUTES, OpenApiState(lambda: _offered_operations(depot))),
        *bind_routes(FENCE_ROUTES, None),
        *bind_routes(ADMIN_PAGE_ROUTES, OperationsPage()),
        *bind_routes(SQL_ROUTES, _sql_state(depot)),
    ]
    return fence_demo(routes) if depot.options.demo else routes


def main_routes(depot: OpenDepot) -> list[BoundRoute]:
    """What the main listener serves: administration only if it has no listener of its own."""
    routes = all_routes(depot)
    if depot.options.no_admin or depot.options.has_admin_listener:
        return [bound for bound in routes if not is_administration(bound)]
    return routes


def admin_routes(depot: OpenDepot, metrics: MetricsPage) -> list[BoundRoute]:
    """
    What the listener of administration serves: metrics too, for those who have the token.

    Spec:
        server/separate-admin-listener
    """
    routes = [
        bound
        for bound in all_routes(depot)
        if is_administration(bound)
        or bound.route.path in _LOGIN_PATHS
        or bound.route.tag == "server"
    ]
    page = ReadyPage(depot.readiness, depot.authenticator, tells_all=True)
    routes = [
        replace(bound, state=page) if bound.route in READY_ROUTES else bound for bound in routes
    ]
    return [*routes, *bind_routes(METRICS_ROUTES if metrics.has_token else (), metrics)]


def metrics_routes(depot: OpenDepot, metrics: MetricsPage) -> list[BoundRoute]:
    """What the listener of metrics serves."""
    return [
        *bind_routes(METRICS_ROUTES, metrics),
        *bind_routes(HEALTH_ROUTES, None),
        *bind_routes(READY_ROUTES, ReadyPage(depot.readiness, depot.authenticator)),
    ]


def is_administration(bound: BoundRoute) -> bool:
    """Does the route belong to the admin API or the dashboard?"""
    return bound.route.path.startswith(("/api/_admin", "/_/admin"))


def build_application(
    depot: OpenDepot,
    routes: list[BoundRoute] | None = None,
    *,
    with_files: bool = True,
    listening: Iterable[str] = (),
) -> TrailApplication:
    """
    Assemble the server of an open depot as an ASGI application.

    Args:
        depot: Open.
        routes: Those that the configuration does not switch off are offered; None: all that the
            main listener serves.
        with_files: Serve the public directory too.
        listening: Addresses it is bound to; empty ones for Unix sockets.
    """
    options = depot.options
    routes = main_routes(depot) if routes is None else routes
    dispatcher = Dispatcher(
        Router(_offered(depot, routes)),
        depot.authenticator,
        Cors(options.cors_allowed_origins, dev=options.dev),
        depot.database.on_pool,
        depot.body_limit,
        depot.access_log.append,
        compile_proxies(options, listening),
        audit_requests(depot.audit),
    )
    _follow_routes(depot, dispatcher, routes)
    guard_edge(depot, dispatcher, routes)
    return TrailApplication(dispatcher, _public_directory(depot) if with_files else None)


def _offered(depot: OpenDepot, routes: list[BoundRoute]) -> list[BoundRoute]:
    """Leave out what the configuration switches off."""
    if depot.has_transactions:
        return routes
    return [bound for bound in routes if bound.route not in TRANSACTION_ROUTES]


def _public_document(depot: OpenDepot) -> PublicDocument:
    return PublicDocument(
        depot.records,
        lambda: depot.config.config.server.public_openapi,
        lambda: depot.options.public_url or depot.config.config.server.site_url or None,
    )


def _offered_operations(depot: OpenDepot) -> list[Route]:
    return [bound.route for bound in _offered(depot, all_routes(depot))]


def _follow_routes(depot: OpenDepot, dispatcher: Dispatcher, routes: list[BoundRoute]) -> None:
    """Offer with each new configuration what it does not switch off."""

    def follow(_loaded: LoadedConfig) -> None:
        offered = _offered(depot, routes)
        if len(offered) != len(dispatcher.router.routes):
            dispatcher.router = Router(offered)

    depot.config.subscribe(follow)


def _reload_state(depot: OpenDepot) -> ReloadState:
    return ReloadState(
        depot.config, lambda: depot.reloader.run(depot.reload), lambda: depot.reloader.last
    )


def _sql_state(depot: OpenDepot) -> SqlState:
    return SqlState(
        depot.console_files,
        lambda: depot.follow(depot.config.loaded),
        depot.database.prepare_error,
        depot.admin.demo,
    )


def _public_directory(depot: OpenDepot) -> AsgiApplication | None:
    directory = depot.options.public_dir
    if directory is None:
        return None
    # Imported when first needed: start-up time.
    from trailbase_server.server.static import PublicDirectory  # noqa: PLC0415

    return PublicDirectory(directory, spa=depot.options.spa)
