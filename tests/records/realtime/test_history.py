import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.db.base import Change
from trailbase_server.records.realtime import history as module
from trailbase_server.records.realtime.history import History, parse_event_id


def change(*values):
    return Change("insert", "main", "plant", 1, values, 1)


def positions(found):
    return [position for position, _ in found[0]], found[1]


def test_what_happened_after_a_position_comes_in_order():
    history = History(3)
    for position in (4, 6, 9):
        history.add(position, change("x"))

    assert positions(history.after(3)) == ([4, 6, 9], False)
    assert positions(history.after(6)) == ([9], False)
    assert positions(history.after(9)) == ([], False)
    assert positions(history.after(2)) == ([4, 6, 9], True)


def test_the_number_of_changes_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MAX_CHANGES", 2)
    history = History(0)
    for position in (1, 2, 3):
        history.add(position, change())
    assert positions(history.after(0)) == ([2, 3], True)
    assert positions(history.after(1)) == ([2, 3], False)


def test_the_size_of_changes_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    history = History(0)
    history.add(1, change("12345", b"1", 2**60))
    history.add(2, change("1234"))
    assert positions(history.after(0)) == ([1, 2], False)
    history.add(3, change("1"))
    assert positions(history.after(0)) == ([2, 3], True)
    history.add(4, change("x" * 11))
    assert positions(history.after(0)) == ([], True)


@pytest.mark.case("T-60")
@pytest.mark.parametrize("text", ["", "e", "e-", "e-x", "f-1", "e-١", "e--1", "e-" + "9" * 20])
def test_an_id_that_is_none_of_this_run_is_none(text):
    assert parse_event_id(text, "e") is None


@given(st.integers(0, 2**62))
def test_an_id_comes_back_as_a_position(position):
    assert parse_event_id(f"abc-{position}", "abc") == position
