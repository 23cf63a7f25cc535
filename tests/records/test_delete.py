"""Delete: scenarios with status, body, and what remains."""

import pytest

from tests.records.writing import open_site


@pytest.fixture
async def site(tmp_path):
    async with open_site(tmp_path) as site:
        yield site


@pytest.mark.parametrize(
    ("api", "key", "user", "status", "answer"),
    [
        ("locker", "1", None, 200, "deleted"),
        ("locker", "+1", None, 200, "deleted"),
        ("locker", "404", None, 404, ""),
        ("locker", "abc", None, 400, "Invalid id"),
        ("gauge", "1", None, 200, "deleted"),
        ("view", "1", None, 405, ""),
        ("nothing", "1", None, 405, ""),
        ("diary_shut", "1", None, 403, ""),
        ("diary_shut", "abc", None, 400, "Invalid id"),
        ("diary", "1", "rosa", 200, "deleted"),
        ("diary", "1", "sam", 403, ""),
        ("diary", "404", "rosa", 403, ""),
        ("diary", "1", None, 403, ""),
        ("diary_fields", "1", None, 403, ""),
        ("diary_fields", "2", None, 200, "deleted"),
    ],
)
async def test_a_request_is_answered(site, api, key, user, status, answer):
    count = "SELECT (SELECT count(*) FROM locker) + (SELECT count(*) FROM diary) +"
    count += " (SELECT count(*) FROM gauge)"
    assert await site.delete(api, key, getattr(site, user) if user else None) == (status, answer)
    assert site.rows(count) == [(4 if status == 200 else 5,)]


async def test_a_record_that_others_refer_to_stays(site):
    await site.create("shift", {}, site.rosa)
    await site.create("task", {"shift": 1})
    assert await site.delete("shift", 1) == (400, "db constraint: fk")
    assert await site.delete("task", 1) == (200, "deleted")
    assert await site.delete("shift", 1) == (200, "deleted")
