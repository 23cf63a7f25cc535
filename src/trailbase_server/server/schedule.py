"""
The list of the system's jobs, and when they run.

Ids, names and schedules are the reference's; the configuration may set other times, or switch a job
off.
"""

from trailbase_server.config.proto.config_pb2 import JobsConfig, SystemJobId
from trailbase_server.config.schedule import parse_schedule
from trailbase_server.jobs.scheduler import Scheduler

# Id, name, schedule, whether it runs by itself unless the configuration says otherwise.
SYSTEM_JOBS = (
    (SystemJobId.BACKUP, "Backup", "@daily", False),
    (SystemJobId.HEARTBEAT, "Heartbeat", "17 * * * * * *", True),
    (SystemJobId.LOG_CLEANER, "Logs Cleanup", "@hourly", True),
    (SystemJobId.AUTH_CLEANER, "Session Cleanup", "@hourly", True),
    (SystemJobId.QUERY_OPTIMIZER, "Query Optimizer", "@daily", True),
    (SystemJobId.FILE_DELETIONS, "File Deletions", "@hourly", True),
    (SystemJobId.ANONYMOUS_CLEANER, "Anonymous User Cleanup", "@daily", True),
)


def plan_system_jobs(scheduler: Scheduler, config: JobsConfig) -> None:
    """
    Take over when the system's jobs run; what has not changed goes on as planned.

    Args:
        scheduler: Has them.
        config: Checked. Of several entries for one job the first holds.

    Spec:
        server/system-jobs
    """
    configured = {job.id: job for job in reversed(config.system_jobs)}
    known = {one.id for one in scheduler.statistics}
    for job_id, _, schedule, enabled in SYSTEM_JOBS:
        job = configured.get(job_id)
        if job_id not in known:
            continue
        if job is None:
            scheduler.plan(job_id, parse_schedule(schedule), enabled=enabled)
        else:
            scheduler.plan(job_id, parse_schedule(job.schedule), enabled=not job.disabled)
