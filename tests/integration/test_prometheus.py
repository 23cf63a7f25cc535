"""
The files in ``deploy/prometheus`` and ``deploy/grafana`` with the real Prometheus.

It scrapes a real server, and is asked everything that the dashboard and the alerts ask.
"""

import json
import re
import shutil
import subprocess
import threading
import time
from contextlib import suppress

import httpx
import pytest

from tests.pier import Pier
from tests.serving import ROOT, Server, free_port

PARTS = {name: shutil.which(name) for name in ("prometheus", "promtool")}
pytestmark = pytest.mark.skipif(
    None in PARTS.values(), reason="prometheus is missing: on Debian, apt-get install prometheus"
)
FILES = ROOT / "deploy" / "prometheus"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
TOKEN = "a-token-for-prometheus"
PATIENCE_S = 30
# There only once it has happened.
RARE = (
    "trail_backup_newest_timestamp_seconds",
    "trail_config_reload_timestamp_seconds",
    "trail_http_rate_limited_total",
    "trail_http_requests_given_up_total",
    "trail_job_last_duration_seconds",
    "trail_job_last_success_timestamp_seconds",
    "trail_mail_oldest_waiting_timestamp_seconds",
    "trail_replication_lag_seconds",
    "trail_replication_restarts_total",
    "trail_tls_not_after_timestamp_seconds",
    "trail_tls_problems",
)
_SUFFIXES = ("", "_bucket", "_sum", "_count")


def queries():
    """All that the dashboard asks, with its variables filled in."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            query = target["expr"].replace("$instance", ".*")
            query = query.replace("$__rate_interval", "20s").replace("$__range", "1m")
            assert "$" not in query
            yield panel["title"], query


def names_in(text):
    return set(re.findall(r"\b(?:trail|process)_[a-z_]+", text))


def wait_until(condition):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


class Prometheus:
    """A running Prometheus with our files, but for ports and intervals."""

    def __init__(self, folder, target):
        text = (FILES / "prometheus.yml").read_text()
        for old, new in {
            "127.0.0.1:9464": target,
            "15s": "1s",
            "    # authorization:": "    authorization:",
            "    #   credentials_file: /etc/prometheus/trail.token": (
                f"      credentials_file: {folder / 'token'}"
            ),
        }.items():
            assert old in text
            text = text.replace(old, new)
        (folder / "prometheus.yml").write_text(text)
        shutil.copy(FILES / "alerts.yml", folder)
        port = free_port()
        self.log = folder / "prometheus.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    PARTS["prometheus"],
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'series'}",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                stdout=log,
                stderr=log,
            )
        self.web = httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=10)

    def query(self, query):
        answer = self.web.get("/query", params={"query": query}).json()
        assert answer["status"] == "success", (query, answer)
        return answer["data"]["result"]

    def is_scraping(self):
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        with suppress(httpx.HTTPError, ValueError, AssertionError):
            [(_, count)] = [r["value"] for r in self.query("count_over_time(trail_ready[1m])")]
            return int(count) >= 4
        return False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.web.close()
        self.process.terminate()
        self.process.wait(10)


def keep_busy(url, stop):
    with httpx.Client(base_url=url) as web:
        while not stop.wait(0.02):
            web.get("/api/records/v1/boat")
            web.post("/api/records/v1/boat", json={"name": "Ada"})
            web.get("/nothing")
            web.post("/api/auth/v1/login", json={"email": "a@b.test", "password": "wrong"})


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """A busy server and a Prometheus that has scraped it a few times; the page's text too."""
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "token").write_text(TOKEN)
    pier = Pier(folder / "depot")
    target = f"127.0.0.1:{free_port()}"
    options = ("--metrics-address", target, "--metrics-token-file", folder / "token")
    stop = threading.Event()
    with Server(pier.root, *options) as server, Prometheus(folder, target) as prometheus:
        visitor = threading.Thread(target=keep_busy, args=(server.url, stop))
        visitor.start()
        try:
            wait_until(prometheus.is_scraping)
            headers = {"authorization": f"Bearer {TOKEN}"}
            page = httpx.get(f"http://{target}/metrics", headers=headers)
            assert page.status_code == 200
            yield prometheus, page.text
        finally:
            stop.set()
            visitor.join()


