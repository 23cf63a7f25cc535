"""When the system's jobs run."""

import pytest

from tests.pier import Pier
from trailbase_server.config.proto.config_pb2 import JobsConfig, SystemJobId
from trailbase_server.jobs.locks import JobLocks
from trailbase_server.server.jobs import build_scheduler
from trailbase_server.server.schedule import SYSTEM_JOBS, plan_system_jobs


@pytest.fixture
async def depot(tmp_path):
    async with Pier(tmp_path / "depot").opened() as (opened, _web):
        yield opened


def plans(scheduler):
    return {one.id: (one.schedule, one.enabled) for one in scheduler.statistics}


async def test_schedules_are_those_of_the_configuration_and_else_the_built_in_ones(depot, tmp_path):
    async def back_up():
        pass

    scheduler = build_scheduler(depot, depot.session_database, JobLocks(tmp_path), back_up)
    built_in = {job_id: (schedule, enabled) for job_id, _, schedule, enabled in SYSTEM_JOBS}
    assert plans(scheduler) == built_in
    assert built_in[SystemJobId.BACKUP] == ("@daily", False)
    plan_system_jobs(
        scheduler,
        JobsConfig(
            system_jobs=[
                {"id": SystemJobId.BACKUP, "schedule": "@daily"},
                {"id": SystemJobId.LOG_CLEANER, "schedule": "@weekly", "disabled": True},
                {"id": SystemJobId.LOG_CLEANER, "schedule": "@yearly"},
            ]
        ),
    )
    assert plans(scheduler) == built_in | {1: ("@daily", True), 3: ("@weekly", False)}
    plan_system_jobs(scheduler, JobsConfig())
    assert plans(scheduler) == built_in


async def test_a_changed_configuration_plans_anew_and_forgets_nothing(tmp_path):
    pier = Pier(tmp_path / "depot")
    async with pier.opened() as (depot, _):
        before = await depot.scheduler.run(SystemJobId.AUTH_CLEANER)
        pier.edit(
            "server {", 'jobs { system_jobs: [{ id: AUTH_CLEANER schedule: "@weekly" }] } server {'
        )
        await depot.reload()
        assert plans(depot.scheduler)[4] == ("@weekly", True)
        (found,) = [one for one in depot.scheduler.statistics if one.id == 4]
        assert found.latest == before
