"""What is said about everything beside requests: jobs, backups, mails, logs, the process."""

import platform
from typing import TYPE_CHECKING

import apsw

from trailbase_server import WIRE_VERSION, __version__
from trailbase_server.jobs.job import JobStatus
from trailbase_server.server.metrics.families import counter, gauge
from trailbase_server.server.metrics.reading import Reading
from trailbase_server.server.ready import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

_STATES = {"ok": 0, "degraded": 1, "failed": 2}
_ANSWERING = ("ready", "degraded")


def describe_work(reading: Reading) -> "Iterator[Metric]":
    """Describe what goes on beside requests."""
    yield gauge(
        "build_info",
        "What runs.",
        [
            (
                {
                    "version": __version__,
                    "wire_version": WIRE_VERSION,
                    "python": platform.python_version(),
                    "sqlite": apsw.sqlite_lib_version(),
                },
                1,
            )
        ],
    )
    yield gauge("ready", "Requests should be sent here.", reading.status in _ANSWERING)
    yield gauge(
        "check_state",
        "What readiness has found: 0 ok, 1 somebody should look, 2 failed.",
        [({"check": name}, _STATES[one.state]) for name, one in reading.findings.items()],
    )
    yield from _describe_configuration(reading)
    yield from _describe_jobs(reading.jobs)
    yield from _describe_mail(reading)
    yield from _describe_replication(reading.findings.get("replication"))
    yield gauge(
        "access_log_waiting", "Entries of the access log not yet written.", reading.log_waiting
    )
    yield counter(
        "access_log_dropped",
        "Entries of the access log that were lost.",
        [
            ({"to": place}, count)
            for place, count in zip(("database", "stream"), reading.log_dropped, strict=True)
        ],
    )
    disk = reading.disk
    if disk.free is not None and disk.size is not None:
        yield gauge("disk_free_bytes", "Room for data.", disk.free)
        yield gauge("disk_size_bytes", "Room in all.", disk.size)
    if disk.newest_backup is not None:
        yield gauge(
            "backup_newest_timestamp_seconds", "When the newest was made.", disk.newest_backup
        )


def _describe_configuration(reading: Reading) -> "Iterator[Metric]":
    reload = reading.reload
    yield gauge(
        "config_timestamp_seconds", "When this configuration came to run.", reading.config_since
    )
    yield gauge(
        "config_reload_successful",
        "The last reload went well; so did the start.",
        reload is None or not reload.error,
    )
    if reload is not None:
        yield gauge("config_reload_timestamp_seconds", "When that was.", reload.finished)
    if reading.tls is not None:
        if reading.tls.not_after is not None:
            yield gauge(
                "tls_not_after_timestamp_seconds",
                "When the certificate expires.",
                reading.tls.not_after,
            )
        yield gauge("tls_problems", "What is to be mended.", len(reading.tls.problems))


def _describe_jobs(jobs: list[JobStatus]) -> "Iterator[Metric]":
    def of(field: str) -> list[tuple[dict[str, str], float]]:
        values = [(job.name, getattr(job, field)) for job in jobs]
        return [({"job_name": name}, value) for name, value in values if value is not None]

    yield gauge("job_enabled", "The job runs by itself.", of("enabled"))
    yield gauge("job_running", "A run is under way.", of("running"))
    yield counter("job_runs", "Runs that have ended.", of("runs"))
    yield counter("job_failures", "Runs that went wrong.", of("failures"))
    yield counter("job_missed", "Moments that passed without a run.", of("missed"))
    yield gauge("job_next_run_timestamp_seconds", "When it runs next.", of("next"))
    yield gauge(
        "job_last_success_timestamp_seconds", "Start of the last good run.", of("last_success")
    )
    yield gauge(
        "job_last_duration_seconds",
        "Time of the last run.",
        [
            ({"job_name": job.name}, job.latest.duration_ms / 1000)
            for job in jobs
            if job.latest is not None
        ],
    )


def _describe_mail(reading: Reading) -> "Iterator[Metric]":
    counts = reading.mail_counts
    yield counter("mail_sent", "Mails that a server has taken.", counts.sent)
    yield counter("mail_failed_attempts", "Attempts that failed.", counts.failed)
    yield counter("mail_given_up", "Mails after their last attempt.", counts.given_up)
    yield counter("mail_dropped", "Mails beyond the limit of an address.", counts.dropped)
    if reading.mail is None:
        return
    yield gauge("mail_waiting", "Mails on their way.", reading.mail.waiting)
    if reading.mail.oldest is not None:
        yield gauge(
            "mail_oldest_waiting_timestamp_seconds",
            "When the oldest of them was written.",
            reading.mail.oldest,
        )


def _describe_replication(finding: Finding | None) -> "Iterator[Metric]":
    if finding is None or "lag_s" not in finding.facts:
        return
    yield gauge("replication_lag_seconds", "Writes that the replica lacks.", finding.facts["lag_s"])
    yield counter(
        "replication_restarts", "How often Litestream ended by itself.", finding.facts["restarts"]
    )
