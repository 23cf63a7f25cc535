"""``trail config …`` only reads."""

import json

import pytest

from trailbase_server.cli.main import run_command

CONFIG = """server { application_name: "Pond" }
email { smtp_host: "mail.example" smtp_port: 25 smtp_username: "u" smtp_password: "<REDACTED>" }
"""
VAULT = 'secrets: [{ key: "TRAIL_EMAIL_SMTP_PASSWORD" value: "hush" }]'


@pytest.fixture
def depot(tmp_path, monkeypatch):
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL", "RUST_LOG"):
        monkeypatch.delenv(name, raising=False)
    depot = tmp_path / "depot"
    (depot / "secrets").mkdir(parents=True)
    (depot / "config.textproto").write_text(CONFIG)
    (depot / "secrets" / "secrets.textproto").write_text(VAULT)
    return depot


@pytest.fixture
def trail(depot, capsys):
    """Run a command; returns its status, standard output and standard error."""

    def run(*words):
        before = sorted(depot.rglob("*"))
        status = run_command(["--depot", str(depot), "config", *words])
        assert sorted(depot.rglob("*")) == before, "nothing is written"
        out, err = capsys.readouterr()
        return status, out, err

    return run


def test_what_runs_is_shown_without_secrets(trail, monkeypatch):
    monkeypatch.setenv("TRAIL_SERVER_APPLICATION_NAME", "Lake")
    status, out, err = trail("show")
    assert (status, err) == (0, "")
    assert 'application_name: "Lake"' in out
    assert 'smtp_password: "<REDACTED>"' in out
    assert "hush" not in out
    assert trail("show", "--redacted")[1] == out
    assert 'smtp_password: "hush"' in trail("show", "--secrets")[1]


def test_where_it_comes_from(trail, monkeypatch):
    monkeypatch.setenv("TRAIL_SERVER_APPLICATION_NAME", "Lake")
    _, out, _ = trail("show", "--provenance")
    assert out.splitlines()[:2] == [
        'email.smtp_host: "mail.example"  # config.textproto:2',
        "email.smtp_port: 25  # config.textproto:2",
    ]
    assert 'server.application_name: "Lake"  # TRAIL_SERVER_APPLICATION_NAME\n' in out
    assert 'email.smtp_password: "<REDACTED>"  # secrets/secrets.textproto\n' in out
    assert "auth.auth_token_ttl_sec" not in out
    _, out, _ = trail("show", "--provenance", "--unset", "--secrets")
    assert 'email.smtp_password: "hush"  # secrets/secrets.textproto\n' in out
    assert "auth.auth_token_ttl_sec: not set  # default\n" in out


def test_the_same_as_json(trail):
    document = json.loads(trail("show", "--json")[1])
    assert document["hash"]
    settings = {setting["path"]: setting for setting in document["settings"]}
    assert settings["email.smtp_password"] == {
        "path": "email.smtp_password",
        "value": "<REDACTED>",
        "origin": "secrets/secrets.textproto",
        "secret": True,
    }


def test_a_good_configuration(trail):
    assert trail("check") == (0, "", "The configuration is right.\n")
    assert json.loads(trail("check", "--json")[1]) == {"mistakes": []}


def test_a_bad_configuration(trail, depot):
    (depot / "config.textproto").write_text(CONFIG.replace('"mail.example"', "7"))
    assert trail("check") == (1, "config.textproto:2:20: Expected string but found: '7'\n", "")
    status, out, _ = trail("check", "--json")
    (mistake,) = json.loads(out)["mistakes"]
    assert (status, mistake["line"], mistake["column"]) == (1, 2, 20)


def test_differences_from_a_new_depot(trail):
    status, out, _ = trail("diff")
    assert status == 0
    assert out.splitlines()[:3] == [
        '- server.application_name: "TrailBase"',
        '+ server.application_name: "Pond"',
        "- server.logs_retention_sec: 604800",
    ]
    assert '+ email.smtp_password: "<REDACTED>"' in out
    assert trail("diff", "--exit-code")[0] == 1


def test_differences_from_another_depot_and_file(trail, depot, tmp_path):
    other = tmp_path / "other"
    (other / "secrets").mkdir(parents=True)
    (other / "config.textproto").write_text(CONFIG.replace("Pond", "Lake"))
    (other / "secrets" / "secrets.textproto").write_text(VAULT.replace("hush", "psst"))
    assert trail("diff", str(other))[1].splitlines() == [
        '- email.smtp_password: "<REDACTED>"',
        '+ email.smtp_password: "<REDACTED>"',
        '- server.application_name: "Lake"',
        '+ server.application_name: "Pond"',
    ]
    document = json.loads(trail("diff", str(other / "config.textproto"), "--json")[1])
    assert document == {
        "before": {"server.application_name": "Lake"},
        "after": {"server.application_name": "Pond"},
    }
    assert trail("diff", str(depot), "--exit-code") == (0, "", "")


def test_differences_from_what_was_before(trail, depot):
    assert trail("diff", "--previous")[0] == 1
    (depot / "config.textproto.bak").write_text(CONFIG.replace("25", "26"))
    assert trail("diff", "--previous")[1] == "- email.smtp_port: 26\n+ email.smtp_port: 25\n"
    assert trail("diff", "--previous", str(depot))[0] == 2


def test_a_broken_file_to_compare_with(trail, tmp_path):
    path = tmp_path / "x.textproto"
    path.write_text("sever {}")
    status, _, err = trail("diff", str(path))
    assert (status, err) == (
        1,
        f"Error: {path}:1:1: unknown field 'sever', did you mean 'server'?\n",
    )
