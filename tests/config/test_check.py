import pytest
from hypothesis import given

from tests.config.messages import messages
from trailbase_server.config.check import check_config
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.config.textproto import parse_text

BASE = "server { application_name: 'Harbor' }\n"
OIDC = """client_id: 'a' client_secret: 'b' provider_id: OIDC0
    auth_url: 'http://x/a' token_url: 'http://x/t' user_api_url: 'http://x/u'"""
SMTP = "smtp_host: 'mail.test' smtp_port: 25 smtp_encryption: SMTP_ENCRYPTION_NONE"


def check(text):
    config, mistakes = parse_text(text, Config)
    assert mistakes == []
    return [(problem.path, problem.message) for problem in check_config(config)]


def provider(key, fields):
    return f"auth {{ oauth_providers: [{{ key: '{key}' value {{ {fields} }} }}] }}"


def passkeys(fields):
    return f"auth {{ passkeys {{ {fields} }} }}"


def api(fields):
    return f"record_apis: [{{ {fields} }}]"


def job(fields):
    return f"jobs {{ system_jobs: [{{ {fields} }}] }}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "databases: [{ name: 'tide' }, { name: 'ebb-2' }]",
        api("name: 'vessel' table_name: 'vessel'"),
        api("name: 'v' table_name: '\"vessel\"'"),
        api("name: 'v' table_name: 'main.vessel'"),
        "databases: [{ name: 'tide' }]"
        + api("name: 'v' table_name: 'tide.g' attached_databases: 'tide'"),
        provider("oidc0", OIDC),
        provider("oidc0", f"{OIDC.splitlines()[0]} issuer: 'https://id.test/realm'"),
        passkeys("enabled: true"),
        passkeys("rp_id: 'harbor.test' origins: ['https://harbor.test', 'https://a.harbor.test']"),
        passkeys("rp_id: 'localhost' origins: 'http://localhost:4000'"),
        passkeys(f"origins: ['https://other.test:8443', 'android:apk-key-hash:{'a' * 43}']"),
        provider("github", "client_id: 'a' client_secret: 'b' provider_id: GITHUB"),
        "schemas: [{ name: 'berth' schema: '{\"type\": \"object\"}' }]",
        "schemas: [{ name: 'any' schema: 'true' }]",
        "email { smtp_host: '127.0.0.1' smtp_port: 25 smtp_encryption: SMTP_ENCRYPTION_NONE }",
        "email { smtp_host: 'm' smtp_port: 465 smtp_username: 'u' smtp_password: 'p' }",
        f"email {{ {SMTP} sender_name: 'Mate' sender_address: 'mate@harbor.test' }}",
        "email { sender_address: 'not checked without a host' }",
        "email { otp_template { body: 'x {{CODE}}' } }",
        "backups { directory: '/mnt/backups' s3 { bucket_name: 'b' } s3_prefix: 'pier/' }",
        "email { user_verification_template { body: '{{  TOKEN }}' } change_email_template {} }",
        job("id: BACKUP schedule: '0 30 2 * * MON-FRI 2030-2040' disabled: true"),
        job("id: BACKUP schedule: '@weekly'"),
    ],
)
def test_good_configurations(text):
    assert check(BASE + text) == []


