"""The operations of the admin API; their paths begin with ``/api/_admin``."""

from trailbase_server.admin.config import get_config, update_config
from trailbase_server.admin.info import get_info, get_public_key
from trailbase_server.admin.tables import list_tables
from trailbase_server.config.proto.config_pb2 import GetConfigResponse, UpdateConfigRequest
from trailbase_server.errors import (
    BadRequestError,
    ConflictError,
    PreconditionError,
    UnavailableError,
    UnprocessableError,
)
from trailbase_server.web.route import Route

PREFIX = "/api/_admin"

ROUTES = (
    Route(
        "GET",
        f"{PREFIX}/config",
        get_config,
        audience="admin",
        operation="get_config_handler",
        summary="Read the configuration with its secrets replaced by placeholders.",
        response_type=GetConfigResponse,
        tag="admin",
    ),
    Route(
        "POST",
        f"{PREFIX}/config",
        update_config,
        audience="admin",
        operation="update_config_handler",
        summary="Replace the configuration.",
        request_type=UpdateConfigRequest,
        errors=(
            BadRequestError,
            ConflictError,
            PreconditionError,
            UnprocessableError,
            UnavailableError,
        ),
        tag="admin",
    ),
    Route(
        "GET",
        f"{PREFIX}/info",
        get_info,
        audience="admin",
        operation="info_handler",
        summary="Tell version, start time and command line of the server.",
        tag="admin",
    ),
    Route(
        "GET",
        f"{PREFIX}/public_key",
        get_public_key,
        audience="admin",
        operation="get_public_key",
        summary="Read the key that verifies auth tokens.",
        tag="admin",
    ),
    Route(
        "GET",
        f"{PREFIX}/tables",
        list_tables,
        audience="admin",
        operation="list_tables_handler",
        summary="List tables, indexes, triggers and views.",
        tag="admin",
    ),
)
