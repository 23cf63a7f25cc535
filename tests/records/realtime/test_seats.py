import pytest

from trailbase_server.errors import TooManyRequestsError
from trailbase_server.records.realtime import seats
from trailbase_server.records.realtime.seats import Seats


@pytest.mark.case("T-57")
@pytest.mark.parametrize(
    ("limit", "same"),
    [
        ("MAX_STREAMS", [(b"a", "1"), (b"b", "2")]),
        ("MAX_STREAMS_OF_USER", [(b"a", "1"), (b"a", "2")]),
        ("MAX_STREAMS_FROM_ADDRESS", [(b"a", "1"), (None, "1")]),
    ],
)
def test_each_bound_is_a_bound(monkeypatch, limit, same):
    monkeypatch.setattr(seats, limit, 1)
    taken = Seats()
    taken.take(*same[0])
    with pytest.raises(TooManyRequestsError) as caught:
        taken.take(*same[1])
    assert caught.value.status == 429
    assert taken.taken == 1

    taken.leave(*same[0])
    taken.take(*same[1])


def test_anonymous_callers_and_unknown_addresses_are_not_one_client(monkeypatch):
    monkeypatch.setattr(seats, "MAX_STREAMS_OF_USER", 1)
    monkeypatch.setattr(seats, "MAX_STREAMS_FROM_ADDRESS", 1)
    taken = Seats()
    taken.take(None, "")
    taken.take(None, "")
    taken.leave(None, "")
    assert taken.taken == 1


@pytest.mark.case("T-58")
def test_nothing_is_remembered_of_who_has_left():
    taken = Seats()
    taken.take(b"a", "1")
    taken.leave(b"a", "1")
    assert not taken._users
    assert not taken._addresses
