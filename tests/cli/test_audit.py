"""``trail audit …``: what commands have done, and whether that is all."""

import json

import apsw
import pytest

from trailbase_server.cli.main import run_command


@pytest.fixture
def depot(tmp_path, monkeypatch):
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL", "RUST_LOG", "SUDO_USER"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "depot"


@pytest.fixture
def trail(depot, capsys):
    """Run a command; returns its status, standard output and standard error."""

    def run(*words):
        status = run_command(["--depot", str(depot), *words])
        out, err = capsys.readouterr()
        return status, out, err

    assert run("user", "add", "nora@cli.test", "tulip")[0] == 0
    assert run("admin", "promote", "nora@cli.test")[0] == 0
    assert run("admin", "promote", "nobody@cli.test")[0] == 1
    return run


def entries(trail, *words):
    return json.loads(trail("audit", "list", "--json", *words)[1])["entries"]


def test_what_commands_do_is_recorded(trail):
    refused, promoted, added = entries(trail)
    assert (added["action"], added["after"]) == (
        "user.create",
        {"email": "nora@cli.test", "verified": True},
    )
    assert (promoted["action"], promoted["outcome"]) == ("user.promote", "done")
    assert promoted["after"] == {"reference": "nora@cli.test", "admin": True}
    assert promoted["object"] == added["object"]
    assert len(promoted["object"]) == 36
    assert (refused["object"], refused["outcome"]) == ("nobody@cli.test", "refused")
    assert {one["actor"]["kind"] for one in (refused, promoted, added)} == {"command"}


def test_every_command_on_users_is_recorded_without_what_is_secret(trail):
    for words in (
        ("change-password", "nora@cli.test", "daffodil"),
        ("change-email", "nora@cli.test", "nell@cli.test"),
        ("change-username", "nell@cli.test", "nell"),
        ("verify", "nell", "true"),
        ("invalidate-session", "nell"),
        ("mint", "nell"),
        ("disable-totp", "nell"),
        ("delete", "nell"),
    ):
        trail("user", *words)
    trail("admin", "demote", "nobody@cli.test")
    found = [one["action"] for one in entries(trail)]
    assert found[:9] == [
        *("user.demote", "user.delete", "user.update", "session.mint", "session.end"),
        *("user.update", "user.update", "user.update", "user.update"),
    ]
    text = trail("audit", "export")[1]
    assert "daffodil" not in text
    assert "tulip" not in text
    assert "eyJ" not in text


def test_lines_for_people(trail):
    lines = trail("audit", "list", "-n", "2")[1].splitlines()
    assert len(lines) == 2
    assert "refused  user.promote  nobody@cli.test  by " in lines[0]
    assert "there is no user" in lines[0]


def test_a_name_cannot_write_lines_of_its_own(trail):
    trail("user", "delete", "x\n2026-01-01 forged\x1b[2J")
    line, *rest = trail("audit", "list", "-n", "1")[1].splitlines()
    assert rest == []
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--action", "user.promote"), 2),
        (("--action", "user.promote", "-n", "1"), 1),
        (("--actor", "nobody else"), 0),
        (("--since", "2020-01-01"), 3),
        (("--since", "2999-01-01T00:00:00"), 0),
    ],
)
def test_filters(trail, words, count):
    assert len(entries(trail, *words)) == count


def test_everything_as_lines_of_json(trail):
    lines = trail("audit", "export")[1].splitlines()
    assert [json.loads(line)["action"] for line in lines] == [
        *("user.create", "user.promote", "user.promote"),
    ]
    assert trail("audit", "export", "--action", "nope")[1] == ""


def test_a_whole_log_is_proven(trail):
    status, out, _ = trail("audit", "verify")
    assert status == 0
    assert out.startswith("3 entries, up to 3, digest ")
    assert json.loads(trail("audit", "verify", "--json")[1])["whole"]


def test_tampering_is_told(trail, depot):
    connection = apsw.Connection(str(depot / "data" / "own" / "audit.db"))
    connection.execute("DROP TRIGGER entry_is_not_changed")
    connection.execute("UPDATE entry SET object = 'x' WHERE id = 2")
    connection.close()
    status, _, err = trail("audit", "verify")
    assert status == 1
    assert err == "Error: the log was tampered with before entry 2\n"
    assert json.loads(trail("audit", "verify", "--json")[1])["broken_at"] == 2
