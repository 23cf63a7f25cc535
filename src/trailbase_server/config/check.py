"""
What must be true of a configuration, seen by itself. Checks that need the schema of the databases
are in ``records.check``.

Upstream stops at the first mistake; here all of them are found, in upstream's order and with its
words.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

import orjson

from trailbase_server.config.access_log import check_access_log
from trailbase_server.config.address import is_domain, is_email_address, is_host, url_problem
from trailbase_server.config.problem import Problem
from trailbase_server.config.proto.config_pb2 import (
    AuthConfig,
    BackupConfig,
    Config,
    EmailConfig,
    EmailTemplate,
    JsonSchemaConfig,
    OAuthProviderConfig,
    OAuthProviderId,
    PasskeyConfig,
    RecordApiConfig,
    ReplicationConfig,
    ServerConfig,
    SmtpEncryption,
    SystemJob,
    SystemJobId,
    UserVerification,
)
from trailbase_server.config.rate_limits import check_rate_limits
from trailbase_server.config.schedule import ScheduleError, parse_schedule

__all__ = ["PROVIDER_KEYS", "Problem", "check_config"]

PROVIDER_KEYS: Mapping[int, str] = {
    OAuthProviderId.OIDC0: "oidc0",
    OAuthProviderId.APPLE: "apple",
    OAuthProviderId.DISCORD: "discord",
    OAuthProviderId.GITLAB: "gitlab",
    OAuthProviderId.GOOGLE: "google",
    OAuthProviderId.FACEBOOK: "facebook",
    OAuthProviderId.MICROSOFT: "microsoft",
    OAuthProviderId.TWITCH: "twitch",
    OAuthProviderId.YANDEX: "yandex",
    OAuthProviderId.GITHUB: "github",
}
"""The key under which a provider must stand in ``auth.oauth_providers``; also its place in URLs."""

# ``temp`` is SQLite's own; attaching a database of that name fails.
RESERVED_DATABASES = frozenset(("main", "public", "logs", "session", "temp"))
RESERVED_SCHEMAS = "std."  # prefix of the built-in JSON schemas
MIN_AUDIT_RETENTION_S = 24 * 3600  # the table itself keeps entries that long
MAX_PORT = 65535  # a port has 16 bits
MAX_KEEP_HOURS = 24 * 366  # of a replica: beyond a year, backups are the better tool
_APPLICATION_NAME = re.compile(r"[A-Za-z0-9_.\- ]*\Z")
_DATABASE_NAME = re.compile(r"[A-Za-z0-9_-]+\Z")
_API_NAME = re.compile(r"[A-Za-z0-9_]+\Z")
# As SQLite takes names: quoted in one of four ways, or bare.
_QUOTED = r"""(?:[^"\0]|"")+"|`(?:[^`\0]|``)+`|\[[^\]\0]+\]|'(?:[^'\0]|'')+'"""
_IDENTIFIER = rf"""(?:"{_QUOTED}|[^\s."'`\[\];,()\0]+)"""
_TABLE_NAME = re.compile(rf"\s*{_IDENTIFIER}(?:\s*\.\s*{_IDENTIFIER})?\s*\Z")
# How Android's browsers name an app: the digest of the key that it is signed with.
_APP_ORIGIN = re.compile(r"android:apk-key-hash:[A-Za-z0-9_-]{43}\Z")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_LINK_VARIABLES = ("VERIFICATION_URL", "CODE", "TOKEN")
TEMPLATE_VARIABLES: Mapping[str, Sequence[str]] = {
    "user_verification_template": _LINK_VARIABLES,
    "password_reset_template": ("TOKEN", "CODE"),
    "change_email_template": _LINK_VARIABLES,
    "otp_template": ("CODE",),
}
"""One of these must occur in the body of a mail, else it is of no use to its reader."""

Finding = tuple[str, str]
"""Path below the message, words."""


def check_config(config: Config) -> list[Problem]:
    """
    Find everything that is wrong with a configuration by itself.

    Args:
        config: With its secrets in place.

    Returns:
        Problems in the order of the checks; empty if all is well.

    Spec:
        server/validation
    """
    findings: list[Finding] = []

    def add(prefix: str, found: Iterator[Finding]) -> None:
        findings.extend((f"{prefix}.{name}" if name else prefix, words) for name, words in found)

    add("server", _check_server(config.server))
    add("databases", _check_databases([database.name for database in config.databases]))
    databases = {database.name for database in config.databases}
    seen: set[str] = set()
    for index, api in enumerate(config.record_apis):
        add(f"record_apis[{index}]", _check_api(api, databases, seen))
    add("auth", _check_auth(config.auth))
    for index, schema in enumerate(config.schemas):
        add(f"schemas[{index}]", _check_schema(schema))
    add("email", _check_templates(config.email))
    add("email", _check_smtp(config.email))
    for index, job in enumerate(config.jobs.system_jobs):
        add(f"jobs.system_jobs[{index}]", _check_job(job))
    add("backups", _check_backups(config.backups))
    add("replication", _check_replication(config.replication))
    return [Problem(path.replace(".[", "["), words) for path, words in findings]


def _check_server(server: ServerConfig) -> Iterator[Finding]:
    name = server.application_name
    if not server.HasField("application_name"):
        yield "application_name", "Missing application name"
    elif not _APPLICATION_NAME.match(name):
        allowed = "Must only contain alphanumeric characters, spaces or '_', '-', '.'."
        yield "application_name", f"Application name: {name}. {allowed}"
    elif not name:
        yield "application_name", "Application name must not be empty"
    if server.HasField("site_url"):
        reason = url_problem(server.site_url)
        if reason is not None:
            yield "site_url", f"Failed to parse site_url '{server.site_url}': {reason}"
    yield from check_rate_limits(server)
    for place, words in check_access_log(server.access_log):
        yield f"access_log.{place}", words
    if 0 < server.audit_retention_sec < MIN_AUDIT_RETENTION_S:
        yield "audit_retention_sec", f"Must be at least {MIN_AUDIT_RETENTION_S}, or 0: never."


def _check_databases(names: Sequence[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        at = f"[{index}].name"
        if not name:
            yield at, "Missing database name"
        # SQLite does not tell names apart by case.
        elif name.lower() in seen:
            yield at, f"Database '{name}' linked more than once"
        elif name.lower() in RESERVED_DATABASES or not _DATABASE_NAME.match(name):
            yield at, f"Invalid database name: {name}"
        seen.add(name.lower())


def _check_api(api: RecordApiConfig, databases: set[str], seen: set[str]) -> Iterator[Finding]:
    if not api.HasField("name"):
        yield "name", "Found RecordApi config entry w/o API name."
    elif not _API_NAME.match(api.name):
        yield "name", f"Invalid api name: {api.name}. Must only contain letters, digits and '_'."
    if not _TABLE_NAME.match(api.table_name):
        yield "table_name", f"Missing TABLE/VIEW reference for API '{api.name}'"
    unknown = [name for name in api.attached_databases if name not in databases]
    if unknown:
        listed = ", ".join(f'"{name}"' for name in unknown)
        yield "attached_databases", f"API '{api.name}' references unknown databases: [{listed}]."
    if api.name in seen:
        yield "name", f"Two or more APIs have the colliding name: '{api.name}'"
    if api.name:
        seen.add(api.name)


def _check_auth(auth: AuthConfig) -> Iterator[Finding]:
    for key, provider in sorted(auth.oauth_providers.items()):
        quoted = key.replace("\\", "\\\\").replace('"', '\\"')
        for name, words in _check_provider(key, provider):
            yield f'oauth_providers["{quoted}"].{name}', words
    for name, words in _check_passkeys(auth.passkeys):
        yield f"passkeys.{name}", words


def _check_passkeys(passkeys: PasskeyConfig) -> Iterator[Finding]:
    rp_id = passkeys.rp_id.lower()
    if passkeys.HasField("rp_id") and not is_domain(rp_id):
        yield "rp_id", f"'{passkeys.rp_id}' is no domain: no scheme, port or IP address"
    if passkeys.user_verification not in UserVerification.values():
        yield "user_verification", "unknown value"
    for index, origin in enumerate(passkeys.origins):
        reason = _origin_problem(origin, rp_id)
        if reason is not None:
            yield f"origins[{index}]", f"'{origin}' cannot use passkeys: {reason}"


def _origin_problem(origin: str, rp_id: str) -> str | None:
    if _APP_ORIGIN.match(origin):
        return None
    reason = url_problem(origin)
    if reason is not None:
        return reason
    parts = urlsplit(origin)
    host = parts.hostname or ""
    if origin != f"{parts.scheme}://{parts.netloc}".lower() or "@" in parts.netloc:
        return "an origin is scheme, host and port, in lower case"
    if parts.port == _DEFAULT_PORTS[parts.scheme]:
        return "browsers leave this port out"
    if parts.scheme == "http" and host != "localhost":
        return "browsers want https"
    if rp_id and host != rp_id and not host.endswith(f".{rp_id}"):
        return f"it is not below '{rp_id}'"
    return None


def _check_provider(key: str, provider: OAuthProviderConfig) -> Iterator[Finding]:
    expected = PROVIDER_KEYS.get(provider.provider_id)
    if provider.provider_id == OAuthProviderId.OAUTH_PROVIDER_ID_UNDEFINED:
        yield "provider_id", f"Invalid id for provider: {key}"
    elif expected is None:
        yield "provider_id", f"Missing factory for: {key}"
    elif expected != key:
        yield "provider_id", f"Factory name mismatch for: {key}, expected '{expected}'"
    for field, missing, label in (
        ("client_id", "client id", "client id"),
        ("client_secret", "secret", "secret"),
    ):
        value: str = getattr(provider, field)
        if not value:
            yield field, f"Missing {missing} for: {key}"
        elif value != value.strip():
            yield field, f"OAuth provider {key}'s {label} contains unexpected whitespaces"
    if provider.provider_id == OAuthProviderId.OIDC0:
        yield from _check_addresses(key, provider)


def _check_addresses(key: str, provider: OAuthProviderConfig) -> Iterator[Finding]:
    if provider.issuer:  # it publishes the others
        reason = url_problem(provider.issuer)
        if reason is None and ("?" in provider.issuer or "#" in provider.issuer):
            reason = "it has a query or a fragment"
        if reason is not None:
            yield "issuer", f"Invalid issuer for: {key}: {reason}"
        return
    for field, label in (
        ("auth_url", "auth url"),
        ("token_url", "token url"),
        ("user_api_url", "user api url"),
    ):
        reason = url_problem(getattr(provider, field))
        if reason is not None:
            yield field, f"Invalid {label} for: {key}: {reason}"


def _check_schema(schema: JsonSchemaConfig) -> Iterator[Finding]:
    # Imported when first needed: start-up time, and few depots have schemas of their own.
    import jsonschema_rs  # noqa: PLC0415

    if not schema.name:
        yield "name", "Missing schema name"
    elif schema.name.startswith(RESERVED_SCHEMAS):
        yield "name", f"Schema name '{schema.name}' is reserved for built-in schemas"
    if not schema.HasField("schema"):
        yield "schema", "Missing schema"
        return
    try:
        document = orjson.loads(schema.schema)
    except orjson.JSONDecodeError as exc:
        yield "schema", f"Schema is invalid Json: {exc}"
        return
    try:
        # As they are compiled later: nothing is fetched, patterns take linear time.
        options = jsonschema_rs.RegexOptions()
        jsonschema_rs.validator_for(document, offline=True, pattern_options=options)
    except jsonschema_rs.ValidationError as exc:
        yield "schema", f"Not a valid Json schema: {exc.message}"
    except ValueError as exc:
        yield "schema", f"Not a valid Json schema: {exc}"


def _check_templates(email: EmailConfig) -> Iterator[Finding]:
    for field, names in TEMPLATE_VARIABLES.items():
        template: EmailTemplate = getattr(email, field)
        variable = re.compile(rf"\{{\{{ *(?:{'|'.join(names)}) *\}}\}}")
        if template.HasField("body") and not variable.search(template.body):
            listed = ", ".join(f"{{{{ {name} }}}}" for name in names)
            yield (
                f"{field}.body",
                f"Body needs to contain one of: {listed}. Got: {template.body}",
            )


def _check_smtp(email: EmailConfig) -> Iterator[Finding]:
    if not email.HasField("smtp_host"):
        for field in ("smtp_port", "smtp_username", "smtp_password"):
            if email.HasField(field):
                yield field, "Partial SMTP configuration provided. Host missing."
        return
    if not is_host(email.smtp_host):
        yield "smtp_host", f"SMTP host '{email.smtp_host}' is invalid."
    if email.HasField("sender_address"):
        if not is_email_address(email.sender_address):
            yield "sender_address", "Invalid sender address."
        if not email.HasField("sender_name"):
            yield "sender_name", "Sender address but missing sender name."
    if not email.HasField("smtp_port"):
        yield "smtp_port", "SMTP port missing."
    elif email.smtp_port > MAX_PORT:
        yield "smtp_port", f"Invalid SMTP port: {email.smtp_port} is not a u16."
    elif email.smtp_port == 0:
        yield "smtp_port", "Invalid SMTP port."
    if email.smtp_encryption != SmtpEncryption.SMTP_ENCRYPTION_NONE:
        yield from _check_credentials(email)


def _check_credentials(email: EmailConfig) -> Iterator[Finding]:
    for field, label in (("smtp_username", "username"), ("smtp_password", "password")):
        if not email.HasField(field):
            yield field, f"Missing SMTP {label}."
        elif not getattr(email, field):
            yield field, f"Invalid SMTP {label}."


def _check_job(job: SystemJob) -> Iterator[Finding]:
    if job.id == SystemJobId.SYSTEM_JOB_ID_UNDEFINED:
        yield "id", "Job is missing id."
    label = SystemJobId.Name(job.id)
    if not job.HasField("schedule"):
        yield "schedule", f"Job '{label}' is missing schedule."
        return
    try:
        parse_schedule(job.schedule)
    except ScheduleError as exc:
        yield "schedule", f"Schedule of job '{label}' not valid cron: {exc}"


def _check_backups(backups: BackupConfig) -> Iterator[Finding]:
    if backups.HasField("s3") and not backups.s3.bucket_name:
        yield "s3.bucket_name", "Missing name of the bucket"
    if backups.s3_prefix.startswith("/") or not backups.s3_prefix.isprintable():
        yield "s3_prefix", "Must not begin with a slash or hold control characters"
    if "\0" in backups.directory:
        yield "directory", "Not the name of a directory"


def _check_replication(replication: ReplicationConfig) -> Iterator[Finding]:
    if replication.HasField("s3") and not replication.s3.bucket_name:
        yield "s3.bucket_name", "Missing name of the bucket"
    if replication.HasField("s3") and replication.directory:
        yield "directory", "Either a directory or a bucket"
    if replication.s3_prefix.startswith("/") or not replication.s3_prefix.isprintable():
        yield "s3_prefix", "Must not begin with a slash or hold control characters"
    if not replication.directory.isprintable():
        yield "directory", "Not the name of a directory"
    if replication.HasField("keep_hours") and not 1 <= replication.keep_hours <= MAX_KEEP_HOURS:
        yield "keep_hours", f"Must be between 1 and {MAX_KEEP_HOURS}"
