"""The operations of the admin API; their paths begin with ``/api/_admin``."""

from typing import TYPE_CHECKING

from trailbase_server.admin.fence import refuse_unknown
from trailbase_server.config.proto.config_pb2 import GetConfigResponse, UpdateConfigRequest
from trailbase_server.errors import (
    BadRequestError,
    ConflictError,
    DependencyError,
    NotFoundError,
    PreconditionError,
    UnavailableError,
    UnprocessableError,
    UnsupportedMediaError,
)
from trailbase_server.web.later import later
from trailbase_server.web.route import Route
from trailbase_server.web.router import ANY_METHOD

if TYPE_CHECKING:
    from trailbase_server.admin import (
        audit,
        backups,
        components,
        config,
        email,
        info,
        jobs,
        logs,
        oauth_providers,
        reload,
        schemas,
        sql,
        tables,
        users,
    )
else:
    audit = later("trailbase_server.admin.audit")
    backups = later("trailbase_server.admin.backups")
    components = later("trailbase_server.admin.components")
    config = later("trailbase_server.admin.config")
    email = later("trailbase_server.admin.email")
    info = later("trailbase_server.admin.info")
    jobs = later("trailbase_server.admin.jobs")
    logs = later("trailbase_server.admin.logs")
    oauth_providers = later("trailbase_server.admin.oauth_providers")
    reload = later("trailbase_server.admin.reload")
    schemas = later("trailbase_server.admin.schemas")
    sql = later("trailbase_server.admin.sql")
    tables = later("trailbase_server.admin.tables")
    users = later("trailbase_server.admin.users")

PREFIX = "/api/_admin"

ROUTES = (
    Route(
        "GET",
        f"{PREFIX}/config",
        config.get_config,
        audience="admin",
        operation="get_config_handler",
        summary="Read the configuration with its secrets replaced by placeholders.",
        response_type=GetConfigResponse,
        tag="admin",
    ),
    Route(
        "POST",
        f"{PREFIX}/config",
        config.update_config,
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
        audit="config.update",
        tag="admin",
    ),
    Route(
        "GET",
        f"{PREFIX}/info",
        info.get_info,
        audience="admin",
        operation="info_handler",
        summary="Tell version, start time and command line of the server.",
        tag="admin",
    ),
    Route(
        "GET",
        f"{PREFIX}/public_key",
        info.get_public_key,
        audience="admin",
        operation="get_public_key",
        summary="Read the key that verifies auth tokens.",
        tag="admin",
    ),
    Route(
        "GET",
        f"{PREFIX}/oauth_providers",
        oauth_providers.list_oauth_providers,
        audience="admin",
        operation="available_oauth_providers_handler",
        summary="List the services that could be configured to log in with.",
        tag="admin",
    ),
    Route(
        "GET",
        f"{PREFIX}/tables",
        tables.list_tables,
        audience="admin",
        operation="list_tables_handler",
        summary="List tables, indexes, triggers and views.",
        tag="admin",
    ),
)

_USER_ERRORS = (
    BadRequestError,
    ConflictError,
    NotFoundError,
    PreconditionError,
    UnprocessableError,
    UnsupportedMediaError,
)

USER_ROUTES = (
    Route(
        "GET",
        f"{PREFIX}/user",
        users.list_users,
        audience="admin",
        operation="list_users_handler",
        summary="List users.",
        errors=(BadRequestError,),
        tag="admin",
    ),
    Route(
        "POST",
        f"{PREFIX}/user",
        users.create_user,
        audience="admin",
        operation="create_user_handler",
        summary="Add a user.",
        errors=(
            BadRequestError,
            ConflictError,
            DependencyError,
            UnprocessableError,
            UnsupportedMediaError,
        ),
        audit="user.create",
        tag="admin",
    ),
    Route(
        "PATCH",
        f"{PREFIX}/user",
        users.change_user,
        audience="admin",
        operation="update_user_handler",
        summary="Change a user who is no administrator.",
        errors=_USER_ERRORS,
        audit="user.update",
        tag="admin",
    ),
    Route(
        "DELETE",
        f"{PREFIX}/user",
        users.remove_user,
        audience="admin",
        operation="delete_user_handler",
        summary="Delete a user who is no administrator.",
        errors=_USER_ERRORS,
        audit="user.delete",
        tag="admin",
    ),
)
"""Bound to the state of ``auth``: they are about its accounts."""

