"""What is said of databases is what was done with them."""


async def test_a_write_is_a_turn_of_its_database(watched):
    before = await watched.scrape()
    answer = await watched.web.post("/api/records/v1/boat", json={"name": "Ada"})
    assert answer.status_code == 200
    after = await watched.scrape()

    def grown(name, database):
        return after(name, database=database) - before(name, database=database)

    assert grown("sqlite_turn_writes_count", "main") == 1
    assert grown("sqlite_turn_writes_sum", "main") == 1
    assert grown("sqlite_commit_duration_seconds_count", "main") == 1
    assert grown("sqlite_turn_writes_count", "session") == 0
    assert after("sqlite_turn_writes_bucket", database="main", le="1.0") >= 1


async def test_reads_are_counted_by_the_engine(watched):
    before = (await watched.scrape())("sqlite_inline_reads_total", database="main")
    for _ in range(3):
        await watched.web.get("/api/records/v1/boat")
    after = (await watched.scrape())("sqlite_inline_reads_total", database="main")
    assert after - before >= 3


async def test_every_file_has_its_size(watched):
    scraped = await watched.scrape()
    sizes = scraped.labelled("sqlite_file_bytes")
    names = {"main", "tide", "session", "accounts", "outbox", "jobs", "audit", "logs"}
    assert {name for (name,) in sizes} == names
    main = watched.depot.options.depot / "data" / "main.db"
    assert sizes[("main",)] == main.stat().st_size
    assert {name for (name,) in scraped.labelled("sqlite_wal_bytes")} == names


async def test_queues_are_empty_when_nothing_waits(watched):
    scraped = await watched.scrape()
    for name in ("sqlite_reads_waiting", "sqlite_writes_waiting"):
        assert set(scraped.labelled(name).values()) == {0}
        assert len(scraped.labelled(name)) == 5
