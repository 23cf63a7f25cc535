import asyncio
import threading

import pytest

from trailbase_server.config.check import Problem
from trailbase_server.config.holder import ConfigHolder
from trailbase_server.config.load import load_config
from trailbase_server.config.vault import redact
from trailbase_server.errors import (
    BadRequestError,
    ConflictError,
    OperatorError,
    PreconditionError,
)


def open_holder(depot, environ=None, **options):
    environ = environ or {}
    return ConfigHolder(load_config(depot, environ), environ, **options)


def changed(holder, name="Haven"):
    config = redact(holder.config)
    config.server.application_name = name
    return config


def no_vessels(config):
    return [
        Problem(f"record_apis[{index}].table_name", "no such table")
        for index, api in enumerate(config.record_apis)
        if api.table_name == "submarine"
    ]


async def test_an_update_is_on_disk_before_it_runs_and_is_told_to_its_followers(depot):
    holder = open_holder(depot)
    seen = []

    async def slow(loaded):
        await asyncio.sleep(0)
        seen.append(("slow", loaded.config.server.application_name))

    def quick(loaded):
        assert holder.loaded is loaded
        assert "Haven" in (depot / "config.textproto").read_text()
        seen.append(("quick", loaded.config.server.application_name))

    holder.subscribe(slow)
    holder.subscribe(quick)
    before = holder.hash
    await holder.update(changed(holder), before)
    assert seen == [("slow", "Haven"), ("quick", "Haven")]
    assert holder.config.server.application_name == "Haven"
    assert holder.config.auth.oauth_providers["discord"].client_secret == "knot-and-sail"
    assert holder.hash != before
    assert holder.hash == load_config(depot, {}).hash


async def test_a_stale_hash_is_refused_after_the_checks_and_none_means_no_check(depot):
    holder = open_holder(depot)
    stale = holder.hash
    await holder.update(changed(holder), None)
    with pytest.raises(ConflictError, match="mismatching or stale hash"):
        await holder.update(changed(holder, "Port"), stale)
    with pytest.raises(BadRequestError):
        await holder.update(changed(holder, "Po<rt"), stale)
    assert holder.config.server.application_name == "Haven"


async def test_of_two_updates_from_one_configuration_one_wins(depot):
    holder = open_holder(depot)
    mark = holder.hash
    results = await asyncio.gather(
        holder.update(changed(holder, "one"), mark),
        holder.update(changed(holder, "two"), mark),
        return_exceptions=True,
    )
    assert results[0] is None
    assert isinstance(results[1], ConflictError)
    assert load_config(depot, {}).config.server.application_name == "one"


async def test_all_problems_are_told_and_nothing_changes(depot):
    holder = open_holder(depot, validators=[no_vessels])
    before = (depot / "config.textproto").read_bytes(), holder.loaded
    update = changed(holder, "Ha<ven")
    update.record_apis.add(name="sub", table_name="submarine")
    with pytest.raises(BadRequestError) as error:
        await holder.update(update, holder.hash)
    first, second = error.value.public.split("\n")
    assert first.startswith("Config: Valiation error: server.application_name: ")
    assert second == "record_apis[1].table_name: no such table"
    assert ((depot / "config.textproto").read_bytes(), holder.loaded) == before


async def test_a_missing_secret_is_told(depot):
    holder = open_holder(depot)
    update = changed(holder)
    update.email.smtp_password = "<REDACTED>"
    with pytest.raises(BadRequestError, match="Missing secret for"):
        await holder.update(update, holder.hash)


async def test_a_disk_that_refuses_leaves_everything_as_it_was(closed_depot):
    holder = open_holder(closed_depot)
    holder.subscribe(lambda loaded: pytest.fail("told"))
    (closed_depot / "config.textproto").chmod(0o444)
    with pytest.raises(PreconditionError):
        await holder.update(changed(holder), holder.hash)
    assert holder.config.server.application_name == "Harbor"