JOB_ROUTES = (
    Route(
        "GET",
        f"{PREFIX}/jobs",
        jobs.list_jobs,
        audience="admin",
        operation="list_jobs_handler",
        summary="List jobs with their schedule, last and next run.",
        tag="admin",
    ),
    Route(
        "POST",
        f"{PREFIX}/job/run",
        jobs.run_job,
        audience="admin",
        operation="run_job_handler",
        summary="Run a job now and wait for it.",
        errors=(
            BadRequestError,
            PreconditionError,
            UnprocessableError,
            UnsupportedMediaError,
        ),
        audit="job.run",
        tag="admin",
    ),
)
"""Bound to the scheduler."""

RELOAD_ROUTES = (
    Route(
        "GET",
        f"{PREFIX}/reload",
        reload.get_reload,
        audience="admin",
        operation="get_reload_handler",
        summary="Tell how the last reload went.",
        tag="admin",
    ),
    Route(
        "POST",
        f"{PREFIX}/reload",
        reload.reload_server,
        audience="admin",
        operation="reload_handler",
        summary="Apply new migrations, read configuration, keys and certificate again.",
        errors=(BadRequestError,),
        audit="config.reload",
        tag="admin",
    ),
)
"""Bound to the reloader."""

AUDIT_ROUTES = (
    Route(
        "GET",
        f"{PREFIX}/audit",
        audit.list_audit,
        audience="admin",
        operation="list_audit_handler",
        summary="List who changed what about the server.",
        errors=(BadRequestError,),
        tag="admin",
    ),
    Route(
        "GET",
        f"{PREFIX}/audit/export",
        audit.export_audit,
        audience="admin",
        operation="export_audit_handler",
        summary="Download the audit log, one JSON object a line.",
        errors=(BadRequestError,),
        tag="admin",
    ),
    Route(
        "GET",
        f"{PREFIX}/audit/verify",
        audit.verify_audit,
        audience="admin",
        operation="verify_audit_handler",
        summary="Tell whether the audit log is whole.",
        tag="admin",
    ),
)
"""Bound to the audit log."""

LOG_ROUTES = (
    Route(
        "GET",
        f"{PREFIX}/logs/list",
        logs.list_logs,
        audience="admin",
        operation="list_logs_handler",
        summary="List entries of the access log.",
        errors=(BadRequestError, UnavailableError),
        tag="admin",
    ),
    Route(
        "GET",
        f"{PREFIX}/logs/stats",
        logs.get_log_stats,
        audience="admin",
        operation="fetch_stats_handler",
        summary="Count requests by time and by country.",
        errors=(BadRequestError, UnavailableError),
        tag="admin",
    ),
)
"""Bound to the access log."""

_BACKUP_ERRORS = (
    BadRequestError,
    ConflictError,
    PreconditionError,
    UnprocessableError,
    UnsupportedMediaError,
)

