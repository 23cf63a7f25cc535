"""Every value of the running configuration can be traced to the place that sets it."""

import pytest

from trailbase_server.config.load import load_config
from trailbase_server.config.provenance import list_settings

CONFIG = """server {
  application_name: "Pond"
  site_url: "https://pond.example"
}
auth {
  oauth_providers: [{ key: "discord" value {
    provider_id: DISCORD
    client_id: "7"
    client_secret: "<REDACTED>"
  } }]
}
email { smtp_host: "mail" smtp_password: "in clear text" }
record_apis: [{ name: "a" }, {
  name: "b"
  acl_world: [READ, SCHEMA]
}]
"""
VAULT = """secrets: [
  { key: "TRAIL_AUTH_OAUTH_PROVIDERS_DISCORD_CLIENT_SECRET" value: "hush" }
]"""


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "secrets.textproto").write_text(VAULT)
    (tmp_path / "config.textproto").write_text(CONFIG)
    environ = {
        "TRAIL_SERVER_SITE_URL": "https://other.example",
        "TRAIL_AUTH_AUTH_TOKEN_TTL_SEC": "9",
    }
    loaded = load_config(tmp_path, environ, create=False)
    return {setting.path: setting for setting in list_settings(loaded, unset=True)}


@pytest.mark.parametrize(
    ("path", "value", "origin"),
    [
        ("server.application_name", "Pond", "config.textproto:2"),
        ("server.site_url", "https://other.example", "TRAIL_SERVER_SITE_URL"),
        ("auth.auth_token_ttl_sec", 9, "TRAIL_AUTH_AUTH_TOKEN_TTL_SEC"),
        ("record_apis[1].name", "b", "config.textproto:14"),
        ("record_apis[1].acl_world", ["READ", "SCHEMA"], "config.textproto:15"),
        ('auth.oauth_providers["discord"].provider_id', "DISCORD", "config.textproto:7"),
        (
            'auth.oauth_providers["discord"].client_secret',
            "hush",
            "secrets/secrets.textproto",
        ),
        ("email.smtp_password", "in clear text", "config.textproto:12"),
        ("auth.refresh_token_ttl_sec", None, "default"),
    ],
)
def test_values_have_an_origin(settings, path, value, origin):
    assert (settings[path].value, settings[path].origin) == (value, origin)


def test_secrets_can_be_left_out(settings):
    hidden = {path for path, setting in settings.items() if setting.redacted() == "<REDACTED>"}
    assert hidden == {'auth.oauth_providers["discord"].client_secret', "email.smtp_password"}
    assert settings["server.application_name"].redacted() == "Pond"


def test_what_is_unset_is_only_listed_when_asked_for(tmp_path):
    (tmp_path / "config.textproto").write_text('server { application_name: "Pond" }')
    loaded = load_config(tmp_path, {}, create=False)
    assert [setting.path for setting in list_settings(loaded)] == ["server.application_name"]
