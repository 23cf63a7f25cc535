"""What goes on beside requests."""

import pytest
from msgspec.structs import replace

from trailbase_server import __version__
from trailbase_server.errors import OperatorError
from trailbase_server.server.metrics.page import render_reading
from trailbase_server.server.ready import Finding
from trailbase_server.server.tls import TlsStatus

HEARTBEAT = "Heartbeat"


async def test_the_build_tells_its_versions(watched):
    [labels] = (await watched.scrape()).labelled("build_info")
    assert __version__ in labels
    assert "v0.33.2" in labels


async def test_runs_of_jobs_are_counted(watched):
    before = await watched.scrape()
    assert before("job_runs_total", job_name=HEARTBEAT) == 0
    assert before("job_last_success_timestamp_seconds", job_name=HEARTBEAT) is None
    heartbeat = next(j for j in watched.depot.scheduler.statistics if j.name == HEARTBEAT)
    await watched.depot.scheduler.run(heartbeat.id)
    after = await watched.scrape()
    assert after("job_runs_total", job_name=HEARTBEAT) == 1
    assert after("job_failures_total", job_name=HEARTBEAT) == 0
    assert after("job_last_success_timestamp_seconds", job_name=HEARTBEAT) > 1.6e9
    assert after("job_enabled", job_name=HEARTBEAT) == 1


async def test_the_newest_backup_has_a_time(watched):
    assert (await watched.scrape())("backup_newest_timestamp_seconds") is None
    made = await watched.depot.backups.run()
    assert (await watched.scrape())("backup_newest_timestamp_seconds") == made.timestamp


async def test_what_readiness_finds_is_a_number(watched):
    watched.depot.readiness.add("odd", lambda: Finding("degraded", "look"))
    scraped = await watched.scrape()
    assert scraped("ready") == 1
    assert scraped("check_state", check="main") == 0
    assert scraped("check_state", check="odd") == 1
    watched.depot.readiness.add("vital", lambda: Finding("failed"), is_vital=True)
    scraped = await watched.scrape()
    assert (scraped("ready"), scraped("check_state", check="vital")) == (0, 2)


async def test_replication_tells_how_far_behind_it_is(watched):
    assert (await watched.scrape())("replication_lag_seconds") is None
    facts = {"lag_s": 1.5, "restarts": 2}
    watched.depot.readiness.add("replication", lambda: Finding("degraded", "late", facts))
    scraped = await watched.scrape()
    assert scraped("replication_lag_seconds") == 1.5
    assert scraped("replication_restarts_total") == 2
    watched.depot.readiness.add("replication", lambda: Finding("failed"))
    assert (await watched.scrape())("replication_lag_seconds") is None


async def test_a_reload_tells_how_it_went(pier, watched):
    assert (await watched.scrape())("config_reload_successful") == 1
    since = (await watched.scrape())("config_timestamp_seconds")
    pier.edit('table_name: "boat"', 'table_name: "none"')
    with pytest.raises(OperatorError):
        await watched.depot.reload()
    scraped = await watched.scrape()
    assert scraped("config_reload_successful") == 0
    assert scraped("config_timestamp_seconds") == since
    pier.edit('table_name: "none"', 'table_name: "boat"')
    await watched.depot.reload()
    scraped = await watched.scrape()
    assert scraped("config_reload_successful") == 1
    assert scraped("config_reload_timestamp_seconds") >= since
    assert scraped("config_timestamp_seconds") > since


async def test_a_certificate_has_an_end(watched):
    reading = await watched.read()
    status = TlsStatus(("a.test",), "An authority", 2e9, ("it is not well",))
    text = render_reading(replace(reading, tls=status), "")[0].decode()
    assert "trail_tls_not_after_timestamp_seconds 2e+09\n" in text
    assert "trail_tls_problems 1.0\n" in text
    text = render_reading(replace(reading, tls=replace(status, not_after=None)), "")[0].decode()
    assert "trail_tls_not_after" not in text
    assert "trail_tls" not in render_reading(reading, "")[0].decode()


async def test_mails_logs_and_room_are_told(watched):
    scraped = await watched.scrape()
    for name in ("mail_waiting", "mail_sent_total", "mail_given_up_total"):
        assert scraped(name) == 0
    assert scraped.labelled("access_log_dropped_total") == {("database",): 0, ("stream",): 0}
    assert scraped("access_log_waiting") >= 0
    assert 0 < scraped("disk_free_bytes") <= scraped("disk_size_bytes")
