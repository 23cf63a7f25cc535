from trailbase_server.config.schedule import parse_schedule
from trailbase_server.jobs.job import FIRST_OWN_ID, MAX_RUN_S, Job, UnknownJobError
from trailbase_server.web.errors import error_response


async def nothing():
    pass


def test_a_job_runs_by_itself_has_an_end_and_is_remembered():
    job = Job("Tide", parse_schedule("@daily"), nothing)
    assert (job.id, job.enabled, job.timeout_s, job.is_remembered) == (None, True, MAX_RUN_S, True)
    assert FIRST_OWN_ID == 1024


def test_an_unknown_job_is_a_precondition_that_fails():
    response = error_response(UnknownJobError())
    assert (response.status, response.body) == (412, b"precondition failed: Job not found")
