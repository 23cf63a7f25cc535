"""Jobs over HTTP, on a depot."""

import apsw
import pytest

JOBS = "/api/_admin/jobs"
RUN = "/api/_admin/job/run"
MEMBERS = {
    *("id", "name", "schedule", "enabled", "next", "latest"),
    *("running", "missed", "runs", "failures", "last_success"),
}


@pytest.fixture
async def admin(pier):
    async with pier.opened() as (depot, web):
        web.headers.update(await pier.boss(depot))
        web.depot = depot
        yield web


async def jobs(admin):
    answer = await admin.get(JOBS)
    assert answer.status_code == 200
    return {job["id"]: job for job in answer.json()["jobs"]}


async def test_the_list(admin):
    found = await jobs(admin)
    assert {2, 3, 4, 5, 6, 7} <= set(found)
    assert all(set(job) == MEMBERS for job in found.values())
    heart = found[2]
    assert (heart["name"], heart["schedule"]) == ("Heartbeat", "17 * * * * * *")
    assert (heart["enabled"], heart["latest"], heart["running"]) == (True, None, False)
    assert heart["next"] % 60 == 17


async def test_a_run_by_hand_is_waited_for(admin):
    answer = await admin.post(RUN, json={"id": 4})
    assert (answer.status_code, answer.json()) == (200, {"error": None})
    job = (await jobs(admin))[4]
    started, duration, error = job["latest"]
    assert (job["runs"], job["failures"], job["last_success"], error) == (1, 0, started, None)
    assert duration >= 0


async def test_a_run_of_a_command_beside_the_server_is_seen(admin):
    path = admin.depot.options.depot / "data" / "own" / "jobs.db"
    connection = apsw.Connection(str(path))
    connection.execute(
        "INSERT INTO run (job, name, started, duration_ms, error, by_hand)"
        " VALUES (4, 'Session Cleanup', 4e9, 5, 'no', 1)"
    )
    connection.close()
    assert (await jobs(admin))[4]["latest"] == [4_000_000_000, 5, "no"]


async def test_a_failure_is_an_answer(admin, monkeypatch):
    async def refuse(*_):
        raise KeyError("tide")

    monkeypatch.setattr("trailbase_server.server.jobs.delete_expired", refuse)
    answer = await admin.post(RUN, json={"id": 4})
    assert (answer.status_code, answer.json()) == (200, {"error": "KeyError: 'tide'"})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": 99}, 412),
        ({"id": 0}, 412),
        ({"id": -(2**70)}, 422),
        ({}, 422),
        ({"id": "4"}, 422),
        ({"id": True}, 422),
        ({"id": 4.0}, 422),
        ([4], 422),
    ],
)
async def test_what_names_no_job_is_refused(admin, body, status):
    answer = await admin.post(RUN, json=body)
    assert answer.status_code == status
    if status == 412:
        assert answer.text == "precondition failed: Job not found"


async def test_only_administrators_see_and_run_jobs(pier):
    async with pier.opened() as (_, web):
        assert (await web.get(JOBS)).status_code == 401
        assert (await web.post(RUN, json={"id": 4})).status_code == 401
