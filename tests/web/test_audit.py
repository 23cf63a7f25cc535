"""Notes for the audit log: of the request that is answered, and of no other."""

import asyncio

from trailbase_server.web.audit import annotate, noting


def test_what_is_known_is_put_together():
    with noting() as note:
        annotate(object="7", before={"a": 1})
        annotate(after={"a": 2}, actor=(b"x", "boss"))
    assert (note.object, note.before, note.after) == ("7", {"a": 1}, {"a": 2})
    assert note.actor == (b"x", "boss")


def test_without_a_request_there_is_nothing_to_write_on():
    with noting() as note:
        pass
    annotate(object="7")
    assert note.object == ""


async def test_requests_beside_each_other_have_notes_of_their_own():
    async def answer(name):
        with noting() as note:
            await asyncio.sleep(0)
            annotate(object=name)
            await asyncio.sleep(0)
            return note.object

    assert await asyncio.gather(*map(answer, "abc")) == ["a", "b", "c"]
