"""
Jobs, as administrators see and run them.

Besides what the reference answers there is ``running``, what was ``missed``, and how many ``runs``
and ``failures`` there have been since the start.
"""

from typing import Any

from trailbase_server.errors import UnprocessableError
from trailbase_server.jobs.job import JobStatus
from trailbase_server.jobs.scheduler import Scheduler
from trailbase_server.web.audit import annotate
from trailbase_server.web.body import decode_json_only
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, json_value


async def list_jobs(state: Scheduler, _request: Request) -> Response:
    """
    Answer with all jobs and how they are getting on.

    Spec:
        server/admin-api
        admin-api/jobs
    """
    await state.recall()
    return json_value({"jobs": [render_job(one) for one in state.statistics]})


async def run_job(state: Scheduler, request: Request) -> Response:
    """
    Run a job now, or wait for the run that is under way; what went wrong is part of the answer.

    Raises:
        UnprocessableError: The id is missing or no number.
        UnknownJobError: There is no such job.

    Spec:
        server/admin-api
        admin-api/jobs
    """
    body = decode_json_only(request)
    job_id = body.get("id") if isinstance(body, dict) else None
    if not isinstance(job_id, int) or isinstance(job_id, bool):
        raise UnprocessableError("missing or malformed member `id`")
    annotate(object=str(job_id))
    run = await state.run(job_id)
    annotate(after={"error": run.error})
    return json_value({"error": run.error})


def render_job(job: JobStatus) -> dict[str, Any]:
    """Render a job as it goes over the wire."""
    latest = job.latest
    return {
        "id": job.id,
        "name": job.name,
        "schedule": job.schedule,
        "enabled": job.enabled,
        "next": job.next,
        "latest": latest and [int(latest.started), latest.duration_ms, latest.error],
        "running": job.running,
        "missed": job.missed,
        "runs": job.runs,
        "failures": job.failures,
        "last_success": None if job.last_success is None else int(job.last_success),
    }
