import stat

import pytest

from trailbase_server.config.load import copy_config, load_config
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.config.store import leading_comment, merge_update, store_config
from trailbase_server.config.vault import REDACTED, redact
from trailbase_server.errors import ConflictError, PreconditionError, UnavailableError

SECRET = "TRAIL_AUTH_OAUTH_PROVIDERS_DISCORD_CLIENT_SECRET"


def update(loaded, environ=None, change=None):
    """What an administrator does: read, change, send back."""
    sent = redact(loaded.config)
    if change is not None:
        change(sent)
    config, own, overrides, problems = merge_update(loaded, sent, environ or {})
    assert problems == []
    return store_config(loaded, config, own, overrides)


def rename(config):
    config.server.application_name = "Haven"


def read(depot, name="config.textproto"):
    return (depot / name).read_text()


def snapshot(depot):
    return {path: path.read_bytes() for path in depot.rglob("*") if path.is_file()}


def test_an_update_is_written_with_its_secrets_in_the_vault(depot):
    before = read(depot)
    stored = update(load_config(depot, {}), change=rename)
    assert 'application_name: "Haven"' in read(depot)
    assert "knot-and-sail" not in read(depot)
    assert read(depot).count(REDACTED) == 1
    assert f'key: "{SECRET}"\n  value: "knot-and-sail"' in read(depot, "secrets/secrets.textproto")
    assert read(depot, "config.textproto.bak") == before
    assert sorted(path.name for path in depot.iterdir()) == [
        "config.textproto",
        "config.textproto.bak",
        "secrets",
    ]
    again = load_config(depot, {})
    assert (again.config, again.hash) == (stored.config, stored.hash)


def test_the_comment_at_the_top_stays_below_the_header(depot):
    loaded = load_config(depot, {})
    loaded = update(loaded, change=rename)
    loaded = update(loaded, change=lambda config: config.auth.ClearField("auth_token_ttl_sec"))
    assert read(depot).split("\n")[:4] == [
        "# Auto-generated config.Config textproto",
        "# The harbour.",
        "# Ask Nora before changing anything.",
        "email {}",
    ]


def test_only_comments_before_the_first_field_are_leading():
    assert leading_comment("\n# a  \n\n# b\nemail {} # c\n# d") == "# a\n# b"
    assert leading_comment("email {}\n# d") == ""
    assert leading_comment("") == ""


def test_permissions(depot):
    (depot / "config.textproto").chmod(0o664)
    (depot / "secrets").mkdir(mode=0o755)
    update(load_config(depot, {}), change=rename)
    modes = {
        name: stat.S_IMODE((depot / name).stat().st_mode)
        for name in (
            *("config.textproto", "config.textproto.bak", "secrets"),
            "secrets/secrets.textproto",
        )
    }
    assert list(modes.values()) == [0o664, 0o600, 0o700, 0o600]


def test_nothing_is_written_when_nothing_changed(depot):
    loaded = update(load_config(depot, {}), change=rename)
    before = snapshot(depot)
    update(loaded)
    environ = {"TRAIL_SERVER_SITE_URL": "http://env.test"}
    update(load_config(depot, environ), environ)
    assert snapshot(depot) == before


def test_values_of_the_environment_never_reach_a_file(depot):
    environ = {
        "TRAIL_SERVER_APPLICATION_NAME": "Env",
        SECRET: "env-secret",
        "TRAIL_EMAIL_SENDER_NAME": "E",
    }
    loaded = load_config(depot, environ)

    def change(config):
        config.server.application_name = "Sent"
        config.server.site_url = "http://sent.test"

    stored = update(loaded, environ, change)
    assert stored.config.server.application_name == "Env"
    assert stored.config.server.site_url == "http://sent.test"
    assert stored.config.auth.oauth_providers["discord"].client_secret == "env-secret"
    everything = b"".join(snapshot(depot).values())
    assert b"Env" not in everything
    assert b"env-secret" not in everything
    assert 'application_name: "Harbor"' in read(depot)
    assert "sender_name" not in read(depot)
    assert "knot-and-sail" in read(depot, "secrets/secrets.textproto")
    without = load_config(depot, {})
    assert without.config.server.application_name == "Harbor"
    assert without.config.auth.oauth_providers["discord"].client_secret == "knot-and-sail"


