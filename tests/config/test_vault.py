import pytest

from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.config.vault import (
    REDACTED,
    find_missing,
    load_vault,
    redact,
    render_vault,
    resolve_secrets,
    split_secrets,
)
from trailbase_server.errors import OperatorError

NAME = "TRAIL_AUTH_OAUTH_PROVIDERS_DISCORD_CLIENT_SECRET"


def with_secret(value):
    config = Config(email={"smtp_password": "horn", "smtp_host": "mail"})
    config.auth.oauth_providers["discord"].client_secret = value
    return config


def test_secrets_move_to_the_vault_and_come_back():
    config = with_secret("knot")
    redacted, secrets = split_secrets(config)
    assert secrets == {NAME: "knot", "TRAIL_EMAIL_SMTP_PASSWORD": "horn"}
    assert redacted.email.smtp_password == REDACTED
    assert redacted.email.smtp_host == "mail"
    assert redacted.auth.oauth_providers["discord"].client_secret == REDACTED
    resolve_secrets(redacted, secrets)
    assert redacted == config


def test_redacting_leaves_the_original_and_what_is_not_set_alone():
    config = with_secret("knot")
    assert "knot" not in str(redact(config))
    assert config == with_secret("knot")
    assert redact(Config()) == Config()


def test_a_placeholder_without_a_secret_is_missing_and_never_becomes_one():
    config = with_secret(REDACTED)
    resolve_secrets(config, {"TRAIL_OTHER": "x"})
    assert [(problem.path, problem.message) for problem in find_missing(config)] == [
        (
            'auth.oauth_providers["discord"].client_secret',
            'Missing secret for: ["AUTH", "OAUTH_PROVIDERS", "DISCORD", "CLIENT_SECRET"]',
        )
    ]
    assert NAME not in split_secrets(config)[1]


def test_a_vault_is_rendered_as_upstream_does_and_read_again(tmp_path):
    text = render_vault({"TRAIL_B": 'x"', "TRAIL_A": ""})
    assert text == (
        "# Auto-generated config.Vault textproto\n"
        'secrets: [{\n  key: "TRAIL_A"\n  value: ""\n}, {\n  key: "TRAIL_B"\n  value: "x\\""\n}]'
    )
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/secrets.textproto").write_text(text)
    assert load_vault(tmp_path) == {"TRAIL_A": "", "TRAIL_B": 'x"'}


def test_a_missing_or_unreadable_vault_is_empty(tmp_path, caplog):
    assert load_vault(tmp_path) == {}
    (tmp_path / "secrets/secrets.textproto").mkdir(parents=True)
    assert load_vault(tmp_path) == {}
    assert "going on without secrets" in caplog.text


@pytest.mark.parametrize("content", [b"secrets: hunter2", b"\xff"])
def test_a_broken_vault_is_fatal_and_not_quoted(tmp_path, content):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/secrets.textproto").write_bytes(content)
    with pytest.raises(OperatorError, match=r"secrets\.textproto") as error:
        load_vault(tmp_path)
    assert "hunter2" not in str(error.value)
