import stat

import pytest

from trailbase_server.config.check import Problem
from trailbase_server.config.load import load_config, report
from trailbase_server.errors import OperatorError

SECRET = "TRAIL_AUTH_OAUTH_PROVIDERS_DISCORD_CLIENT_SECRET"


def files(depot):
    return {
        path.relative_to(depot).as_posix(): path.read_bytes()
        for path in depot.rglob("*")
        if path.is_file()
    }


def test_loading_never_writes_what_is_there(depot):
    before = files(depot)
    loaded = load_config(depot, {"TRAIL_SERVER_APPLICATION_NAME": "Haven"})
    assert loaded.config.server.application_name == "Haven"
    assert files(depot) == before


def test_the_environment_is_told_apart_from_the_file(depot):
    loaded = load_config(depot, {"TRAIL_SERVER_SITE_URL": "http://env.test"})
    assert loaded.config.server.site_url == "http://env.test"
    assert loaded.own.server.site_url == "http://harbor.test"
    assert loaded.overrides == {"server.site_url": "TRAIL_SERVER_SITE_URL"}
    assert loaded.hash != load_config(depot, {}).hash


def test_messages_upstream_requires_are_present_even_if_the_file_lacks_them(tmp_path):
    (tmp_path / "config.textproto").write_text("server { application_name: 'Harbor' }")
    config = load_config(tmp_path, {}).config
    assert all(config.HasField(name) for name in ("email", "server", "auth", "jobs"))


def test_a_new_depot_gets_the_default_and_an_empty_vault(tmp_path, caplog):
    depot = tmp_path / "new"
    loaded = load_config(depot, {})
    assert loaded.config.server.application_name == "TrailBase"
    assert files(depot)["config.textproto"].startswith(
        b"# Auto-generated config.Config textproto\n"
    )
    assert files(depot)["secrets/secrets.textproto"] == b"# Auto-generated config.Vault textproto"
    assert stat.S_IMODE((depot / "secrets").stat().st_mode) == 0o700
    assert stat.S_IMODE((depot / "secrets/secrets.textproto").stat().st_mode) == 0o600
    assert "writing the default one" in caplog.text


def test_a_lost_configuration_does_not_cost_the_vault(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/secrets.textproto").write_text('secrets { key: "A" value: "b" }')
    assert load_config(tmp_path, {}).secrets == {"A": "b"}
    assert b'"b"' in files(tmp_path)["secrets/secrets.textproto"]


def test_nothing_is_made_where_it_is_not_wanted(tmp_path):
    with pytest.raises(OperatorError, match="no such file"):
        load_config(tmp_path, {}, create=False)
    assert files(tmp_path) == {}


def test_secrets_come_from_the_vault_or_the_environment(depot):
    path = depot / "config.textproto"
    path.write_text(path.read_text().replace("knot-and-sail", "<REDACTED>"))
    with pytest.raises(OperatorError) as error:
        load_config(depot, {})
    assert str(error.value) == (
        'config.textproto:12: auth.oauth_providers["discord"].client_secret: Missing secret for: '
        '["AUTH", "OAUTH_PROVIDERS", "DISCORD", "CLIENT_SECRET"]'
    )
    loaded = load_config(depot, {SECRET: "of the environment"})
    assert loaded.config.auth.oauth_providers["discord"].client_secret == "of the environment"
    (depot / "secrets").mkdir()
    vault = f'secrets {{ key: "{SECRET}" value: "of the vault" }}'
    (depot / "secrets/secrets.textproto").write_text(vault)
    loaded = load_config(depot, {})
    assert loaded.config.auth.oauth_providers["discord"].client_secret == "of the vault"


def test_all_mistakes_of_text_are_told(depot):
    (depot / "config.textproto").write_text("colour: 1\nserver { size: 3 }\n")
    with pytest.raises(OperatorError) as error:
        load_config(depot, {})
    assert str(error.value).split("\n") == [
        "config.textproto:1:1: unknown field 'colour'",
        "config.textproto:2:10: unknown field 'size'",
    ]


def test_mistakes_of_secrets_and_environment_are_told_together(depot):
    path = depot / "config.textproto"
    path.write_text(path.read_text().replace("knot-and-sail", "<REDACTED>"))
    with pytest.raises(OperatorError) as error:
        load_config(depot, {"TRAIL_EMAIL_SMTP_PORT": "x", "TRAIL_SERVER_BACKUP_WINDOW_SIZE": "-1"})
    lines = str(error.value).split("\n")
    assert len(lines) == 3
    assert "TRAIL_EMAIL_SMTP_PORT" in lines[0]


def test_a_file_that_is_not_text_or_not_readable_is_explained(depot):
    (depot / "config.textproto").write_bytes(b"email {}\n# \xff\n")
    with pytest.raises(OperatorError, match=r"config\.textproto:2:3: not UTF-8"):
        load_config(depot, {})
    (depot / "config.textproto").unlink()
    (depot / "config.textproto").mkdir()
    with pytest.raises(OperatorError, match="cannot read"):
        load_config(depot, {})


def test_a_depot_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OperatorError, match=r"cannot (read|write)"):
        load_config(tmp_path / "file" / "depot", {})


def test_a_report_names_lines_and_variables(depot):
    loaded = load_config(depot, {"TRAIL_SERVER_SITE_URL": "x"})
    problems = [Problem("record_apis[0].table_name", "bad"), Problem("server.site_url", "worse")]
    assert str(report(problems, loaded)).split("\n") == [
        "config.textproto:16: record_apis[0].table_name: bad",
        "TRAIL_SERVER_SITE_URL: server.site_url: worse",
    ]
