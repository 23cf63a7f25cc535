"""The admin API of backups, on a real depot."""

import pytest

PATH = "/api/_admin/backups"


@pytest.fixture
async def boss(pier):
    async with pier.opened() as (depot, web):
        headers = await pier.boss(depot)

        async def ask(method, path, json=None):
            return await web.request(method, PATH + path, json=json, headers=headers)

        yield ask, depot


async def test_from_the_first_backup_to_the_last(boss):
    ask, depot = boss
    assert (await ask("GET", "")).json() == {"backups": []}
    [one] = (await ask("POST", "/trigger")).json()["backups"]
    assert one["size"] > 0
    assert {"main", "tide", "session"} <= set(one["databases"])
    timestamp = {"timestamp": one["timestamp"]}
    report = (await ask("POST", "/verify", timestamp)).json()
    assert (report["ok"], report["problems"], report["timestamp"]) == (True, [], one["timestamp"])
    await depot.database.write(add_boat)
    answer = await ask("PATCH", "/restore", {**timestamp, "exclude": ["session"]})
    assert (answer.status_code, answer.content) == (200, b"")
    assert depot.database.read("SELECT * FROM boat") == []
    listed = (await ask("GET", "")).json()
    assert [backup["timestamp"] for backup in listed["backups"]] == [one["timestamp"]]
    [before] = listed["before_restore"]
    both = [one["timestamp"], before["timestamp"]]
    answer = await ask("DELETE", "/delete", {"timestamps": both})
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await ask("GET", "")).json() == {"backups": []}


def add_boat(tx):
    tx.run("INSERT INTO boat (name) VALUES ('x')")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PATCH", "/restore", {"timestamp": 5}, 412),
        ("PATCH", "/restore", {}, 422),
        ("PATCH", "/restore", [], 422),
        ("PATCH", "/restore", {"timestamp": "5"}, 422),
        ("PATCH", "/restore", {"timestamp": True}, 422),
        ("PATCH", "/restore", {"timestamp": 1 << 63}, 412),
        ("PATCH", "/restore", {"timestamp": 5, "exclude": "logs"}, 422),
        ("PATCH", "/restore", {"timestamp": 5, "exclude": [1]}, 422),
        ("POST", "/verify", {"timestamp": 5}, 412),
        ("POST", "/verify", {}, 422),
        ("DELETE", "/delete", {"timestamps": [5]}, 412),
        ("DELETE", "/delete", {"timestamps": []}, 200),
        ("DELETE", "/delete", {"timestamps": 5}, 422),
        ("DELETE", "/delete", {"timestamps": [1.5]}, 422),
        ("DELETE", "/delete", {"timestamps": [1 << 63]}, 412),
        ("DELETE", "/delete", {}, 422),
    ],
)
async def test_refusals(boss, method, path, body, status):
    ask, _ = boss
    answer = await ask(method, path, body)
    assert answer.status_code == status
    assert bool(answer.text) is (status != 200)


async def test_switched_off(pier):
    pier.edit('application_name: "Pier"', 'application_name: "Pier" backup_window_size: 0')
    async with pier.opened() as (depot, web):
        answer = await web.post(f"{PATH}/trigger", headers=await pier.boss(depot))
    assert answer.status_code == 412
    assert answer.text == "precondition failed: Backups disabled. Window size explicitly set to 0"


async def test_a_broken_manifest_is_shown(boss, pier):
    ask, _ = boss
    (pier.root / "backups" / "5").mkdir(parents=True)
    (pier.root / "backups" / "6").mkdir()
    (pier.root / "backups" / "5" / "manifest.json").write_text("{")
    broken, foreign = (await ask("GET", "")).json()["backups"]
    assert broken["problem"].startswith("manifest.json is broken")
    assert foreign == {"timestamp": 6}
    answer = await ask("PATCH", "/restore", {"timestamp": 6})
    assert (answer.status_code, answer.text) == (500, "Backup: Other: No DBs found")