BACKUP_ROUTES = (
    Route(
        "GET",
        f"{PREFIX}/backups",
        backups.list_backups,
        audience="admin",
        operation="list_backups_handler",
        summary="List backups.",
        tag="admin",
    ),
    Route(
        "POST",
        f"{PREFIX}/backups/trigger",
        backups.trigger_backup,
        audience="admin",
        operation="trigger_backup_handler",
        summary="Make a backup now and wait for it.",
        errors=(ConflictError, PreconditionError),
        audit="backup.trigger",
        tag="admin",
    ),
    Route(
        "POST",
        f"{PREFIX}/backups/verify",
        backups.verify_backup,
        audience="admin",
        operation="verify_backup_handler",
        summary="Check a backup: sums, every page of its databases, foreign keys.",
        errors=_BACKUP_ERRORS,
        tag="admin",
    ),
    Route(
        "PATCH",
        f"{PREFIX}/backups/restore",
        backups.restore_backup,
        audience="admin",
        operation="restore_backup_handler",
        summary="Put a backup back under the running server; one of the present is made first.",
        errors=_BACKUP_ERRORS,
        audit="backup.restore",
        tag="admin",
    ),
    Route(
        "DELETE",
        f"{PREFIX}/backups/delete",
        backups.delete_backups,
        audience="admin",
        operation="delete_backups_handler",
        summary="Delete backups.",
        errors=_BACKUP_ERRORS,
        audit="backup.delete",
        tag="admin",
    ),
)
"""Bound to the backups."""

SQL_ROUTES = (
    Route(
        "POST",
        f"{PREFIX}/query",
        sql.run_query,
        audience="admin",
        operation="query_handler",
        summary="Run SQL and read the rows of its last statement.",
        errors=(
            BadRequestError,
            PreconditionError,
            UnprocessableError,
            UnsupportedMediaError,
        ),
        audit="sql.run",
        tag="admin",
    ),
    Route(
        "POST",
        f"{PREFIX}/parse",
        sql.parse_sql,
        audience="admin",
        operation="parse_handler",
        summary="Ask whether a text is an SQL expression or statement.",
        errors=(BadRequestError, UnprocessableError, UnsupportedMediaError),
        tag="admin",
    ),
)
"""Bound to what runs SQL."""

SCHEMA_ROUTES = (
    Route(
        "GET",
        f"{PREFIX}/schema",
        schemas.list_schemas,
        audience="admin",
        operation="list_schemas_handler",
        summary="List the JSON schemas that columns may refer to.",
        tag="admin",
    ),
    Route(
        "GET",
        f"{PREFIX}/schema/{{api}}/schema.json",
        schemas.get_api_schema,
        audience="admin",
        operation="get_api_json_schema_handler",
        summary="Download the JSON schema of a record API, whatever its rules say.",
        errors=(BadRequestError, PreconditionError),
        tag="admin",
    ),
)
"""Bound to the state of ``records``."""

EMAIL_ROUTES = (
    Route(
        "POST",
        f"{PREFIX}/email/test",
        email.send_test_email,
        audience="admin",
        operation="test_email_handler",
        summary="Send a mail and wait for how that went.",
        errors=(BadRequestError, DependencyError, UnprocessableError, UnsupportedMediaError),
        audit="email.test",
        tag="admin",
    ),
)
"""Bound to the mailer."""

COMPONENT_ROUTES = (
    Route(
        "GET",
        f"{PREFIX}/wasm",
        components.list_components,
        audience="admin",
        operation="list_wasm_components_handler",
        summary="List components.",
        tag="admin",
    ),
    Route(
        "POST",
        f"{PREFIX}/wasm/install",
        components.install_component,
        audience="admin",
        operation="install_wasm_component_handler",
        summary="Refuse to fetch a component and say what to do instead.",
        errors=(
            BadRequestError,
            PreconditionError,
            UnprocessableError,
            UnsupportedMediaError,
        ),
        tag="admin",
    ),
    Route(
        "POST",
        f"{PREFIX}/wasm/uninstall",
        components.uninstall_component,
        audience="admin",
        operation="uninstall_wasm_component_handler",
        summary="Remove the file of a component.",
        errors=(
            BadRequestError,
            PreconditionError,
            UnprocessableError,
            UnsupportedMediaError,
        ),
        audit="component.remove",
        tag="admin",
    ),
)
"""Bound to the component files."""

FENCE_ROUTES = (
    Route(
        ANY_METHOD,
        PREFIX,
        refuse_unknown,
        audience="admin",
        operation="refuse_unknown_handler",
        summary="Ask for an administrator before saying that there is no such operation.",
        errors=(NotFoundError,),
        tag="admin",
    ),
)
"""Stand before everything else below the admin API."""
