"""``trail jobs …`` on a real depot."""

import json

import pytest

from trailbase_server.cli.main import run_command
from trailbase_server.jobs.locks import JobLocks


@pytest.fixture
def depot(tmp_path, monkeypatch):
    for name in ("DEPOT", "DATA_DIR", "PUBLIC_URL", "RUST_LOG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "depot"


@pytest.fixture
def trail(depot, capsys):
    """Run a command; returns its status, standard output and standard error."""

    def run(*words):
        status = run_command(["--depot", str(depot), *words])
        out, err = capsys.readouterr()
        return status, out, err

    run("jobs", "list")
    return run


def test_the_list(trail):
    status, out, _ = trail("jobs", "list")
    head, *lines = out.splitlines()
    assert status == 0
    assert head.split("  ")[0] == "id"
    (line,) = [line for line in lines if "Session Cleanup" in line]
    assert line.split()[:4] == ["4", "Session", "Cleanup", "@hourly"]
    assert "never" in line


def test_runs_are_remembered(trail):
    status, out, err = trail("jobs", "run", "session cleanup")
    assert (status, out) == (0, "")
    assert err.startswith("Session Cleanup: done in ")
    _, out, _ = trail("jobs", "list")
    (line,) = [line for line in out.splitlines() if "Session Cleanup" in line]
    assert "done in" in line


def test_results_as_json(trail):
    status, out, _ = trail("jobs", "run", "4", "--json")
    result = json.loads(out)
    assert (status, result["id"], result["name"], result["error"]) == (
        0,
        4,
        "Session Cleanup",
        None,
    )
    jobs = {job["id"]: job for job in json.loads(trail("jobs", "list", "--json")[1])["jobs"]}
    assert jobs[4]["latest"][2] is None
    assert jobs[4]["last_success"] == jobs[4]["latest"][0]
    assert jobs[4]["next"] > jobs[4]["latest"][0]
    assert jobs[2]["latest"] is None
    assert "running" not in jobs[4], "only the server knows"


def test_a_job_that_the_server_runs_right_now_is_not_begun_again(trail, depot):
    with JobLocks(depot / "data" / "own").hold(4):
        status, _, err = trail("jobs", "run", "4")
    assert status == 1
    assert err.endswith("Error: Session Cleanup: another process is running this job\n")


def test_an_unknown_job_is_refused_with_those_there_are(trail):
    status, _, err = trail("jobs", "run", "nope")
    assert status == 1
    assert "there is no job 'nope', only: " in err
    assert "4 (Session Cleanup)" in err


def test_runs_are_in_the_audit_log(trail):
    trail("jobs", "run", "Session Cleanup")
    trail("jobs", "run", "nope")
    document = json.loads(trail("audit", "list", "--json")[1])
    refused, done = document["entries"]
    assert (done["action"], done["object"], done["outcome"]) == ("job.run", "4", "done")
    assert (refused["object"], refused["outcome"]) == ("nope", "refused")
