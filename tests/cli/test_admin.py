"""``trail admin …`` on a real depot."""

import json
import re

import pytest

from trailbase_server.cli.main import run_command


@pytest.fixture
def trail(tmp_path, monkeypatch, capsys):
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL", "RUST_LOG"):
        monkeypatch.delenv(name, raising=False)

    def run(*words):
        status = run_command(["--depot", str(tmp_path / "depot"), *words])
        out, err = capsys.readouterr()
        return status, out, (err.splitlines() or [""])[-1]

    run("user", "add", "nora@cli.test", "tulip")
    return run


def listed(trail):
    status, out, _ = trail("admin", "list")
    assert status == 0
    return [line.split("\t") for line in out.splitlines()]


def test_administrators_are_listed_with_plain_times(trail):
    header, first = listed(trail)
    assert header == [" " * 34 + "id", "email", "created", "updated"]
    assert re.fullmatch(r"[0-9a-f-]{36}", first[0])
    assert first[1] == "admin@localhost"
    for time in first[2:]:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", time)


def test_promoting_and_demoting(trail):
    for _ in range(2):
        status, _, line = trail("admin", "promote", "nora@cli.test")
        assert status == 0
        assert re.fullmatch(r"Promoted user to admin for '[0-9a-f-]{36}'", line)
    assert [row[1] for row in listed(trail)[1:]] == ["admin@localhost", "nora@cli.test"]
    for who in ("nora@cli.test", "admin"):
        status, _, line = trail("admin", "demote", who)
        assert status == 0
        assert line.startswith("Demoted admin to user for '")
    assert len(listed(trail)) == 1


def test_an_unknown_user_is_one_line(trail):
    assert trail("admin", "promote", "nobody") == (
        1,
        "",
        "Error: NotFound: there is no user 'nobody'",
    )


def test_an_administrator_without_address_has_an_empty_cell(trail):
    trail("user", "change-username", "nora@cli.test", "nora")
    trail("admin", "promote", "nora")
    trail("user", "verify", "nora", "false")
    assert [row[1] for row in listed(trail)[1:]] == ["admin@localhost", ""]


def test_administrators_as_json(trail):
    (admin,) = json.loads(trail("admin", "list", "--json")[1])["admins"]
    assert (admin["email"], admin["username"], admin["admin"]) == ("admin@localhost", "admin", True)


def test_creating_with_a_password_that_is_made_up(trail):
    status, out, line = trail("admin", "create", "ivy@cli.test")
    assert (status, out) == (0, "")
    assert re.fullmatch(r"Their password, shown this once: [A-Za-z0-9]{20}", line)
    assert [row[1] for row in listed(trail)[1:]] == ["admin@localhost", "ivy@cli.test"]
    assert trail("admin", "create", "ivy@cli.test")[0] == 1


def test_creating_with_a_password_from_a_file(trail, tmp_path, monkeypatch):
    path = tmp_path / "password"
    path.write_text("two\u00e9 words\n")
    assert trail("admin", "create", "ivy@cli.test", "--password-file", str(path)) == (
        0,
        "",
        "Added administrator 'ivy@cli.test'",
    )
    path.write_text("\n")
    monkeypatch.setenv("ADMIN_PASSWORD_FILE", str(path))
    status, _, line = trail("admin", "create", "hugo@cli.test")
    assert status == 1
    assert "assword" in line


def test_creations_are_in_the_audit_log(trail):
    trail("admin", "create", "ivy@cli.test")
    (entry, *_) = json.loads(trail("audit", "list", "--json")[1])["entries"]
    assert (entry["action"], entry["outcome"]) == ("user.create", "done")
    assert entry["after"] == {"email": "ivy@cli.test", "verified": True, "admin": True}
