from pathlib import Path

from trailbase_server.backups.sources import (
    find_sources,
    kind_of,
    known_migrations,
    list_homes,
)

OWN = ["accounts", "outbox", "jobs", "audit"]


def names(sources):
    return [source.name for source in sources]


async def test_all_databases_are_found_main_first(depot):
    data = depot / "data"
    (data / "old.db").write_bytes(b"")
    assert names(find_sources(data))[0] == "main"
    everything = ["main", "old", "tide", *OWN, "logs", "session"]
    assert sorted(names(find_sources(data))) == sorted(everything)
    some = find_sources(data, ["tide", "missing"], with_logs=False)
    assert names(some) == ["main", "tide", "session", *OWN]
    assert [source.kind for source in some] == ["main", "attached", "session", *OWN]
    assert some[3].path == data / "own" / "accounts.db"
    # A database of the user's that is called like one of ours is another one.
    assert kind_of("accounts.db") == "attached"


def test_where_databases_are_whether_they_exist_or_not():
    assert list_homes(["tide", "main"])[:4] == ["main.db", "tide.db", "session.db", "logs.db"]
    assert "logs.db" not in list_homes([], with_logs=False)
    assert "own/audit.db" in list_homes([])


async def test_migrations_that_a_database_may_have_seen(depot):
    assert "boats" in {one.name for one in known_migrations(depot, "main.db")}
    assert "gauge" in {one.name for one in known_migrations(depot, "tide.db")}
    assert "gauge" not in {one.name for one in known_migrations(depot, "session.db")}
    assert known_migrations(Path("/nowhere"), "logs.db")