@pytest.mark.parametrize(
    ("server", "field", "message"),
    [
        ("", "application_name", "Missing application name"),
        ("application_name: ''", "application_name", "Application name must not be empty"),
        (
            "application_name: 'Har<b>or'",
            "application_name",
            "Application name: Har<b>or. Must only contain alphanumeric characters, spaces or",
        ),
        ("application_name: 'é'", "application_name", "Application name: é."),
        (
            "application_name: 'a' site_url: 'harbor.test'",
            "site_url",
            "Failed to parse site_url 'harbor.test': it must begin with http:// or https://",
        ),
        (
            "application_name: 'a' audit_retention_sec: 86399",
            "audit_retention_sec",
            "Must be at least 86400, or 0: never.",
        ),
        ("application_name: 'a' site_url: ''", "site_url", "Failed to parse site_url '': "),
    ],
)
def test_the_server_needs_a_name_and_a_good_address(server, field, message):
    ((path, found),) = check(f"server {{ {server} }}")
    assert path == f"server.{field}"
    assert found.startswith(message)


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("databases: [{}]", "databases[0].name", "Missing database name"),
        ("databases: [{ name: '' }]", "databases[0].name", "Missing database name"),
        *(
            (
                f"databases: [{{ name: '{name}' }}]",
                "databases[0].name",
                f"Invalid database name: {name}",
            )
            for name in ("main", "public", "logs", "session", "temp", "MAIN", "../tide", "a b", "é")
        ),
        (
            "databases: [{ name: 'tide' }, { name: 'Tide' }]",
            "databases[1].name",
            "Database 'Tide' linked more than once",
        ),
        (
            api("table_name: 'v'"),
            "record_apis[0].name",
            "Found RecordApi config entry w/o API name.",
        ),
        (api("name: '' table_name: 'v'"), "record_apis[0].name", "Invalid api name: "),
        (api("name: 've-s' table_name: 'v'"), "record_apis[0].name", "Invalid api name: ve-s"),
        *(
            (
                api(f"name: 'v' {table}"),
                "record_apis[0].table_name",
                "Missing TABLE/VIEW reference for API 'v'",
            )
            for table in ("", "table_name: ''", "table_name: 'a.b.c'", "table_name: 'a;b'")
        ),
        (
            api("name: 'v' table_name: 'v' attached_databases: ['tide', 'ebb']"),
            "record_apis[0].attached_databases",
            'API \'v\' references unknown databases: ["tide", "ebb"].',
        ),
        (
            "record_apis: [{ name: 'v' table_name: 'v' }, { name: 'v' table_name: 'w' }]",
            "record_apis[1].name",
            "Two or more APIs have the colliding name: 'v'",
        ),
        (
            provider("discord", OIDC),
            'auth.oauth_providers["discord"].provider_id',
            "Factory name mismatch for: discord",
        ),
        (
            provider("oidc0", "client_id: 'a' client_secret: 'b'"),
            'auth.oauth_providers["oidc0"].provider_id',
            "Invalid id for provider: oidc0",
        ),
        (
            provider("test", "client_id: 'a' client_secret: 'b' provider_id: TEST"),
            'auth.oauth_providers["test"].provider_id',
            "Missing factory for: test",
        ),
        (
            provider("oidc0", OIDC.replace("client_id: 'a'", "")),
            'auth.oauth_providers["oidc0"].client_id',
            "Missing client id for: oidc0",
        ),
        (
            provider("oidc0", OIDC.replace("client_secret: 'b'", "")),
            'auth.oauth_providers["oidc0"].client_secret',
            "Missing secret for: oidc0",
        ),
        (
            provider("oidc0", OIDC.replace("'b'", "'b '")),
            'auth.oauth_providers["oidc0"].client_secret',
            "OAuth provider oidc0's secret contains unexpected whitespaces",
        ),
        (
            provider("oidc0", OIDC.replace("http://x/t", "x")),
            'auth.oauth_providers["oidc0"].token_url',
            "Invalid token url for: oidc0",
        ),
        (
            provider("oidc0", f"{OIDC} issuer: 'id.test'"),
            'auth.oauth_providers["oidc0"].issuer',
            "Invalid issuer for: oidc0",
        ),
        (
            provider("oidc0", f"{OIDC} issuer: 'https://id.test/?realm=1'"),
            'auth.oauth_providers["oidc0"].issuer',
            "Invalid issuer for: oidc0",
        ),
        ("schemas: [{ schema: '{}' }]", "schemas[0].name", "Missing schema name"),
        ("schemas: [{ name: 'x' }]", "schemas[0].schema", "Missing schema"),
        (
            "schemas: [{ name: 'std.x' schema: '{}' }]",
            "schemas[0].name",
            "Schema name 'std.x' is reserved for built-in schemas",
        ),
        (
            "schemas: [{ name: 'x' schema: 'nonsense' }]",
            "schemas[0].schema",
            "Schema is invalid Json: ",
        ),
        *(
            (
                f"schemas: [{{ name: 'x' schema: '{schema}' }}]",
                "schemas[0].schema",
                "Not a valid Json schema: ",
            )
            for schema in (
                '{"type": 5}',
                '{"pattern": "("}',
                '{"pattern": "(?=x)"}',
                '{"$ref": "http://x.test/s"}',
                "5",
                "[]",
            )
        ),
        (
            "email { otp_template { body: 'in another castle {{ TOKEN }}' } }",
            "email.otp_template.body",
            "Body needs to contain one of: {{ CODE }}. Got: in another castle {{ TOKEN }}",
        ),
        (
            "email { password_reset_template { body: '' } }",
            "email.password_reset_template.body",
            "Body needs to contain one of: {{ TOKEN }}, {{ CODE }}. Got: ",
        ),
        *(
            (
                f"email {{ {field} }}",
                f"email.{field.split(':')[0]}",
                "Partial SMTP configuration provided. Host missing.",
            )
            for field in ("smtp_port: 25", "smtp_username: 'a'", "smtp_password: 'a'")
        ),
        (
            f"email {{ {SMTP.replace('mail.test', 'smtp://mail.test')} }}",
            "email.smtp_host",
            "SMTP host 'smtp://mail.test' is invalid.",
        ),
        (
            f"email {{ {SMTP.replace('smtp_port: 25', '')} }}",
            "email.smtp_port",
            "SMTP port missing.",
        ),
        (f"email {{ {SMTP.replace('25', '0')} }}", "email.smtp_port", "Invalid SMTP port."),
        (f"email {{ {SMTP.replace('25', '65536')} }}", "email.smtp_port", "Invalid SMTP port"),
        (
            f"email {{ {SMTP} sender_address: 'a@b' }}",
            "email.sender_name",
            "Sender address but missing sender name.",
        ),
        (
            f"email {{ {SMTP} sender_address: 'a' sender_name: 'A' }}",
            "email.sender_address",
            "Invalid sender address.",
        ),
        (
            "email { smtp_host: 'm' smtp_port: 25 smtp_password: 'p' }",
            "email.smtp_username",
            "Missing SMTP username.",
        ),
        (
            "email { smtp_host: 'm' smtp_port: 25 smtp_username: 'u' smtp_password: '' }",
            "email.smtp_password",
            "Invalid SMTP password.",
        ),
        (job("schedule: '@daily'"), "jobs.system_jobs[0].id", "Job is missing id."),
        (
            job("id: BACKUP disabled: true"),
            "jobs.system_jobs[0].schedule",
            "Job 'BACKUP' is missing schedule.",
        ),
        *(
            (
                job(f"id: BACKUP schedule: '{schedule}'"),
                "jobs.system_jobs[0].schedule",
                "Schedule of job 'BACKUP' not valid cron: ",
            )
            for schedule in ("0 0 * * *", "@midnight", "")
        ),
    ],
)
def test_a_mistake_is_told_with_its_field_and_upstreams_words(text, path, message):
    ((found_path, found),) = check(BASE + text)
    assert found_path == path
    assert found.startswith(message)