def promtool(*arguments, **options):
    return subprocess.run(
        [PARTS["promtool"], *arguments], capture_output=True, text=True, check=False, **options
    )


@pytest.mark.parametrize(
    "arguments",
    [("check", "config", FILES / "prometheus.yml"), ("check", "rules", FILES / "alerts.yml")],
    ids=lambda arguments: arguments[1],
)
def test_promtool_has_nothing_to_say_about_our_files(arguments):
    done = promtool(*arguments)
    assert (done.returncode, done.stderr) == (0, "")


def test_promtool_has_nothing_to_say_about_the_page(observed):
    done = promtool("check", "metrics", input=observed[1])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nothing_that_we_ask_for_is_misspelt(observed):
    there = {line.split("{")[0].split(" ")[0] for line in observed[1].splitlines()}
    asked = names_in(json.dumps(DASHBOARD)) | names_in((FILES / "alerts.yml").read_text())
    assert {name for name in asked if name not in there} <= set(RARE)


def test_whatever_is_on_the_page_is_on_the_dashboard(observed):
    there = {line.split(" ")[2] for line in observed[1].splitlines() if line.startswith("# TYPE")}
    asked = names_in(json.dumps(DASHBOARD))
    missing = {
        name
        for name in there
        if name.startswith("trail_") and not any(name + suffix in asked for suffix in _SUFFIXES)
    }
    assert missing <= {
        "trail_job_enabled",
        "trail_job_last_success_timestamp_seconds",
        "trail_job_next_run_timestamp_seconds",
        "trail_job_running",
        "trail_job_runs_total",
        *RARE,
    }


def test_every_query_of_the_dashboard_is_answered_with_something(observed):
    prometheus, _ = observed
    empty = [
        (title, query)
        for title, query in queries()
        if not prometheus.query(query) and not names_in(query) & set(RARE)
    ]
    assert empty == []


def test_the_dashboard_asks_for_its_servers(observed):
    [variable] = [v for v in DASHBOARD["templating"]["list"] if v["name"] == "instance"]
    [name, label] = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["definition"]).groups()
    values = observed[0].web.get(f"/label/{label}/values", params={"match[]": name}).json()
    assert len(values["data"]) == 1


def test_panels_do_not_overlap_and_have_ids_of_their_own():
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


