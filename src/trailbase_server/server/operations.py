"""
What operations take and give besides their path, for whoever describes them: bodies, parameters of
the query, answers. By operation id; what does not stand here takes nothing, or is of no fixed form.

Handlers read their input themselves; the tests send what stands here to a server.
"""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
FREE: Schema = {"type": "object", "additionalProperties": True}
NULLABLE_TEXT: Schema = {"type": ["string", "null"]}


def members(*names: str, **typed: Schema) -> Schema:
    """
    Schema of an object.

    Args:
        names: Of members that are texts; those that may be absent end in ``?``.
        typed: Other members, all required.
    """
    properties = {name.rstrip("?"): TEXT for name in names} | typed
    required = [name for name in names if not name.endswith("?")] + list(typed)
    return {
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
    }


def optional(schema: Schema, **typed: Schema) -> Schema:
    """Add members that may be absent."""
    return {**schema, "properties": {**schema["properties"], **typed}}


def array(items: Schema) -> Schema:
    """Schema of a list."""
    return {"type": "array", "items": items}


_LOGIN = ("redirect_uri?", "mfa_redirect_uri?", "response_type?", "pkce_code_challenge?")
_WHO = ("email_or_username?", "email?", "username?")
_TOKENS = members("auth_token", "refresh_token", "csrf_token")
_RECORD = {"description": "A record: columns by name.", **FREE}
_OPERATION = {
    "description": "One of Create, Update and Delete.",
    "type": "object",
    "properties": {
        "Create": members("api_name", value=_RECORD),
        "Update": members("api_name", record_id=TEXT, value=_RECORD),
        "Delete": members("api_name", record_id=TEXT),
    },
}

BODIES: dict[str, Schema] = {
    "register_user_handler": members("email?", "username?", "password", "password_repeat"),
    "login_handler": members(*_WHO, "password", *_LOGIN),
    "login_mfa_handler": members("mfa_token", "totp", *_LOGIN),
    "auth_code_to_token_handler": members("authorization_code", "pkce_code_verifier"),
    "refresh_handler": optional(members("refresh_token"), rotate=FLAG),
    "post_logout_handler": members("refresh_token"),
    "change_password_handler": members("old_password", "new_password", "new_password_repeat?"),
    "change_email_request_handler": members("csrf_token", "new_email", "old_email?"),
    "change_email_handler": members("new_email", "old_email?", "csrf_token?"),
    "change_username_handler": members("new_username?", "csrf_token?"),
    "reset_password_request_handler": members("email?", "username?"),
    "reset_password_update_handler": members(
        "password", "password_repeat", "password_reset_token?", "password_reset_code?"
    ),
    "request_otp_handler": members(*_WHO),
    "login_otp_handler": members("email?", "username?", "code?", *_LOGIN),
    "promote_anonymous_user_handler": members(
        "new_password", "new_password_repeat?", "new_email?", "new_username?", "csrf_token?"
    ),
    "register_totp_confirm_handler": members("totp_url", "totp", "csrf_token?"),
    "unregister_totp_handler": members("totp", "csrf_token?"),
    "create_recovery_codes_handler": members("totp", "csrf_token?"),
    "create_record_handler": {"oneOf": [_RECORD, array(_RECORD)]},
    "update_record_handler": _RECORD,
    "record_transactions_handler": optional(
        members(operations=array(_OPERATION)), transaction=FLAG
    ),
    "create_user_handler": optional(members("email", "password"), verified=FLAG, admin=FLAG),
    "update_user_handler": optional(members("id", "email?", "username?", "password?")),
    "delete_user_handler": members("id"),
    "run_job_handler": members(id=INTEGER),
    "restore_backup_handler": members(timestamp=INTEGER),
    "verify_backup_handler": members(timestamp=INTEGER),
    "delete_backups_handler": members(timestamps=array(INTEGER)),
    "test_email_handler": members("email_address"),
    "install_wasm_component_handler": members("RepoId?", "Path?"),
    "uninstall_wasm_component_handler": members("RepoId?", "Path?"),
    "query_handler": members("query"),
    "parse_handler": members("query"),
}
"""JSON bodies."""

_FILTER = {
    "name": "filter",
    "in": "query",
    "description": "Conditions: filter[column]=value, filter[column][$ne|$lt|$lte|$gt|$gte|$like|"
    "$re|$is]=value; filter[$and][0][…]=… and filter[$or][0][…]=… combine them.",
    "style": "deepObject",
    "explode": True,
    "schema": FREE,
}


