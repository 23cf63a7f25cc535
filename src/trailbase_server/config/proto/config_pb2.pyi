from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SmtpEncryption(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SMTP_ENCRYPTION_UNDEFINED: _ClassVar[SmtpEncryption]
    SMTP_ENCRYPTION_NONE: _ClassVar[SmtpEncryption]
    SMTP_ENCRYPTION_STARTTLS: _ClassVar[SmtpEncryption]
    SMTP_ENCRYPTION_TLS: _ClassVar[SmtpEncryption]

class OAuthProviderId(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OAUTH_PROVIDER_ID_UNDEFINED: _ClassVar[OAuthProviderId]
    TEST: _ClassVar[OAuthProviderId]
    OIDC0: _ClassVar[OAuthProviderId]
    APPLE: _ClassVar[OAuthProviderId]
    DISCORD: _ClassVar[OAuthProviderId]
    GITLAB: _ClassVar[OAuthProviderId]
    GOOGLE: _ClassVar[OAuthProviderId]
    FACEBOOK: _ClassVar[OAuthProviderId]
    MICROSOFT: _ClassVar[OAuthProviderId]
    TWITCH: _ClassVar[OAuthProviderId]
    YANDEX: _ClassVar[OAuthProviderId]
    GITHUB: _ClassVar[OAuthProviderId]

class UserIdentifier(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USER_IDENTIFIER_UNDEFINED: _ClassVar[UserIdentifier]
    ONLY_EMAIL: _ClassVar[UserIdentifier]
    ONLY_USERNAME: _ClassVar[UserIdentifier]
    REQUIRE_EMAIL: _ClassVar[UserIdentifier]
    REQUIRE_USERNAME: _ClassVar[UserIdentifier]
    REQUIRE_EMAIL_AND_USERNAME: _ClassVar[UserIdentifier]

class UserVerification(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USER_VERIFICATION_UNDEFINED: _ClassVar[UserVerification]
    USER_VERIFICATION_REQUIRED: _ClassVar[UserVerification]
    USER_VERIFICATION_PREFERRED: _ClassVar[UserVerification]
    USER_VERIFICATION_DISCOURAGED: _ClassVar[UserVerification]

class RateLimitKey(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RATE_LIMIT_KEY_UNDEFINED: _ClassVar[RateLimitKey]
    ADDRESS: _ClassVar[RateLimitKey]
    USER: _ClassVar[RateLimitKey]

class SystemJobId(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SYSTEM_JOB_ID_UNDEFINED: _ClassVar[SystemJobId]
    BACKUP: _ClassVar[SystemJobId]
    HEARTBEAT: _ClassVar[SystemJobId]
    LOG_CLEANER: _ClassVar[SystemJobId]
    AUTH_CLEANER: _ClassVar[SystemJobId]
    QUERY_OPTIMIZER: _ClassVar[SystemJobId]
    FILE_DELETIONS: _ClassVar[SystemJobId]
    ANONYMOUS_CLEANER: _ClassVar[SystemJobId]

class ConflictResolutionStrategy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CONFLICT_RESOLUTION_STRATEGY_UNDEFINED: _ClassVar[ConflictResolutionStrategy]
    ABORT: _ClassVar[ConflictResolutionStrategy]
    IGNORE: _ClassVar[ConflictResolutionStrategy]
    REPLACE: _ClassVar[ConflictResolutionStrategy]

class PermissionFlag(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PERMISSION_FLAG_UNDEFINED: _ClassVar[PermissionFlag]
    CREATE: _ClassVar[PermissionFlag]
    READ: _ClassVar[PermissionFlag]
    UPDATE: _ClassVar[PermissionFlag]
    DELETE: _ClassVar[PermissionFlag]
    SCHEMA: _ClassVar[PermissionFlag]
SMTP_ENCRYPTION_UNDEFINED: SmtpEncryption
SMTP_ENCRYPTION_NONE: SmtpEncryption
SMTP_ENCRYPTION_STARTTLS: SmtpEncryption
SMTP_ENCRYPTION_TLS: SmtpEncryption
OAUTH_PROVIDER_ID_UNDEFINED: OAuthProviderId
TEST: OAuthProviderId
OIDC0: OAuthProviderId
APPLE: OAuthProviderId
DISCORD: OAuthProviderId
GITLAB: OAuthProviderId
GOOGLE: OAuthProviderId
FACEBOOK: OAuthProviderId
MICROSOFT: OAuthProviderId
TWITCH: OAuthProviderId
YANDEX: OAuthProviderId
GITHUB: OAuthProviderId
USER_IDENTIFIER_UNDEFINED: UserIdentifier
ONLY_EMAIL: UserIdentifier
ONLY_USERNAME: UserIdentifier
REQUIRE_EMAIL: UserIdentifier
REQUIRE_USERNAME: UserIdentifier
REQUIRE_EMAIL_AND_USERNAME: UserIdentifier
USER_VERIFICATION_UNDEFINED: UserVerification
USER_VERIFICATION_REQUIRED: UserVerification
USER_VERIFICATION_PREFERRED: UserVerification
USER_VERIFICATION_DISCOURAGED: UserVerification
RATE_LIMIT_KEY_UNDEFINED: RateLimitKey
ADDRESS: RateLimitKey
USER: RateLimitKey
SYSTEM_JOB_ID_UNDEFINED: SystemJobId
BACKUP: SystemJobId
HEARTBEAT: SystemJobId
LOG_CLEANER: SystemJobId
AUTH_CLEANER: SystemJobId
QUERY_OPTIMIZER: SystemJobId
FILE_DELETIONS: SystemJobId
ANONYMOUS_CLEANER: SystemJobId
CONFLICT_RESOLUTION_STRATEGY_UNDEFINED: ConflictResolutionStrategy
ABORT: ConflictResolutionStrategy
IGNORE: ConflictResolutionStrategy
REPLACE: ConflictResolutionStrategy
PERMISSION_FLAG_UNDEFINED: PermissionFlag
CREATE: PermissionFlag
READ: PermissionFlag
UPDATE: PermissionFlag
DELETE: PermissionFlag
SCHEMA: PermissionFlag
SECRET_FIELD_NUMBER: _ClassVar[int]
secret: _descriptor.FieldDescriptor

class EmailTemplate(_message.Message):
    __slots__ = ("subject", "body")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    subject: str
    body: str
    def __init__(self, subject: _Optional[str] = ..., body: _Optional[str] = ...) -> None: ...

class EmailConfig(_message.Message):
    __slots__ = ("smtp_host", "smtp_port", "smtp_username", "smtp_password", "smtp_encryption", "sender_name", "sender_address", "user_verification_template", "password_reset_template", "change_email_template", "otp_template", "disabled")
    SMTP_HOST_FIELD_NUMBER: _ClassVar[int]
    SMTP_PORT_FIELD_NUMBER: _ClassVar[int]
    SMTP_USERNAME_FIELD_NUMBER: _ClassVar[int]
    SMTP_PASSWORD_FIELD_NUMBER: _ClassVar[int]
    SMTP_ENCRYPTION_FIELD_NUMBER: _ClassVar[int]
    SENDER_NAME_FIELD_NUMBER: _ClassVar[int]
    SENDER_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    USER_VERIFICATION_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_RESET_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    CHANGE_EMAIL_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    OTP_TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    smtp_host: str
    smtp_port: int
    smtp_username: str
    smtp_password: str
    smtp_encryption: SmtpEncryption
    sender_name: str
    sender_address: str
    user_verification_template: EmailTemplate
    password_reset_template: EmailTemplate
    change_email_template: EmailTemplate
    otp_template: EmailTemplate
    disabled: bool
    def __init__(self, smtp_host: _Optional[str] = ..., smtp_port: _Optional[int] = ..., smtp_username: _Optional[str] = ..., smtp_password: _Optional[str] = ..., smtp_encryption: _Optional[_Union[SmtpEncryption, str]] = ..., sender_name: _Optional[str] = ..., sender_address: _Optional[str] = ..., user_verification_template: _Optional[_Union[EmailTemplate, _Mapping]] = ..., password_reset_template: _Optional[_Union[EmailTemplate, _Mapping]] = ..., change_email_template: _Optional[_Union[EmailTemplate, _Mapping]] = ..., otp_template: _Optional[_Union[EmailTemplate, _Mapping]] = ..., disabled: _Optional[bool] = ...) -> None: ...

class OAuthProviderConfig(_message.Message):
    __slots__ = ("client_id", "client_secret", "provider_id", "display_name", "auth_url", "token_url", "user_api_url", "scopes", "issuer", "require_email_verified")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_SECRET_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_ID_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    AUTH_URL_FIELD_NUMBER: _ClassVar[int]
    TOKEN_URL_FIELD_NUMBER: _ClassVar[int]
    USER_API_URL_FIELD_NUMBER: _ClassVar[int]
    SCOPES_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    REQUIRE_EMAIL_VERIFIED_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    client_secret: str
    provider_id: OAuthProviderId
    display_name: str
    auth_url: str
    token_url: str
    user_api_url: str
    scopes: _containers.RepeatedScalarFieldContainer[str]
    issuer: str
    require_email_verified: bool
    def __init__(self, client_id: _Optional[str] = ..., client_secret: _Optional[str] = ..., provider_id: _Optional[_Union[OAuthProviderId, str]] = ..., display_name: _Optional[str] = ..., auth_url: _Optional[str] = ..., token_url: _Optional[str] = ..., user_api_url: _Optional[str] = ..., scopes: _Optional[_Iterable[str]] = ..., issuer: _Optional[str] = ..., require_email_verified: _Optional[bool] = ...) -> None: ...

class PasskeyConfig(_message.Message):
    __slots__ = ("enabled", "rp_id", "rp_name", "user_verification", "origins")
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    RP_ID_FIELD_NUMBER: _ClassVar[int]
    RP_NAME_FIELD_NUMBER: _ClassVar[int]
    USER_VERIFICATION_FIELD_NUMBER: _ClassVar[int]
    ORIGINS_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    rp_id: str
    rp_name: str
    user_verification: UserVerification
    origins: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, enabled: _Optional[bool] = ..., rp_id: _Optional[str] = ..., rp_name: _Optional[str] = ..., user_verification: _Optional[_Union[UserVerification, str]] = ..., origins: _Optional[_Iterable[str]] = ...) -> None: ...

class AuthConfig(_message.Message):
    __slots__ = ("auth_token_ttl_sec", "refresh_token_ttl_sec", "disable_password_auth", "password_minimal_length", "password_must_contain_upper_and_lower_case", "password_must_contain_digits", "password_must_contain_special_characters", "enable_otp_signin", "anonymous_refresh_token_ttl_sec", "oauth_providers", "enable_anonymous_signin", "custom_uri_schemes", "redirect_uri_allowlist", "user_identifier", "passkeys", "unconfirmed_account_ttl_sec")
    class OauthProvidersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: OAuthProviderConfig
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[OAuthProviderConfig, _Mapping]] = ...) -> None: ...
    AUTH_TOKEN_TTL_SEC_FIELD_NUMBER: _ClassVar[int]
    REFRESH_TOKEN_TTL_SEC_FIELD_NUMBER: _ClassVar[int]
    DISABLE_PASSWORD_AUTH_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_MINIMAL_LENGTH_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_MUST_CONTAIN_UPPER_AND_LOWER_CASE_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_MUST_CONTAIN_DIGITS_FIELD_NUMBER: _ClassVar[int]
    PASSWORD_MUST_CONTAIN_SPECIAL_CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    ENABLE_OTP_SIGNIN_FIELD_NUMBER: _ClassVar[int]
    ANONYMOUS_REFRESH_TOKEN_TTL_SEC_FIELD_NUMBER: _ClassVar[int]
    OAUTH_PROVIDERS_FIELD_NUMBER: _ClassVar[int]
    ENABLE_ANONYMOUS_SIGNIN_FIELD_NUMBER: _ClassVar[int]
    CUSTOM_URI_SCHEMES_FIELD_NUMBER: _ClassVar[int]
    REDIRECT_URI_ALLOWLIST_FIELD_NUMBER: _ClassVar[int]
    USER_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    PASSKEYS_FIELD_NUMBER: _ClassVar[int]
    UNCONFIRMED_ACCOUNT_TTL_SEC_FIELD_NUMBER: _ClassVar[int]
    auth_token_ttl_sec: int
    refresh_token_ttl_sec: int
    disable_password_auth: bool
    password_minimal_length: int
    password_must_contain_upper_and_lower_case: bool
    password_must_contain_digits: bool
    password_must_contain_special_characters: bool
    enable_otp_signin: bool
    anonymous_refresh_token_ttl_sec: int
    oauth_providers: _containers.MessageMap[str, OAuthProviderConfig]
    enable_anonymous_signin: bool
    custom_uri_schemes: _containers.RepeatedScalarFieldContainer[str]
    redirect_uri_allowlist: _containers.RepeatedScalarFieldContainer[str]
    user_identifier: UserIdentifier
    passkeys: PasskeyConfig
    unconfirmed_account_ttl_sec: int
    def __init__(self, auth_token_ttl_sec: _Optional[int] = ..., refresh_token_ttl_sec: _Optional[int] = ..., disable_password_auth: _Optional[bool] = ..., password_minimal_length: _Optional[int] = ..., password_must_contain_upper_and_lower_case: _Optional[bool] = ..., password_must_contain_digits: _Optional[bool] = ..., password_must_contain_special_characters: _Optional[bool] = ..., enable_otp_signin: _Optional[bool] = ..., anonymous_refresh_token_ttl_sec: _Optional[int] = ..., oauth_providers: _Optional[_Mapping[str, OAuthProviderConfig]] = ..., enable_anonymous_signin: _Optional[bool] = ..., custom_uri_schemes: _Optional[_Iterable[str]] = ..., redirect_uri_allowlist: _Optional[_Iterable[str]] = ..., user_identifier: _Optional[_Union[UserIdentifier, str]] = ..., passkeys: _Optional[_Union[PasskeyConfig, _Mapping]] = ..., unconfirmed_account_ttl_sec: _Optional[int] = ...) -> None: ...

class S3StorageConfig(_message.Message):
    __slots__ = ("endpoint", "region", "bucket_name", "access_key", "secret_access_key")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    BUCKET_NAME_FIELD_NUMBER: _ClassVar[int]
    ACCESS_KEY_FIELD_NUMBER: _ClassVar[int]
    SECRET_ACCESS_KEY_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    region: str
    bucket_name: str
    access_key: str
    secret_access_key: str
    def __init__(self, endpoint: _Optional[str] = ..., region: _Optional[str] = ..., bucket_name: _Optional[str] = ..., access_key: _Optional[str] = ..., secret_access_key: _Optional[str] = ...) -> None: ...

class RateLimit(_message.Message):
    __slots__ = ("path", "methods", "operation", "per", "requests", "seconds", "burst")
    PATH_FIELD_NUMBER: _ClassVar[int]
    METHODS_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    PER_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    BURST_FIELD_NUMBER: _ClassVar[int]
    path: str
    methods: _containers.RepeatedScalarFieldContainer[str]
    operation: str
    per: RateLimitKey
    requests: int
    seconds: int
    burst: int
    def __init__(self, path: _Optional[str] = ..., methods: _Optional[_Iterable[str]] = ..., operation: _Optional[str] = ..., per: _Optional[_Union[RateLimitKey, str]] = ..., requests: _Optional[int] = ..., seconds: _Optional[int] = ..., burst: _Optional[int] = ...) -> None: ...

class AccessLogConfig(_message.Message):
    __slots__ = ("disabled", "exclude_paths", "sample_one_in", "max_size_bytes")
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    EXCLUDE_PATHS_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_ONE_IN_FIELD_NUMBER: _ClassVar[int]
    MAX_SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    disabled: bool
    exclude_paths: _containers.RepeatedScalarFieldContainer[str]
    sample_one_in: int
    max_size_bytes: int
    def __init__(self, disabled: _Optional[bool] = ..., exclude_paths: _Optional[_Iterable[str]] = ..., sample_one_in: _Optional[int] = ..., max_size_bytes: _Optional[int] = ...) -> None: ...

class ServerConfig(_message.Message):
    __slots__ = ("application_name", "site_url", "logs_retention_sec", "s3_storage_config", "enable_record_transactions", "request_size_limit_bytes", "auth_ip_rate_limit", "backup_window_size", "rate_limits", "upload_size_limit_bytes", "hsts_max_age_sec", "access_log", "audit_retention_sec", "public_openapi")
    APPLICATION_NAME_FIELD_NUMBER: _ClassVar[int]
    SITE_URL_FIELD_NUMBER: _ClassVar[int]
    LOGS_RETENTION_SEC_FIELD_NUMBER: _ClassVar[int]
    S3_STORAGE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    ENABLE_RECORD_TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_SIZE_LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    AUTH_IP_RATE_LIMIT_FIELD_NUMBER: _ClassVar[int]
    BACKUP_WINDOW_SIZE_FIELD_NUMBER: _ClassVar[int]
    RATE_LIMITS_FIELD_NUMBER: _ClassVar[int]
    UPLOAD_SIZE_LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    HSTS_MAX_AGE_SEC_FIELD_NUMBER: _ClassVar[int]
    ACCESS_LOG_FIELD_NUMBER: _ClassVar[int]
    AUDIT_RETENTION_SEC_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_OPENAPI_FIELD_NUMBER: _ClassVar[int]
    application_name: str
    site_url: str
    logs_retention_sec: int
    s3_storage_config: S3StorageConfig
    enable_record_transactions: bool
    request_size_limit_bytes: int
    auth_ip_rate_limit: int
    backup_window_size: int
    rate_limits: _containers.RepeatedCompositeFieldContainer[RateLimit]
    upload_size_limit_bytes: int
    hsts_max_age_sec: int
    access_log: AccessLogConfig
    audit_retention_sec: int
    public_openapi: bool
    def __init__(self, application_name: _Optional[str] = ..., site_url: _Optional[str] = ..., logs_retention_sec: _Optional[int] = ..., s3_storage_config: _Optional[_Union[S3StorageConfig, _Mapping]] = ..., enable_record_transactions: _Optional[bool] = ..., request_size_limit_bytes: _Optional[int] = ..., auth_ip_rate_limit: _Optional[int] = ..., backup_window_size: _Optional[int] = ..., rate_limits: _Optional[_Iterable[_Union[RateLimit, _Mapping]]] = ..., upload_size_limit_bytes: _Optional[int] = ..., hsts_max_age_sec: _Optional[int] = ..., access_log: _Optional[_Union[AccessLogConfig, _Mapping]] = ..., audit_retention_sec: _Optional[int] = ..., public_openapi: _Optional[bool] = ...) -> None: ...

class SystemJob(_message.Message):
    __slots__ = ("id", "schedule", "disabled")
    ID_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    DISABLED_FIELD_NUMBER: _ClassVar[int]
    id: SystemJobId
    schedule: str
    disabled: bool
    def __init__(self, id: _Optional[_Union[SystemJobId, str]] = ..., schedule: _Optional[str] = ..., disabled: _Optional[bool] = ...) -> None: ...

class JobsConfig(_message.Message):
    __slots__ = ("system_jobs",)
    SYSTEM_JOBS_FIELD_NUMBER: _ClassVar[int]
    system_jobs: _containers.RepeatedCompositeFieldContainer[SystemJob]
    def __init__(self, system_jobs: _Optional[_Iterable[_Union[SystemJob, _Mapping]]] = ...) -> None: ...

class DatabaseConfig(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class RecordApiConfig(_message.Message):
    __slots__ = ("name", "table_name", "attached_databases", "conflict_resolution", "autofill_missing_user_id_columns", "acl_world", "acl_authenticated", "enable_subscriptions", "excluded_columns", "create_access_rule", "read_access_rule", "update_access_rule", "delete_access_rule", "schema_access_rule", "expand", "listing_hard_limit")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TABLE_NAME_FIELD_NUMBER: _ClassVar[int]
    ATTACHED_DATABASES_FIELD_NUMBER: _ClassVar[int]
    CONFLICT_RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    AUTOFILL_MISSING_USER_ID_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    ACL_WORLD_FIELD_NUMBER: _ClassVar[int]
    ACL_AUTHENTICATED_FIELD_NUMBER: _ClassVar[int]
    ENABLE_SUBSCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_COLUMNS_FIELD_NUMBER: _ClassVar[int]
    CREATE_ACCESS_RULE_FIELD_NUMBER: _ClassVar[int]
    READ_ACCESS_RULE_FIELD_NUMBER: _ClassVar[int]
    UPDATE_ACCESS_RULE_FIELD_NUMBER: _ClassVar[int]
    DELETE_ACCESS_RULE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_ACCESS_RULE_FIELD_NUMBER: _ClassVar[int]
    EXPAND_FIELD_NUMBER: _ClassVar[int]
    LISTING_HARD_LIMIT_FIELD_NUMBER: _ClassVar[int]
    name: str
    table_name: str
    attached_databases: _containers.RepeatedScalarFieldContainer[str]
    conflict_resolution: ConflictResolutionStrategy
    autofill_missing_user_id_columns: bool
    acl_world: _containers.RepeatedScalarFieldContainer[PermissionFlag]
    acl_authenticated: _containers.RepeatedScalarFieldContainer[PermissionFlag]
    enable_subscriptions: bool
    excluded_columns: _containers.RepeatedScalarFieldContainer[str]
    create_access_rule: str
    read_access_rule: str
    update_access_rule: str
    delete_access_rule: str
    schema_access_rule: str
    expand: _containers.RepeatedScalarFieldContainer[str]
    listing_hard_limit: int
    def __init__(self, name: _Optional[str] = ..., table_name: _Optional[str] = ..., attached_databases: _Optional[_Iterable[str]] = ..., conflict_resolution: _Optional[_Union[ConflictResolutionStrategy, str]] = ..., autofill_missing_user_id_columns: _Optional[bool] = ..., acl_world: _Optional[_Iterable[_Union[PermissionFlag, str]]] = ..., acl_authenticated: _Optional[_Iterable[_Union[PermissionFlag, str]]] = ..., enable_subscriptions: _Optional[bool] = ..., excluded_columns: _Optional[_Iterable[str]] = ..., create_access_rule: _Optional[str] = ..., read_access_rule: _Optional[str] = ..., update_access_rule: _Optional[str] = ..., delete_access_rule: _Optional[str] = ..., schema_access_rule: _Optional[str] = ..., expand: _Optional[_Iterable[str]] = ..., listing_hard_limit: _Optional[int] = ...) -> None: ...

class JsonSchemaConfig(_message.Message):
    __slots__ = ("name", "schema")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    name: str
    schema: str
    def __init__(self, name: _Optional[str] = ..., schema: _Optional[str] = ...) -> None: ...

class BackupConfig(_message.Message):
    __slots__ = ("directory", "s3", "s3_prefix", "include_logs", "include_uploads", "include_config", "include_secrets", "compress", "keep_hourly", "keep_daily", "keep_weekly")
    DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    S3_FIELD_NUMBER: _ClassVar[int]
    S3_PREFIX_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_LOGS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_UPLOADS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_CONFIG_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SECRETS_FIELD_NUMBER: _ClassVar[int]
    COMPRESS_FIELD_NUMBER: _ClassVar[int]
    KEEP_HOURLY_FIELD_NUMBER: _ClassVar[int]
    KEEP_DAILY_FIELD_NUMBER: _ClassVar[int]
    KEEP_WEEKLY_FIELD_NUMBER: _ClassVar[int]
    directory: str
    s3: S3StorageConfig
    s3_prefix: str
    include_logs: bool
    include_uploads: bool
    include_config: bool
    include_secrets: bool
    compress: bool
    keep_hourly: int
    keep_daily: int
    keep_weekly: int
    def __init__(self, directory: _Optional[str] = ..., s3: _Optional[_Union[S3StorageConfig, _Mapping]] = ..., s3_prefix: _Optional[str] = ..., include_logs: _Optional[bool] = ..., include_uploads: _Optional[bool] = ..., include_config: _Optional[bool] = ..., include_secrets: _Optional[bool] = ..., compress: _Optional[bool] = ..., keep_hourly: _Optional[int] = ..., keep_daily: _Optional[int] = ..., keep_weekly: _Optional[int] = ...) -> None: ...

class ReplicationConfig(_message.Message):
    __slots__ = ("directory", "s3", "s3_prefix", "include_logs", "keep_hours")
    DIRECTORY_FIELD_NUMBER: _ClassVar[int]
    S3_FIELD_NUMBER: _ClassVar[int]
    S3_PREFIX_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_LOGS_FIELD_NUMBER: _ClassVar[int]
    KEEP_HOURS_FIELD_NUMBER: _ClassVar[int]
    directory: str
    s3: S3StorageConfig
    s3_prefix: str
    include_logs: bool
    keep_hours: int
    def __init__(self, directory: _Optional[str] = ..., s3: _Optional[_Union[S3StorageConfig, _Mapping]] = ..., s3_prefix: _Optional[str] = ..., include_logs: _Optional[bool] = ..., keep_hours: _Optional[int] = ...) -> None: ...

class Config(_message.Message):
    __slots__ = ("email", "server", "auth", "jobs", "databases", "record_apis", "schemas", "backups", "replication")
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    SERVER_FIELD_NUMBER: _ClassVar[int]
    AUTH_FIELD_NUMBER: _ClassVar[int]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    DATABASES_FIELD_NUMBER: _ClassVar[int]
    RECORD_APIS_FIELD_NUMBER: _ClassVar[int]
    SCHEMAS_FIELD_NUMBER: _ClassVar[int]
    BACKUPS_FIELD_NUMBER: _ClassVar[int]
    REPLICATION_FIELD_NUMBER: _ClassVar[int]
    email: EmailConfig
    server: ServerConfig
    auth: AuthConfig
    jobs: JobsConfig
    databases: _containers.RepeatedCompositeFieldContainer[DatabaseConfig]
    record_apis: _containers.RepeatedCompositeFieldContainer[RecordApiConfig]
    schemas: _containers.RepeatedCompositeFieldContainer[JsonSchemaConfig]
    backups: BackupConfig
    replication: ReplicationConfig
    def __init__(self, email: _Optional[_Union[EmailConfig, _Mapping]] = ..., server: _Optional[_Union[ServerConfig, _Mapping]] = ..., auth: _Optional[_Union[AuthConfig, _Mapping]] = ..., jobs: _Optional[_Union[JobsConfig, _Mapping]] = ..., databases: _Optional[_Iterable[_Union[DatabaseConfig, _Mapping]]] = ..., record_apis: _Optional[_Iterable[_Union[RecordApiConfig, _Mapping]]] = ..., schemas: _Optional[_Iterable[_Union[JsonSchemaConfig, _Mapping]]] = ..., backups: _Optional[_Union[BackupConfig, _Mapping]] = ..., replication: _Optional[_Union[ReplicationConfig, _Mapping]] = ...) -> None: ...

class Vault(_message.Message):
    __slots__ = ("secrets",)
    class SecretsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    SECRETS_FIELD_NUMBER: _ClassVar[int]
    secrets: _containers.ScalarMap[str, str]
    def __init__(self, secrets: _Optional[_Mapping[str, str]] = ...) -> None: ...

class GetConfigResponse(_message.Message):
    __slots__ = ("config", "hash")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    config: Config
    hash: str
    def __init__(self, config: _Optional[_Union[Config, _Mapping]] = ..., hash: _Optional[str] = ...) -> None: ...

class UpdateConfigRequest(_message.Message):
    __slots__ = ("config", "hash")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    config: Config
    hash: str
    def __init__(self, config: _Optional[_Union[Config, _Mapping]] = ..., hash: _Optional[str] = ...) -> None: ...