@pytest.mark.parametrize(
    "domain", ["", "https://a.test", "a.test:80", "10.0.0.1", "[::1]", "::1", "a b", "a.test."]
)
def test_keys_belong_to_a_domain(domain):
    [(path, message)] = check(BASE + passkeys(f"rp_id: '{domain}'"))
    assert path == "auth.passkeys.rp_id"
    assert message == f"'{domain}' is no domain: no scheme, port or IP address"


@pytest.mark.parametrize(
    ("origin", "reason"),
    [
        ("harbor.test", "it must begin with http:// or https://"),
        ("https://harbor.test/", "an origin is scheme, host and port, in lower case"),
        ("https://Harbor.test", "an origin is scheme, host and port, in lower case"),
        ("https://me@harbor.test", "an origin is scheme, host and port, in lower case"),
        ("https://harbor.test:443", "browsers leave this port out"),
        ("http://harbor.test", "browsers want https"),
        ("https://evilharbor.test", "it is not below 'harbor.test'"),
        ("https://harbor.test.evil", "it is not below 'harbor.test'"),
        ("android:apk-key-hash:short", "it must begin with http:// or https://"),
    ],
)
def test_keys_are_used_from_pages_below_their_domain(origin, reason):
    text = passkeys(f"rp_id: 'harbor.test' origins: ['https://harbor.test', '{origin}']")
    [(path, message)] = check(BASE + text)
    assert path == "auth.passkeys.origins[1]"
    assert message == f"'{origin}' cannot use passkeys: {reason}"


def test_all_mistakes_are_told_in_the_order_of_the_checks():
    text = f"""
        {job("id: BACKUP")} email {{ smtp_port: 1 }} schemas: [{{ name: 'x' }}]
        {provider("oidc0", "provider_id: OIDC0")} {api("")} databases: [{{}}]
    """
    assert [path for path, _ in check(text)] == [
        "server.application_name",
        "databases[0].name",
        "record_apis[0].name",
        "record_apis[0].table_name",
        'auth.oauth_providers["oidc0"].client_id',
        'auth.oauth_providers["oidc0"].client_secret',
        'auth.oauth_providers["oidc0"].auth_url',
        'auth.oauth_providers["oidc0"].token_url',
        'auth.oauth_providers["oidc0"].user_api_url',
        "schemas[0].schema",
        "email.smtp_port",
        "jobs.system_jobs[0].schedule",
    ]


@given(messages(Config))
def test_any_configuration_can_be_checked(config):
    for problem in check_config(config):
        assert problem.message


def test_backups():
    assert check(BASE + "backups { s3 {} s3_prefix: '/x' directory: 'a\\000' }") == [
        ("backups.s3.bucket_name", "Missing name of the bucket"),
        ("backups.s3_prefix", "Must not begin with a slash or hold control characters"),
        ("backups.directory", "Not the name of a directory"),
    ]


def test_replication():
    text = "replication { s3 {} s3_prefix: '/x' directory: 'a\\000' keep_hours: 0 }"
    assert check(BASE + text) == [
        ("replication.s3.bucket_name", "Missing name of the bucket"),
        ("replication.directory", "Either a directory or a bucket"),
        ("replication.s3_prefix", "Must not begin with a slash or hold control characters"),
        ("replication.directory", "Not the name of a directory"),
        ("replication.keep_hours", "Must be between 1 and 8784"),
    ]
