import pytest

from trailbase_server.config.environment import MAX_FILE_BYTES, apply_environment
from trailbase_server.config.fields import complete
from trailbase_server.config.proto.config_pb2 import Config, UserIdentifier


def apply(environ, config=None):
    config = complete(config or Config())
    overrides, problems = apply_environment(config, environ)
    return config, overrides, problems


@pytest.mark.parametrize(
    ("variable", "text", "path", "value"),
    [
        ("TRAIL_SERVER_SITE_URL", "http://x", "server.site_url", "http://x"),
        ("TRAIL_SERVER_APPLICATION_NAME", "", "server.application_name", ""),
        ("TRAIL_EMAIL_SMTP_PORT", "25", "email.smtp_port", 25),
        ("TRAIL_AUTH_REFRESH_TOKEN_TTL_SEC", "-1", "auth.refresh_token_ttl_sec", -1),
        ("TRAIL_AUTH_DISABLE_PASSWORD_AUTH", "true", "auth.disable_password_auth", True),
        ("TRAIL_AUTH_DISABLE_PASSWORD_AUTH", "false", "auth.disable_password_auth", False),
        (
            *("TRAIL_AUTH_USER_IDENTIFIER", "5", "auth.user_identifier"),
            UserIdentifier.REQUIRE_EMAIL_AND_USERNAME,
        ),
    ],
)
def test_a_variable_sets_its_field(variable, text, path, value):
    config, overrides, problems = apply({variable: text})
    message, name = path.split(".")
    assert getattr(getattr(config, message), name) == value
    assert getattr(config, message).HasField(name)
    assert (overrides, problems) == ({path: variable}, [])


def test_a_list_becomes_the_value_alone():
    config, _, _ = apply(
        {"TRAIL_AUTH_CUSTOM_URI_SCHEMES": "one,two"},
        Config(auth={"custom_uri_schemes": ["a", "b"]}),
    )
    assert list(config.auth.custom_uri_schemes) == ["one,two"]


def test_map_entries_are_reached_by_their_key_and_absent_messages_are_not():
    before = Config()
    before.auth.oauth_providers["discord"].SetInParent()
    config, overrides, problems = apply(
        {
            "TRAIL_AUTH_OAUTH_PROVIDERS_DISCORD_CLIENT_SECRET": "s",
            "TRAIL_AUTH_OAUTH_PROVIDERS_GITHUB_CLIENT_SECRET": "s",
            "TRAIL_SERVER_S3_STORAGE_CONFIG_REGION": "nowhere",
            "TRAIL_SERVER_COLOUR": "blue",
            "PATH": "/bin",
        },
        before,
    )
    assert config.auth.oauth_providers["discord"].client_secret == "s"
    assert list(overrides) == ['auth.oauth_providers["discord"].client_secret']
    assert not config.server.HasField("s3_storage_config")
    assert problems == []


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("TRAIL_AUTH_AUTH_TOKEN_TTL_SEC", "soon"),
        ("TRAIL_AUTH_AUTH_TOKEN_TTL_SEC", ""),
        ("TRAIL_AUTH_AUTH_TOKEN_TTL_SEC", "1_000"),
        ("TRAIL_AUTH_AUTH_TOKEN_TTL_SEC", " 1"),
        ("TRAIL_AUTH_AUTH_TOKEN_TTL_SEC", "9223372036854775808"),
        ("TRAIL_AUTH_AUTH_TOKEN_TTL_SEC", "9" * 6000),
        ("TRAIL_AUTH_PASSWORD_MINIMAL_LENGTH", "-1"),
        ("TRAIL_AUTH_PASSWORD_MINIMAL_LENGTH", "4294967296"),
        ("TRAIL_AUTH_DISABLE_PASSWORD_AUTH", "yes"),
        ("TRAIL_AUTH_DISABLE_PASSWORD_AUTH", "TRUE"),
        ("TRAIL_AUTH_USER_IDENTIFIER", "99"),
        ("TRAIL_AUTH_USER_IDENTIFIER", "ONLY_EMAIL"),
        ("TRAIL_SERVER_SITE_URL", "\udcff"),
    ],
)
def test_a_value_that_does_not_fit_is_a_problem_that_names_the_variable(variable, text):
    _, overrides, problems = apply({variable: text})
    assert overrides == {}
    assert [variable in problem.message for problem in problems] == [True]


def test_all_bad_values_are_told():
    problems = apply({"TRAIL_EMAIL_SMTP_PORT": "x", "TRAIL_SERVER_BACKUP_WINDOW_SIZE": "y"})[2]
    assert [problem.path for problem in problems] == [
        "email.smtp_port",
        "server.backup_window_size",
    ]


def test_a_value_is_read_from_a_file_without_its_last_line_break(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("horn and seal\n\r\n")
    config, overrides, _ = apply({"TRAIL_EMAIL_SMTP_PASSWORD_FILE": str(secret)})
    assert config.email.smtp_password == "horn and seal\n"
    assert overrides == {"email.smtp_password": "TRAIL_EMAIL_SMTP_PASSWORD_FILE"}


def test_a_file_that_is_missing_too_large_or_beside_a_value_is_a_problem(tmp_path):
    large, binary = tmp_path / "large", tmp_path / "binary"
    large.write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    binary.write_bytes(b"\xff")
    for path in (tmp_path / "nothing", tmp_path, large, binary, "\0"):
        problems = apply({"TRAIL_EMAIL_SMTP_PASSWORD_FILE": str(path)})[2]
        assert ["TRAIL_EMAIL_SMTP_PASSWORD" in problem.message for problem in problems] == [True]
    both = {"TRAIL_EMAIL_SMTP_PASSWORD": "x", "TRAIL_EMAIL_SMTP_PASSWORD_FILE": str(large)}
    assert "which of the two" in apply(both)[2][0].message
