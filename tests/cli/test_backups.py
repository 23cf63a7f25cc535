"""``trail backups …`` on a real depot."""

import json
import shutil
import sys

import apsw
import pytest

from tests.pier import Pier
from tests.serving import Server
from trailbase_server.cli import backups as module
from trailbase_server.cli.main import run_command
from trailbase_server.server.lock import lock_depot


@pytest.fixture
def pier(tmp_path, monkeypatch):
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL", "RUST_LOG"):
        monkeypatch.delenv(name, raising=False)
    return Pier(tmp_path / "depot")


@pytest.fixture
def trail(pier, capsys):
    """Run a command; returns its status, standard output and standard error."""

    def run(*words, depot=pier.root):
        status = run_command(["--depot", str(depot), "backups", *words])
        out, err = capsys.readouterr()
        return status, out, err.splitlines()

    return run


def ask(depot, sql):
    connection = apsw.Connection(str(depot / "data" / "main.db"))
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_made_listed_checked_and_put_back(trail, pier):
    assert trail("list") == (0, "Found 0 backups\n", [])
    status, out, err = trail("trigger")
    assert (status, out, err[-1]) == (0, "", "Backup succeeded.")
    head, line = trail("list")[1].splitlines()
    timestamp, when, where = line.split(" ")
    assert (head, timestamp[-1]) == ("Found 1 backups", ":")
    assert when.startswith("@20")
    assert when.endswith("Z")
    assert where == f'("{pier.root}/backups/{timestamp[:-1]}")'
    assert trail("verify", timestamp[:-1]) == (0, f"{timestamp} good\n", [])
    ask(pier.root, "INSERT INTO boat (name) VALUES ('two')")
    status, out, err = trail("restore", timestamp[:-1], "--no-logs")
    assert (status, out, err[-1]) == (0, "", "Backup restored.")
    assert ask(pier.root, "SELECT * FROM boat") == []
    assert any(line.startswith("backup of before: ") for line in err)
    assert trail("list")[1].splitlines()[2] == "Found 1 backups of what restores have replaced"


def test_as_json(trail, pier):
    made = json.loads(trail("trigger", "--json")[1])
    assert made["path"] == f"{pier.root}/backups/{made['timestamp']}"
    [listed] = json.loads(trail("list", "--json")[1])["backups"]
    assert listed["timestamp"] == made["timestamp"]
    [report] = json.loads(trail("verify", "--json")[1])["backups"]
    assert (report["ok"], report["problems"]) == (True, [])
    report = json.loads(trail("restore", str(made["timestamp"]), "--json", "--exclude", "tide")[1])
    assert "tide" in report["kept"]
    assert report["safety"] > made["timestamp"]


def test_a_broken_backup_is_found_and_refused(trail, pier):
    made = json.loads(trail("trigger", "--json")[1])
    path = pier.root / "backups" / str(made["timestamp"]) / "main.db"
    path.write_bytes(path.read_bytes()[:-1])
    status, out, _ = trail("verify", "all")
    assert (status, out.splitlines()[0]) == (1, f"{made['timestamp']}: broken")
    assert "bytes instead of" in out
    ask(pier.root, "INSERT INTO boat (name) VALUES ('two')")
    status, _, err = trail("restore", str(made["timestamp"]))
    assert status == 1
    assert err[-1].startswith("Error: precondition failed: main.db: has")
    assert ask(pier.root, "SELECT name FROM boat") == [("two",)]


def test_on_another_machine(trail, pier, tmp_path):
    pier.edit("record_apis: [", "backups { include_secrets: true compress: true } record_apis: [")
    made = json.loads(trail("trigger", "--json")[1])
    shutil.copytree(pier.root / "backups", tmp_path / "copies")
    shutil.rmtree(pier.root)
    new = tmp_path / "new"
    where = ("--from", str(tmp_path / "copies"))
    assert trail("list", *where, depot=new)[1].startswith("Found 1 backups")
    status, _, err = trail("restore", str(made["timestamp"]), *where, depot=new)
    assert status == 0
    assert "file: config.textproto" in err
    assert not any(line.startswith("backup of before") for line in err)
    with Server(new):
        pass
    assert ask(new, "SELECT email FROM _user") == [("boss@pier.test",)]


def test_switched_off(trail, pier):
    pier.edit('application_name: "Pier"', 'application_name: "Pier" backup_window_size: 0')
    status, out, err = trail("trigger")
    assert (status, out) == (0, "")
    assert err[-1] == "Skipping backup. Window size explicitly set to 0"


def test_mistakes(trail, pier):
    trail("trigger")
    for words in (("restore", "5"), ("restore", "soon"), ("verify", "5"), ("list", "--bucket")):
        status, _, err = trail(*words)
        assert status == 1
        assert err[-1].startswith("Error: ")
    assert trail("restore")[0] == 2
    assert trail()[0] == 0
    with lock_depot(pier.root):
        status, _, err = trail("restore", "5")
    assert status == 1
    assert err[-1].endswith("stop it, or restore through its admin API")


def test_a_directory_may_be_called_anything(trail, pier):
    (pier.root / "backups" / "9223372036854775807").mkdir(parents=True)
    assert "9223372036854775807: @? " in trail("list")[1]


def test_bars_are_for_terminals(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)

    def work(progress):
        progress("main", 1, 2)
        progress("main", 2, 2)
        return 5

    assert module._with_progress(work, quiet=False) == 5
    assert module._with_progress(work, quiet=True) == 5


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--at", "yesterday"], "is no moment"),
        (["--at", "2200-01-01T00:00:00Z", "--from", "/nowhere"], "is in the future"),
        (["--at", "latest", "--from", "ftp://x"], "is no place for a replica"),
        (["--at", "1790000000", "--from", "/nowhere"], "holds no replica of main from before 2026"),
        (["--from", "file:///nowhere"], "holds no replica of main"),
        (["--at", "latest"], "replication.directory"),
        (["17", "--at", "latest"], "give no TIMESTAMP"),
        (["--at", "latest", "--bucket"], "no --bucket"),
        ([], "Missing argument 'TIMESTAMP'"),
    ],
)
def test_mistakes_about_replicas_are_told_and_change_nothing(trail, pier, words, told):
    status, out, err = trail("restore", *words)
    assert (status > 0, out) == (True, "")
    assert told in "\n".join(err)
    assert not (pier.root / "data" / "main.db").exists()
    assert not (pier.root / "backups" / ".from-replica").exists()
