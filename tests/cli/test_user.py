"""``trail user …`` on a real depot."""

import base64
import json
import re

import apsw
import pytest

from trailbase_server.cli.main import run_command

KIM = {
    "email": "kim@cli.test",
    "email_verified": True,
    "passwordHash": "$2b$04$BVXaM8VLYaW6MqiR02WpK.gb/nQRl0Xo4VauN3U9o3EqSazJaflrm",
    "password_set_date": {"$date": "2026-01-02T03:04:05.000Z"},
}


@pytest.fixture
def depot(tmp_path, monkeypatch):
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL", "RUST_LOG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "depot"


@pytest.fixture
def trail(depot, capsys):
    """Run a command; returns its status, standard output and the last line of standard error."""

    def run(*words):
        status = run_command(["--depot", str(depot), "user", *words])
        out, err = capsys.readouterr()
        return status, out, (err.splitlines() or [""])[-1]

    assert run("add", "nora@cli.test", "tulip")[0] == 0
    return run


def ask(depot, sql, database="main"):
    # Not with the standard library's: two copies of SQLite in one process break each other's locks.
    connection = apsw.Connection(str(depot / "data" / f"{database}.db"))
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_adding(trail, depot):
    assert trail("add", "ivy@cli.test", "x") == (0, "", "Added user 'ivy@cli.test'")
    rows = ask(depot, "SELECT unverified_email, password_hash FROM _user WHERE email LIKE 'ivy%'")
    assert rows[0][0] is None
    assert rows[0][1].startswith("$argon2id$")
    for words in (("ivy@cli.test", "x"), ("hugo@cli.test", ""), ("hugo", "x")):
        status, out, line = trail("add", *words)
        assert (status, out) == (1, "")
        assert line.startswith("Error: ")


def test_changing(trail, depot):
    before = ask(depot, "SELECT password_hash FROM _user WHERE email = 'nora@cli.test'")
    status, _, line = trail("change-password", "nora@cli.test", "rope")
    assert status == 0
    assert re.fullmatch(r"Updated password for '[0-9a-f-]{36}'", line)
    user_id = line.split("'")[1]
    assert ask(depot, "SELECT password_hash FROM _user WHERE email = 'nora@cli.test'") != before
    assert trail("change-username", user_id, "nora")[:2] == (0, "")
    line = trail("change-email", "nora", "norah@cli.test")[2]
    assert line == f"Updated email for '{user_id}'"
    assert ask(depot, "SELECT email FROM _user WHERE username = 'nora'") == [("norah@cli.test",)]


def test_confirming(trail, depot):
    sql = "SELECT email, unverified_email FROM _user WHERE username = 'nora'"
    trail("change-username", "nora@cli.test", "nora")
    for words, verified in ((("false",), "false"), ((), "true")):
        line = trail("verify", "nora", *words)[2]
        assert line.startswith(f"Set verified={verified} for '")
        assert (ask(depot, sql)[0][0] is None) is (verified == "false")
    assert trail("verify", "nora", "perhaps")[0] == 2


def test_minting_and_ending_sessions(trail, depot):
    status, out, line = trail("mint", "nora@cli.test")
    tokens = json.loads(base64.b64decode(out.rstrip("\n"), validate=True))
    assert status == 0
    assert list(tokens) == ["auth_token", "refresh_token"]
    assert line == f'🔄: "{tokens["refresh_token"]}"'
    assert ask(depot, "SELECT expires - created FROM _session", "session") == [(43200,)]
    line = trail("invalidate-session", "nora@cli.test")[2]
    assert line == "Sessions invalidated for 'nora@cli.test'"
    assert ask(depot, "SELECT COUNT(*) FROM _session", "session") == [(0,)]


def test_a_lost_second_factor(trail, depot):
    ask(depot, "UPDATE _user SET totp_secret = 'lost' WHERE email = 'nora@cli.test'")
    status, _, line = trail("disable-totp", "nora@cli.test")
    assert status == 0
    assert line.startswith("Switched off the second factor of '")
    assert ask(depot, "SELECT totp_secret FROM _user WHERE email = 'nora@cli.test'") == [(None,)]


