"""The audit log over HTTP."""

import json

import pytest

AUDIT = "/api/_admin/audit"


@pytest.fixture
async def admin(pier):
    async with pier.opened() as (depot, web):
        web.headers.update(await pier.boss(depot))
        web.depot = depot
        for job_id in (2, 4, 99):
            await web.post("/api/_admin/job/run", json={"id": job_id})
        yield web


async def test_a_page_of_it(admin):
    answer = (await admin.get(f"{AUDIT}?limit=2")).json()
    assert answer["total_row_count"] == 3
    assert [one["object"] for one in answer["entries"]] == ["99", "4"]
    assert [one["outcome"] for one in answer["entries"]] == ["refused", "done"]
    rest = (await admin.get(f"{AUDIT}?limit=2&cursor={answer['cursor']}")).json()
    assert [one["object"] for one in rest["entries"]] == ["2"]
    assert rest["cursor"] is None


async def test_a_filter(admin):
    answer = await admin.get(AUDIT, params={"filter[outcome]": "refused"})
    assert [one["object"] for one in answer.json()["entries"]] == ["99"]


async def test_all_of_it_as_lines(admin):
    answer = await admin.get(f"{AUDIT}/export")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["object"] for line in answer.text.splitlines()] == ["2", "4", "99"]


async def test_whether_it_is_whole(admin):
    answer = (await admin.get(f"{AUDIT}/verify")).json()
    assert answer["whole"]
    assert (answer["entries"], answer["first"], answer["last"]) == (3, 1, 3)
    assert (len(answer["digest"]), answer["broken_at"]) == (64, None)


@pytest.mark.parametrize("path", [AUDIT, f"{AUDIT}/export"])
@pytest.mark.parametrize("query", ["filter[digest]=x", "filter[id]=x", "limit=x"])
async def test_what_does_not_fit_is_refused(admin, path, query):
    assert (await admin.get(f"{path}?{query}")).status_code == 400


@pytest.mark.parametrize("path", [AUDIT, f"{AUDIT}/export", f"{AUDIT}/verify"])
async def test_only_administrators_read_it(admin, path):
    del admin.headers["authorization"]
    assert (await admin.get(path)).status_code == 401
    assert (await admin.post(path)).status_code in (401, 405)