def test_every_alert_is_evaluated_and_a_healthy_server_has_none(observed):
    prometheus, _ = observed

    def rules():
        groups = prometheus.web.get("/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    wait_until(lambda: all(rule["health"] != "unknown" for rule in rules()))
    assert [
        (rule["name"], rule.get("lastError")) for rule in rules() if rule["health"] != "ok"
    ] == []
    firing = [rule["name"] for rule in rules() if rule["state"] == "firing"]
    # Here every fourth request is somebody guessing; the disk is whoever's runs the tests.
    assert set(firing) <= {"TrailDiskFull"}


# Alerts, with time in the hands of promtool

SHORT, LONG = 3 * 60, 50 * 60  # minutes
SLOW = {"TrailBackupOld", "TrailBackupMissing"}  # days
INSTANCE = 'instance="a:1"'
ROUTE = f'{INSTANCE}, route="/api/records/v1/{{api}}", method="GET"'
COMMIT = f'trail_sqlite_commit_duration_seconds_bucket{{{INSTANCE}, database="main"'
GUESS = f'trail_auth_events_total{{{INSTANCE}, event="password_wrong"}}'
HEALTHY = {
    f'up{{job="trail", {INSTANCE}}}': "1",
    f"trail_ready{{{INSTANCE}}}": "1",
    f'trail_check_state{{{INSTANCE}, check="disk"}}': "0",
    f'trail_http_requests_total{{{ROUTE}, status="2xx"}}': "0+600",
    f'trail_http_requests_total{{{ROUTE}, status="5xx"}}': "0",
    f'trail_http_request_duration_seconds_bucket{{{ROUTE}, le="0.1"}}': "0+600",
    f'trail_http_request_duration_seconds_bucket{{{ROUTE}, le="1.0"}}': "0+600",
    f'trail_http_request_duration_seconds_bucket{{{ROUTE}, le="+Inf"}}': "0+600",
    f'process_start_time_seconds{{job="trail", {INSTANCE}}}': "1",
    f'process_open_fds{{job="trail", {INSTANCE}}}': "100",
    f'process_max_fds{{job="trail", {INSTANCE}}}': "1000",
    f'trail_sqlite_failed_commits_total{{{INSTANCE}, database="main"}}': "0",
    f'trail_sqlite_writes_waiting{{{INSTANCE}, database="main"}}': "20",
    f'trail_sqlite_reads_waiting{{{INSTANCE}, database="main"}}': "2",
    f'{COMMIT}, le="0.1"}}': "0+60",
    f'{COMMIT}, le="1.0"}}': "0+60",
    f'{COMMIT}, le="+Inf"}}': "0+60",
    f'trail_sqlite_wal_bytes{{{INSTANCE}, database="main"}}': "8000000",
    f"trail_disk_free_bytes{{{INSTANCE}}}": "50000000000-1000",
    f"trail_disk_size_bytes{{{INSTANCE}}}": "90000000000",
    f"trail_backup_newest_timestamp_seconds{{{INSTANCE}}}": "0+60",
    f"trail_replication_lag_seconds{{{INSTANCE}}}": "2",
    f'trail_job_enabled{{{INSTANCE}, job_name="Backup"}}': "1",
    f'trail_job_failures_total{{{INSTANCE}, job_name="Backup"}}': "0",
    f'trail_job_missed_total{{{INSTANCE}, job_name="Backup"}}': "0",
    f'trail_job_missed_total{{{INSTANCE}, job_name="Heartbeat"}}': "0+1",
    f"trail_config_reload_successful{{{INSTANCE}}}": "1",
    f"trail_tls_not_after_timestamp_seconds{{{INSTANCE}}}": "10000000",
    f"trail_mail_oldest_waiting_timestamp_seconds{{{INSTANCE}}}": "0+60",
    f"trail_mail_given_up_total{{{INSTANCE}}}": "0",
    GUESS: "0+3",
    f"trail_http_connections_refused_total{{{INSTANCE}}}": "0",
    f"trail_realtime_events_sent_total{{{INSTANCE}}}": "0+6000",
    f"trail_realtime_events_dropped_total{{{INSTANCE}}}": "0",
    f'trail_access_log_dropped_total{{{INSTANCE}, to="database"}}': "0",
}
SICK = {
    "TrailDown": {f'up{{job="trail", {INSTANCE}}}': "0"},
    "TrailNotReady": {f"trail_ready{{{INSTANCE}}}": "0"},
    "TrailCheckFailing": {f'trail_check_state{{{INSTANCE}, check="disk"}}': "1"},
    "TrailErrors": {f'trail_http_requests_total{{{ROUTE}, status="5xx"}}': "0+12"},
    "TrailSlow": {f'trail_http_request_duration_seconds_bucket{{{ROUTE}, le="0.1"}}': "0+500"},
    "TrailRestarting": {f'process_start_time_seconds{{job="trail", {INSTANCE}}}': "1+60"},
    "TrailCommitsFailing": {
        f'trail_sqlite_failed_commits_total{{{INSTANCE}, database="main"}}': "0+1"
    },
    "TrailWritesWaiting": {f'trail_sqlite_writes_waiting{{{INSTANCE}, database="main"}}': "9000"},
    "TrailReadsWaiting": {f'trail_sqlite_reads_waiting{{{INSTANCE}, database="main"}}': "60"},
    "TrailSlowDisk": {f'{COMMIT}, le="0.1"}}': "0+30"},
    "TrailLongLog": {f'trail_sqlite_wal_bytes{{{INSTANCE}, database="main"}}': "900000000"},
    "TrailDiskFilling": {
        # At the end 23 GB are left, and 58 GB a day are used.
        f"trail_disk_free_bytes{{{INSTANCE}}}": "30000000000-40000000"
    },
    "TrailDiskFull": {f"trail_disk_free_bytes{{{INSTANCE}}}": "1000000000"},
    "TrailBackupOld": {f"trail_backup_newest_timestamp_seconds{{{INSTANCE}}}": "0"},
    "TrailBackupMissing": {f"trail_backup_newest_timestamp_seconds{{{INSTANCE}}}": None},
    "TrailReplicaLate": {f"trail_replication_lag_seconds{{{INSTANCE}}}": "300"},
    "TrailJobFailing": {f'trail_job_failures_total{{{INSTANCE}, job_name="Backup"}}': "0+1"},
    "TrailJobMissed": {f'trail_job_missed_total{{{INSTANCE}, job_name="Backup"}}': "0+1"},
    "TrailReloadFailed": {f"trail_config_reload_successful{{{INSTANCE}}}": "0"},
    "TrailCertificateExpires": {f"trail_tls_not_after_timestamp_seconds{{{INSTANCE}}}": "500000"},
    "TrailMailStuck": {f"trail_mail_oldest_waiting_timestamp_seconds{{{INSTANCE}}}": "0"},
    "TrailMailGivenUp": {f"trail_mail_given_up_total{{{INSTANCE}}}": "0+1"},
    "TrailGuessing": {GUESS: "0+120"},
    "TrailConnectionsRefused": {f"trail_http_connections_refused_total{{{INSTANCE}}}": "0+5"},
    "TrailOpenFiles": {f'process_open_fds{{job="trail", {INSTANCE}}}': "900"},
    "TrailEventsDropped": {f"trail_realtime_events_dropped_total{{{INSTANCE}}}": "0+600"},
    "TrailAccessLogDropped": {
        f'trail_access_log_dropped_total{{{INSTANCE}, to="database"}}': "0+1"
    },
}


def course(values, minutes):
    """A series over all the time: ``5``, or ``0+60`` and ``50-1`` a minute."""
    grows = "+" in values[1:] or "-" in values[1:]
    return f"{values}x{minutes}" if grows else f"{values}+0x{minutes}"


def courses(instance, changes, minutes):
    """All series of one instance."""
    return [
        {"series": name.replace("a:1", instance), "values": course(values, minutes)}
        for name, values in {**HEALTHY, **changes}.items()
        if values
    ]


def firing(alerts, minutes):
    """A test for promtool: each alert fires for the instance of its name, and nothing else does."""
    series = courses("healthy", {}, minutes)
    for name in alerts:
        series += courses(name, SICK[name], minutes)
    expected = [
        {"labels": f'{{alertname="{name}", instance="{name}"}}', "value": 1} for name in alerts
    ]
    query = 'max by (alertname, instance) (ALERTS{alertstate="firing"})'
    return {
        "interval": "1m",
        "input_series": series,
        "promql_expr_test": [
            {"expr": query, "eval_time": f"{minutes}m", "exp_samples": expected},
        ],
    }


@pytest.mark.parametrize(("is_slow", "minutes"), [(False, SHORT), (True, LONG)])
def test_each_alert_fires_when_it_should_and_alone(tmp_path, is_slow, minutes):
    shutil.copy(FILES / "alerts.yml", tmp_path)
    alerts = [name for name in SICK if (name in SLOW) is is_slow]
    given = {
        "rule_files": ["alerts.yml"],
        "evaluation_interval": "30m" if is_slow else "1m",
        "tests": [firing(alerts, minutes)],
    }
    path = tmp_path / "tests.yml"  # JSON is YAML
    path.write_text(json.dumps(given))
    done = promtool("test", "rules", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_been_made_to_fire():
    alerts = re.findall(r"- alert: (\w+)", (FILES / "alerts.yml").read_text())
    assert sorted(alerts) == sorted(SICK)
