import asyncio
from contextvars import ContextVar, copy_context

import pytest

from tests.write_jobs import insert_two, insert_word
from trailbase_server.sqlite.job import Job


@pytest.fixture
async def job():
    return Job(insert_two, (), {}, asyncio.get_running_loop())


async def test_only_jobs_of_several_statements_need_a_savepoint(job):
    assert job.savepoint
    assert not Job(insert_word, (), {}, job.loop).savepoint


async def test_a_task_waits_for_it_like_for_a_future(job):
    job.loop.call_soon(job.answer)
    job.outcome = "done"
    assert await asyncio.wait_for(asyncio.ensure_future(_await(job)), 1) == "done"
    assert await job == "done"  # again, at once


async def test_its_error_is_raised(job):
    job.error = KeyError("a bug")
    job.answer()
    with pytest.raises(KeyError):
        await job


async def test_a_callback_without_context_is_called_at_once(job):
    called, current = [], ContextVar("current", default="theirs")
    job.add_done_callback(lambda done: called.append(("at once", done)))
    current.set("ours")
    context = copy_context()
    job.add_done_callback(lambda _: called.append(("later", current.get())), context=context)
    current.set("changed")
    job.answer()
    assert called == [("at once", job)]
    await asyncio.sleep(0)
    assert called[1:] == [("later", "ours")]


async def test_it_is_answered_once(job):
    called = []
    job.add_done_callback(called.append)
    job.answer()
    job.answer()
    assert called == [job]
    assert not job.cancel()


async def test_whoever_cancels_it_is_told(job):
    waiting = asyncio.ensure_future(_await(job))
    await asyncio.sleep(0)
    assert job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert job.cancelled


async def _await(job):
    return await job
