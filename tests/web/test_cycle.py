from trailbase_server.web.cycle import NOTHING, HotCycle
from trailbase_server.web.request import Request


def test_a_request_in_flight_looks_like_uvicorns():
    cycle = HotCycle(NOTHING.bound, Request("GET", "/a"), "/a?b", 1.0, keep_alive=True)
    assert (cycle.response_complete, cycle.disconnected, cycle.keep_alive) == (False, False, True)
    cycle.message_event.set()  # uvicorn does so when a client goes
    assert not cycle.response_complete


def test_nothing_is_a_request_that_has_been_answered():
    assert NOTHING.response_complete
    assert not NOTHING.keep_alive