def query(name: str, schema: Schema, text: str, *, required: bool = False) -> Schema:
    """Describe a parameter of the query."""
    return {
        "name": name,
        "in": "query",
        "description": text,
        "schema": schema,
        **({"required": True} if required else {}),
    }


_LIST = (
    query("limit", INTEGER, "Most entries to answer with."),
    query("cursor", TEXT, "Where the page before has ended."),
    query("offset", INTEGER, "Entries to leave out at the beginning."),
    query("order", TEXT, "Columns, separated by commas; -column is descending."),
    query("count", FLAG, "Count all that fit, not only this page."),
    _FILTER,
)
_EXPAND = query("expand", TEXT, "Columns, separated by commas, whose records are included.")
_MODE = query("mode", {"enum": ["Insert", "Update", "Select"]}, "What the schema is for.")
_TARGET = query("redirect_uri", TEXT, "Where to go afterwards.")

QUERIES: dict[str, tuple[Schema, ...]] = {
    "list_records_handler": (*_LIST, _EXPAND),
    "read_record_handler": (_EXPAND,),
    "json_schema_handler": (_MODE,),
    "get_api_json_schema_handler": (_MODE,),
    "add_subscription_sse_and_ws_handler": (_FILTER,),
    "list_users_handler": _LIST,
    "list_logs_handler": _LIST,
    "fetch_stats_handler": (_FILTER,),
    "request_email_verification_handler": (
        query("email", TEXT, "Address to confirm.", required=True),
        _TARGET,
    ),
    "logout_handler": (_TARGET,),
    "login_with_external_auth_provider": (_TARGET,),
}
"""Parameters of the query."""

RESPONSES: dict[str, Schema] = {
    "login_handler": _TOKENS,
    "login_mfa_handler": _TOKENS,
    "login_otp_handler": _TOKENS,
    "auth_code_to_token_handler": _TOKENS,
    "refresh_handler": members("auth_token", "csrf_token"),
    "login_status_handler": members(
        auth_token=NULLABLE_TEXT, refresh_token=NULLABLE_TEXT, csrf_token=NULLABLE_TEXT
    ),
    "list_records_handler": optional(
        members(records=array(_RECORD)), cursor=NULLABLE_TEXT, total_count=INTEGER
    ),
    "create_record_handler": members(ids=array(TEXT)),
    "read_record_handler": _RECORD,
    "json_schema_handler": FREE,
    "list_jobs_handler": members(jobs=array(FREE)),
    "run_job_handler": members(error=NULLABLE_TEXT),
    "list_backups_handler": members(backups=array(FREE)),
    "trigger_backup_handler": members(backups=array(FREE)),
    "list_schemas_handler": members(schemas=array(FREE)),
    "list_users_handler": FREE,
    "list_logs_handler": FREE,
    "fetch_stats_handler": FREE,
    "list_tables_handler": FREE,
    "info_handler": FREE,
    "list_wasm_components_handler": members(components=array(FREE)),
    "available_oauth_providers_handler": members(providers=array(FREE)),
    "list_configured_providers_handler": members(providers=array(FREE)),
    "query_handler": FREE,
    "parse_handler": optional(members(ok=FLAG), message=NULLABLE_TEXT),
}
"""JSON answers."""

UPSTREAM = frozenset(
    (
        "create_avatar_handler",
        "delete_avatar_handler",
        "get_avatar_handler",
        "change_email_confirm_handler",
        "change_email_request_handler",
        "change_password_handler",
        "change_username_handler",
        "delete_handler",
        "login_handler",
        "login_anonymous_user_handler",
        "login_mfa_handler",
        "logout_handler",
        "post_logout_handler",
        "list_configured_providers_handler",
        "callback_from_external_auth_provider",
        "login_with_external_auth_provider",
        "login_otp_handler",
        "request_otp_handler",
        "promote_anonymous_user_handler",
        "refresh_handler",
        "register_user_handler",
        "reset_password_request_handler",
        "reset_password_update_handler",
        "login_status_handler",
        "auth_code_to_token_handler",
        "register_totp_confirm_handler",
        "register_totp_request_handler",
        "unregister_totp_handler",
        "verify_email_handler",
        "request_email_verification_handler",
        "list_records_handler",
        "create_record_handler",
        "json_schema_handler",
        "add_subscription_sse_and_ws_handler",
        "read_record_handler",
        "delete_record_handler",
        "update_record_handler",
        "get_uploaded_file_from_record_handler",
        "get_uploaded_files_from_record_handler",
        "record_transactions_handler",
    )
)
"""Public operations of the wire protocol; the others are our own."""