async def test_updates_can_be_switched_off_while_reloads_go_on(depot):
    holder = open_holder(depot, readonly=True)
    before = (depot / "config.textproto").read_text()
    with pytest.raises(PreconditionError, match="read-only"):
        await holder.update(changed(holder), holder.hash)
    (depot / "config.textproto").write_text(before.replace("Harbor", "Haven"))
    await holder.reload()
    assert holder.config.server.application_name == "Haven"


async def test_a_reload_takes_a_hand_edit_and_writes_nothing(depot):
    holder = open_holder(depot, {"TRAIL_EMAIL_SENDER_NAME": "Mate"})
    seen = []
    holder.subscribe(lambda loaded: seen.append(loaded.config.server.application_name))
    path = depot / "config.textproto"
    path.write_text(path.read_text().replace('"Harbor"', '"Haven" # by hand'))
    before = path.read_bytes()
    await holder.reload()
    assert seen == ["Haven"]
    assert holder.config.email.sender_name == "Mate"
    assert path.read_bytes() == before
    assert [entry.name for entry in depot.iterdir()] == ["config.textproto"]
    await holder.update(changed(holder, "Port"), holder.hash)


async def test_a_reload_of_something_wrong_tells_all_and_keeps_what_ran(depot):
    holder = open_holder(depot, validators=[no_vessels])
    holder.subscribe(lambda loaded: pytest.fail("told"))
    path = depot / "config.textproto"
    text = path.read_text()
    path.write_text(
        text.replace('"Harbor"', '"Ha<ven"').replace(
            'table_name: "vessel"', "table_name: 'submarine'"
        )
    )
    with pytest.raises(OperatorError) as error:
        await holder.reload()
    assert [line.split(": ")[:2] for line in str(error.value).split("\n")] == [
        ["config.textproto:5", "server.application_name"],
        ["config.textproto:16", "record_apis[0].table_name"],
    ]
    path.write_text(text + "colour: 1\n")
    with pytest.raises(OperatorError, match="colour"):
        await holder.reload()
    path.unlink()
    with pytest.raises(OperatorError, match="no such file"):
        await holder.reload()
    assert not path.exists()
    assert holder.config.server.application_name == "Harbor"


async def test_an_edit_by_hand_is_a_conflict_until_it_is_reloaded(depot):
    holder = open_holder(depot)
    path = depot / "config.textproto"
    path.write_text(path.read_text() + "# edited\n")
    with pytest.raises(ConflictError, match="edited"):
        await holder.update(changed(holder), holder.hash)
    await holder.reload()
    await holder.update(changed(holder), holder.hash)


async def test_a_follower_that_fails_does_not_keep_the_others(depot, caplog):
    holder = open_holder(depot)
    seen = []

    def broken(loaded):
        raise RuntimeError("no")

    holder.subscribe(broken)
    holder.subscribe(seen.append)
    await holder.update(changed(holder), holder.hash)
    assert seen == [holder.loaded]
    assert "a follower of the configuration failed" in caplog.text


async def test_an_update_that_was_begun_is_finished_though_nobody_waits(depot, monkeypatch):
    holder = open_holder(depot)
    begun, go_on = threading.Event(), threading.Event()
    done = asyncio.Event()
    holder.subscribe(lambda loaded: done.set())
    from trailbase_server.config import holder as module

    real = module.store_config

    def slow(*arguments):
        begun.set()
        go_on.wait(5)
        return real(*arguments)

    monkeypatch.setattr(module, "store_config", slow)
    request = asyncio.create_task(holder.update(changed(holder), holder.hash))
    while not begun.is_set():
        await asyncio.sleep(0.001)
    request.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request
    go_on.set()
    await asyncio.wait_for(done.wait(), 5)
    assert holder.config.server.application_name == "Haven"


def test_the_check_at_the_end_of_a_start_tells_lines(depot):
    holder = open_holder(depot)
    holder.check()
    holder.add_validator(lambda config: [Problem("record_apis[0].name", "bad")])
    with pytest.raises(
        OperatorError, match=r"\Aconfig\.textproto:16: record_apis\[0\]\.name: bad\Z"
    ):
        holder.check()
