"""A reading is a copy: nothing that goes on changes it."""

from trailbase_server.errors import UnavailableError
from trailbase_server.server.metrics.page import render_reading


async def test_a_reading_stays_as_it_is(watched):
    await watched.web.get("/api/records/v1/boat")
    reading = await watched.read()
    text = render_reading(reading, "")[0]
    await watched.web.get("/api/records/v1/boat")
    await watched.web.post("/api/records/v1/boat", json={"name": "Ada"})
    lines = text.splitlines()
    again = render_reading(reading, "")[0].splitlines()
    changed = {
        line for line in set(lines) ^ set(again) if not line.startswith((b"process", b"python"))
    }
    assert changed == set()


async def test_only_what_was_asked_for_has_series(watched):
    assert (await watched.read()).answers == []
    await watched.web.get("/api/healthcheck")
    [answers] = (await watched.read()).answers
    assert (answers.route, answers.method, set(answers.by_status)) == (
        "/api/healthcheck",
        "GET",
        {200},
    )


async def test_an_outbox_that_cannot_be_read_spoils_nothing(watched, monkeypatch):
    async def fail():
        raise UnavailableError

    monkeypatch.setattr(watched.depot.mailer, "status", fail)
    assert (await watched.read()).mail is None
    scraped = await watched.scrape()
    assert scraped("mail_waiting") is None
    assert scraped("mail_sent_total") == 0
