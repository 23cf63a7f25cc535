"""
The application: the table of routes, one line per package.

Around a handler, outermost first: access log, CORS, body limit, credentials, audience (``web/asgi``
and ``web/dispatch`` apply them in this order).
"""

from trailbase_server.admin.routes import ROUTES as ADMIN_ROUTES
from trailbase_server.admin.routes import USER_ROUTES
from trailbase_server.auth.routes import ROUTES as AUTH_ROUTES
from trailbase_server.auth.routes import WELL_KNOWN_ROUTES
from trailbase_server.records.routes import ROUTES as RECORD_ROUTES
from trailbase_server.records.routes import TRANSACTION_ROUTES
from trailbase_server.server.health import ROUTES as HEALTH_ROUTES
from trailbase_server.server.start import OpenDepot
from trailbase_server.web.asgi import AsgiApplication, TrailApplication
from trailbase_server.web.cors import Cors
from trailbase_server.web.dispatch import Dispatcher
from trailbase_server.web.route import BoundRoute, bind_routes
from trailbase_server.web.router import Router


def all_routes(depot: OpenDepot) -> list[BoundRoute]:
    """Every operation with the state of its package."""
    batches = TRANSACTION_ROUTES if depot.has_transactions else ()
    return [
        *bind_routes(HEALTH_ROUTES, None),
        *bind_routes((*RECORD_ROUTES, *batches), depot.records),
        *bind_routes((*AUTH_ROUTES, *WELL_KNOWN_ROUTES), depot.auth),
        *bind_routes(ADMIN_ROUTES, depot.admin),
        *bind_routes(USER_ROUTES, depot.auth),
    ]


def build_application(depot: OpenDepot) -> TrailApplication:
    """Assemble the server of an open depot as an ASGI application."""
    options = depot.options
    dispatcher = Dispatcher(
        Router(all_routes(depot)),
        depot.authenticator,
        Cors(options.cors_allowed_origins, dev=options.dev),
        depot.database.on_pool,
        depot.body_limit,
        depot.logs.append,
    )
    return TrailApplication(dispatcher, _public_directory(depot))


def _public_directory(depot: OpenDepot) -> AsgiApplication | None:
    directory = depot.options.public_dir
    if directory is None:
        return None
    # Imported when first needed: start-up time.
    from trailbase_server.server.static import PublicDirectory  # noqa: PLC0415

    return PublicDirectory(directory, spa=depot.options.spa)