def test_deleting(trail):
    assert trail("delete", "nora@cli.test") == (0, "", "Deleted user 'nora@cli.test'")
    status, _, line = trail("delete", "nora@cli.test")
    assert (status, line) == (1, "Error: NotFound: there is no user 'nora@cli.test'")


@pytest.mark.parametrize(
    "words",
    [
        ("change-password", "nobody", "x"),
        ("change-email", "nobody", "x@cli.test"),
        ("change-email", "nora@cli.test", "x"),
        ("change-username", "nora@cli.test", "no ra"),
        ("verify", "no@@body"),
        ("invalidate-session", "nobody"),
        ("disable-totp", "nora@cli.test"),
        ("mint", "nobody"),
        ("import",),
        ("import", "--auth0-json", "/nowhere/import.json"),
    ],
)
def test_what_cannot_be_done_is_one_line(trail, words):
    status, out, line = trail(*words)
    assert (status, out) == (1, "")
    assert line.startswith("Error: ")


def test_wrong_usage(trail):
    assert trail("change-password", "nora@cli.test")[0] == 2
    assert trail("rename")[0] == 2


def test_importing(trail, depot, tmp_path):
    file = tmp_path / "import.json"
    file.write_text(json.dumps(KIM) + "\n\n")
    count = "SELECT COUNT(*) FROM _user WHERE email = 'kim@cli.test'"
    assert trail("import", "-n", "--auth0-json", str(file))[2] == "Importing 1 users."
    assert ask(depot, count) == [(0,)]
    assert trail("import", "--auth0-json", str(file))[0] == 0
    assert ask(depot, count) == [(1,)]
    status, _, line = trail("import", "--auth0-json", str(file))
    assert (status, line) == (1, "Error: Failed to insert 'kim@cli.test': already exists")
    file.write_text(json.dumps({**KIM, "passwordHash": "plain"}))
    status, _, line = trail("import", "--auth0-json", str(file))
    assert (status, line) == (1, "Error: line 1: invalid hash")


def test_listing(trail):
    trail("add", "ivy@cli.test", "x")
    trail("change-username", "nora@cli.test", "nora")
    head, ivy, nora, admin = trail("list")[1].splitlines()
    assert head.split() == ["id", "email", "created", "updated"]
    assert [line.split("\t")[1] for line in (ivy, nora, admin)] == [
        "ivy@cli.test",
        "nora@cli.test",
        "admin@localhost",
    ]
    assert trail("list", "--limit", "1")[1].splitlines()[1:] == [ivy]
    assert trail("list", "--limit", "1", "--offset", "1")[1].splitlines()[1:] == [nora]
    assert trail("list", "NORA")[1].splitlines()[1:] == [nora]
    assert trail("list", "%")[1].splitlines()[1:] == []
    assert trail("list", "--limit", "0")[0] == 2


def test_accounts_as_json(trail):
    (nora,) = json.loads(trail("list", "nora", "--json")[1])["users"]
    assert nora["email"] == "nora@cli.test"
    assert (nora["has_password"], nora["has_totp"], nora["provider"]) == (True, False, None)
    trail("mint", "nora@cli.test")
    shown = json.loads(trail("show", nora["id"], "--json")[1])
    assert shown == {**nora, "sessions": 1}
    assert not any("argon2" in str(value) for value in shown.values())


def test_showing(trail):
    status, out, _ = trail("show", "nora@cli.test")
    shown = dict(line.split(":", 1) for line in out.splitlines())
    assert status == 0
    assert shown["email"] == " nora@cli.test"
    assert (shown["username"], shown["admin"], shown["has_password"]) == ("", " no", " yes")
    assert re.fullmatch(r" \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", shown["created"])
    assert shown["sessions"] == " 0"
    assert trail("show", "nobody")[0] == 1


def test_tokens_as_json(trail):
    status, out, _ = trail("mint", "nora@cli.test", "--json")
    assert status == 0
    assert set(json.loads(out)) == {"auth_token", "refresh_token"}
