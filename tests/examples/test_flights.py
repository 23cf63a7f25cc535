"""The flights example takes in the real data, and both READMEs tell the truth about it."""

import shutil
import subprocess
import sys
import time

import apsw
import httpx
import pytest

from tests.examples.curl_lines import lines_of, run_lines
from tests.serving import ROOT, Server, copy_depot

FLIGHTS = ROOT / "examples" / "flights"
ROWS = {"airline": 16, "airport": 1_462, "plane": 4_043, "weather": 26_115, "flight": 336_776}

pytestmark = [pytest.mark.xdist_group("flights"), pytest.mark.timeout(180)]


def import_into(depot):
    command = [sys.executable, FLIGHTS / "import_flights.py", "--depot", depot]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    depot = copy_depot(FLIGHTS / "depot", tmp_path_factory.mktemp("flights") / "depot")
    done = import_into(depot)
    assert done.returncode == 0, done.stderr
    return depot, done.stderr


@pytest.fixture(scope="module")
def server(imported):
    with Server(imported[0]) as server:
        yield server


def test_the_import_prints_the_administrators_login(imported):
    assert "admin@localhost" in imported[1]
    assert "password" in imported[1]


def test_all_rows_are_there(imported):
    database = imported[0] / "data" / "main.db"
    connection = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    counts = {t: connection.execute(f"SELECT COUNT(*) FROM {t}").fetchone()[0] for t in ROWS}
    dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
    connection.close()
    assert counts == ROWS
    assert dangling == []


def test_a_second_import_does_nothing_and_takes_no_time(imported):
    start = time.monotonic()
    done = import_into(imported[0])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - start < 3


def test_an_import_without_a_server_command_says_so(tmp_path):
    place = shutil.copytree(FLIGHTS, tmp_path / "flights", ignore=shutil.ignore_patterns("data"))
    (place / "depot" / "config.textproto").write_text("nonsense {")
    cache = ROOT / ".cache" / "flights"
    command = [sys.executable, place / "import_flights.py", "--cache", cache]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Cannot prepare" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_first_readme_tells_the_truth(server):
    late, airlines, tokens = run_lines(ROOT / "README.md", server)
    assert len(late["records"]) == 3
    delays = [record["departure_delay_min"] for record in late["records"]]
    assert delays == sorted(delays, reverse=True)
    assert late["records"][0]["airline"]["data"]["name"]
    assert airlines["records"][0]["name"] == "Frontier Airlines Inc."
    assert tokens["auth_token"].startswith("ey")
    assert len(lines_of(ROOT / "README.md")) == 3


def test_the_examples_readme_tells_the_truth(server):
    answers = run_lines(FLIGHTS / "README.md", server)
    evening, cancelled, airports, airport, schema, delays, saved, mine = answers
    assert all(r["delay_min"] > 300 and r["destination"] == "SFO" for r in evening["records"])
    assert evening["records"]
    assert cancelled["total_count"] == 472
    assert cancelled["records"][0]["destination"]["data"]["code"]
    assert all(r["name"].startswith("San") for r in airports["records"])
    assert airport["details"]["time_zone"] == "America/New_York"
    assert schema["$defs"]["details"]["properties"]
    assert [r["mean_delay_min"] for r in delays["records"]] == [20.2, 20.0, 19.0]
    assert len(saved["ids"]) == 1
    assert [r["flight"]["data"]["departure_delay_min"] for r in mine["records"]] == [1301]
    assert mine["records"][0]["tags"] == ["hawaii", "record"]


def test_saved_flights_are_seen_by_their_owner_only(server):
    login = {"email_or_username": "ben@flights.example", "password": "aisle-please"}
    ben = httpx.post(f"{server.url}/api/auth/v1/login", json=login).json()["auth_token"]
    saved = f"{server.url}/api/records/v1/saved_flights"
    mine = httpx.get(saved, headers={"authorization": f"Bearer {ben}"})
    assert (mine.status_code, mine.json()["records"]) == (200, [])
    assert httpx.get(saved).status_code == 403