def test_a_placeholder_that_only_the_environment_fills_stays_one(depot):
    path = depot / "config.textproto"
    path.write_text(path.read_text().replace("knot-and-sail", REDACTED))
    environ = {SECRET: "env-secret"}
    update(load_config(depot, environ), environ, rename)
    assert read(depot).count(REDACTED) == 1
    assert not (depot / "secrets/secrets.textproto").exists()


def test_what_a_client_sends_for_a_new_message_is_kept_although_the_environment_wins(depot):
    environ = {"TRAIL_SERVER_S3_STORAGE_CONFIG_REGION": "env"}

    def change(config):
        config.server.s3_storage_config.region = "sent"

    stored = update(load_config(depot, environ), environ, change)
    assert stored.config.server.s3_storage_config.region == "env"
    assert 'region: "sent"' in read(depot)


def test_a_new_secret_replaces_the_old_one_and_removed_ones_leave_the_vault(depot):
    def replace(config):
        config.auth.oauth_providers["discord"].client_secret = "new"

    loaded = update(load_config(depot, {}), change=replace)
    assert loaded.secrets == {SECRET: "new"}
    loaded = update(loaded, change=lambda config: config.auth.ClearField("oauth_providers"))
    assert loaded.secrets == load_config(depot, {}).secrets == {}


def test_a_placeholder_nothing_stands_for_is_a_problem(depot):
    loaded = load_config(depot, {})
    sent = redact(loaded.config)
    sent.email.smtp_password = REDACTED
    problems = merge_update(loaded, sent, {})[3]
    assert [problem.path for problem in problems] == ["email.smtp_password"]


def test_fields_of_a_newer_client_are_dropped(depot):
    loaded = load_config(depot, {})
    sent = Config.FromString(loaded.config.SerializeToString() + b"\xf8\x3f\x01")
    assert merge_update(loaded, sent, {})[0] == loaded.config


def test_an_edit_by_hand_is_not_overwritten(depot):
    loaded = load_config(depot, {})
    path = depot / "config.textproto"
    path.write_text(path.read_text() + "# by hand\n")
    before = snapshot(depot)
    with pytest.raises(ConflictError, match="edited"):
        update(loaded, change=rename)
    assert snapshot(depot) == before


def test_a_file_that_is_gone_is_written_again(depot):
    loaded = load_config(depot, {})
    (depot / "config.textproto").unlink()
    update(loaded, change=rename)
    assert "Haven" in read(depot)


@pytest.mark.parametrize("refusing", ["config.textproto", "."])
def test_a_read_only_file_or_directory_is_refused_before_anything_changes(closed_depot, refusing):
    loaded = load_config(closed_depot, {})
    before = snapshot(closed_depot)
    mode = (closed_depot / refusing).stat().st_mode
    (closed_depot / refusing).chmod(mode & ~0o222)
    try:
        with pytest.raises(PreconditionError, match=r"config\.textproto (is read-only|cannot be)"):
            update(loaded, change=rename)
    finally:
        (closed_depot / refusing).chmod(mode)
    assert snapshot(closed_depot) == before


def test_a_vault_that_cannot_be_written_leaves_the_file_as_it_was(depot):
    loaded = load_config(depot, {})
    (depot / "secrets").write_text("not a directory")
    before = read(depot)
    with pytest.raises(UnavailableError, match="Config: IO error"):
        update(loaded, change=rename)
    assert read(depot) == before


def test_a_file_that_cannot_be_replaced_leaves_the_vault_as_it_was(depot, monkeypatch):
    loaded = update(load_config(depot, {}), change=rename)
    before = read(depot, "secrets/secrets.textproto")

    from pathlib import Path

    real = Path.replace

    def replace(self, target):
        if Path(target).name == "config.textproto":
            raise OSError(16, "Device or resource busy")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)

    def change(config):
        config.auth.oauth_providers["discord"].client_secret = "new"

    with pytest.raises(PreconditionError, match="busy"):
        update(loaded, change=change)
    assert read(depot, "secrets/secrets.textproto") == before


def test_a_stored_configuration_is_not_the_callers(depot):
    loaded = load_config(depot, {})
    copy = copy_config(loaded.config)
    copy.server.application_name = "other"
    assert loaded.config.server.application_name == "Harbor"
