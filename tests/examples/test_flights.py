"""The flights example takes in the real data, and both READMEs tell the truth about it."""

import importlib.util
import json
import math
import shutil
import subprocess
import sys
import time
from contextlib import closing

import apsw
import httpx
import pytest

from tests.examples.curl_lines import lines_of, run_lines
from tests.serving import ROOT, Server, copy_depot

FLIGHTS = ROOT / "examples" / "flights"
ROWS = {"airline": 16, "airport": 1_462, "plane": 4_043, "weather": 26_115, "flight": 336_776}

pytestmark = [pytest.mark.xdist_group("flights"), pytest.mark.timeout(180)]


def open_databases(depot):
    """The connection of the import, from the example itself."""
    sys.path.insert(0, str(FLIGHTS))  # it imports its neighbour
    try:
        path = FLIGHTS / "import_flights.py"
        spec = importlib.util.spec_from_file_location("import_flights", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(FLIGHTS))
    return module.open_databases(depot)


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
    evening, cancelled, airports, airport, schema, delays, *later = answers
    within, geojson, months, saved, mine, similar = later
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
    codes = [r["code"] for r in within["records"]]
    assert "EWR" in codes
    assert codes == sorted(codes)
    assert geojson["type"] == "FeatureCollection"
    assert {"EWR", "JFK", "LGA"} <= {f["properties"]["code"] for f in geojson["features"]}
    for feature in geojson["features"]:
        x, y = feature["geometry"]["coordinates"]
        assert -74.5 < x < -73.5
        assert 40.5 < y < 41
    assert [(r["airline"], r["cancelled"]) for r in months["records"]][:1] == [
        ("ExpressJet Airlines Inc.", 269)
    ]
    distances = [r["distance"] for r in similar["records"]]
    assert len(distances) == 3
    assert distances == sorted(distances)
    assert distances[0] > 0
    assert similar["records"][0]["time_hour"] == "2013-08-28T18:00:00Z"


def test_every_airport_with_a_position_is_a_point(server):
    airports = f"{server.url}/api/records/v1/airports"
    query = {"filter[geom][$is]": "NULL", "order": "code"}
    without = httpx.get(airports, params=query).json()["records"]
    assert [r["code"] for r in without] == ["BQN", "PSE", "SJU", "STT"]
    point = httpx.get(f"{airports}/1").json()
    assert point["geom"]["coordinates"] == [point["longitude"], point["latitude"]]


def test_a_box_that_is_no_geometry_is_the_callers_mistake(server):
    airports = f"{server.url}/api/records/v1/airports"
    for wkt in ("POLYGON((0 0, 1 1))", "POLYGON((0 0", "nonsense", "POINT(0 0); --"):
        answer = httpx.get(airports, params={"filter[geom][@within]": wkt})
        assert answer.status_code == 400, wkt


def test_a_vector_follows_its_measurements(imported):
    sql = "SELECT vector, vec_to_json(coalesce(vector, '[0]')) FROM weather WHERE id = 3666"
    with closing(open_databases(imported[0])) as connection:
        connection.execute("BEGIN IMMEDIATE")  # and never committed
        first = json.loads(connection.execute(sql).fetchone()[1])
        assert len(first) == 6
        assert first[0] == pytest.approx((71.6 - 55) / 18, abs=1e-4)
        connection.execute("UPDATE weather SET temperature_f = 55 WHERE id = 3666")
        assert json.loads(connection.execute(sql).fetchone()[1]) == [0, *first[1:]]
        connection.execute("UPDATE weather SET visibility_mi = NULL WHERE id = 3666")
        assert connection.execute(sql).fetchone()[0] is None
        connection.execute("ROLLBACK")


def test_neighbours_are_those_of_a_calculation_by_hand(imported, server):
    with closing(open_databases(imported[0])) as connection:
        sql = "SELECT id, vec_to_json(vector) FROM weather WHERE vector IS NOT NULL"
        vectors = {number: json.loads(text) for number, text in connection.execute(sql)}
    here = vectors.pop(7000)
    nearest = sorted(vectors, key=lambda number: (math.dist(vectors[number], here), number))[:5]
    login = {"email_or_username": "ada@flights.example", "password": "window-seat"}
    ada = httpx.post(f"{server.url}/api/auth/v1/login", json=login).json()["auth_token"]
    url = f"{server.url}/api/records/v1/similar_weather"
    query = {"filter[reference]": "7000", "order": "distance", "limit": 5}
    found = httpx.get(url, params=query, headers={"authorization": f"Bearer {ada}"}).json()
    assert [r["id"] for r in found["records"]] == nearest
    assert httpx.get(url, params=query).status_code == 403, "a search costs: not for everybody"


def test_the_archive_is_filled_when_the_flights_are_older_than_it(imported, tmp_path):
    depot = shutil.copytree(imported[0], tmp_path / "depot")
    for file in (depot / "data").glob("archive.db*"):
        file.unlink()
    done = import_into(depot)
    assert (done.returncode, done.stderr) == (0, "")
    archive = apsw.Connection(str(depot / "data" / "archive.db"))
    rows, flights = archive.execute("SELECT COUNT(*), SUM(flights) FROM month").fetchone()
    archive.close()
    assert (rows, flights) == (185, 336_776)


def test_saved_flights_are_seen_by_their_owner_only(server):
    login = {"email_or_username": "ben@flights.example", "password": "aisle-please"}
    ben = httpx.post(f"{server.url}/api/auth/v1/login", json=login).json()["auth_token"]
    saved = f"{server.url}/api/records/v1/saved_flights"
    mine = httpx.get(saved, headers={"authorization": f"Bearer {ben}"})
    assert (mine.status_code, mine.json()["records"]) == (200, [])
    assert httpx.get(saved).status_code == 403
