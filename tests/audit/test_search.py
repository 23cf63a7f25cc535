"""Reading the audit log: by page, by filter, or all of it."""

import json

import pytest

from trailbase_server.audit import search as module
from trailbase_server.audit.entry import Actor, Entry
from trailbase_server.audit.search import export, search
from trailbase_server.errors import BadRequestError
from trailbase_server.query.parse import parse_list_query

BOSS = Actor("user", "boss@pier.test", bytes(range(16)))
SHELL = Actor("command", "root")


@pytest.fixture
async def entries(audit, clock):
    for number in range(1, 6):
        actor = BOSS if number % 2 else SHELL
        outcome = "done" if number < 5 else "refused"
        await audit.record(
            Entry(actor, "user.add", f"o{number}", outcome=outcome, after={"n": number})
        )
        clock.advance(1)


async def find(database, text=""):
    return await search(database, parse_list_query(text))


def ids(page):
    return [entry["id"] for entry in page.entries]


async def test_an_entry_as_it_goes_over_the_wire(database, entries, clock):
    page = await find(database, "limit=1")
    assert page.entries == [
        {
            "id": 5,
            "time": clock.now() - 1,
            "actor": {
                "kind": "user",
                "id": "00010203-0405-0607-0809-0a0b0c0d0e0f",
                "name": "boss@pier.test",
            },
            "client_ip": "",
            "request_id": "",
            "action": "user.add",
            "object": "o5",
            "before": None,
            "after": {"n": 5},
            "outcome": "refused",
            "status": None,
            "message": "",
        }
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("order=id", [1, 2, 3, 4, 5]),
        ("order=-object", [5, 4, 3, 2, 1]),
        ("offset=3", [2, 1]),
        ("filter[actor_kind]=command", [4, 2]),
        ("filter[outcome]=refused", [5]),
        ("filter[object][$like]=o%25", [5, 4, 3, 2, 1]),
        ("filter[object][$re]=[12]", [2, 1]),
        ("filter[id][$gt]=3&filter[actor_kind]=user", [5]),
        ("filter[actor_id]=AAECAwQFBgcICQoLDA0ODw==", [5, 3, 1]),
        ("filter[time][$lt]=1", []),
    ],
)
async def test_filters_and_orders(database, entries, query, expected):
    page = await find(database, query)
    assert ids(page) == expected
    assert page.total == (5 if "filter" not in query else len(expected))


async def test_pages_follow_one_another(database, entries):
    first = await find(database, "limit=2&filter[id][$gt]=1")
    assert (ids(first), first.total) == ([5, 4], 4)
    second = await find(database, f"limit=2&filter[id][$gt]=1&cursor={first.cursor}")
    assert (ids(second), second.total) == ([3, 2], 4)
    third = await find(database, f"limit=2&filter[id][$gt]=1&cursor={second.cursor}")
    assert (ids(third), third.cursor) == ([], None)


@pytest.mark.parametrize(
    "query",
    [
        *(
            "limit=1025",
            "cursor=x",
            "cursor=-1",
            f"cursor={'9' * 40}",
            "order=before",
            "order=nope",
        ),
        *("filter[before]=x", "filter[digest]=x", "filter[nope]=x", "filter[id]=x"),
    ],
)
async def test_what_does_not_fit_is_refused(database, entries, query):
    with pytest.raises(BadRequestError):
        await find(database, query)


async def test_all_of_it_oldest_first(database, entries, monkeypatch):
    monkeypatch.setattr(module, "EXPORT_BATCH", 2)
    pieces = [piece async for piece in await export(database, parse_list_query(""))]
    lines = b"".join(pieces).splitlines()
    assert [json.loads(line)["id"] for line in lines] == [1, 2, 3, 4, 5]
    some = [piece async for piece in await export(database, parse_list_query("filter[id][$gt]=3"))]
    assert b"".join(some).count(b"\n") == 2
