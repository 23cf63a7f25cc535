import pytest

from trailbase_server.db.errors import BusyError, DatabaseError, RejectedError
from trailbase_server.errors import ForbiddenError
from trailbase_server.records.access import (
    Rule,
    check_rule,
    permission_masks,
    read_ruled,
    user_of,
)


def test_a_rule_binds_what_it_uses_in_its_order():
    rule = Rule("SELECT 1", "", "", "(1)", True, True, ("b", "a"), True)
    values = {"a": 1, "c": None}
    assert rule.bind(b"me", 7, values) == [b"me", 7, None, 1, '["a","c"]']
    assert Rule("SELECT 1", "", "", "(1)", False, False, (), False).bind(b"me", 7, values) == []


def test_a_granted_rule_is_silent():
    rule = Rule("SELECT 1", "", "", "(1)", True, False, (), False)
    check_rule(lambda sql, params: [(1,)], rule, b"me")


@pytest.mark.case("T-26")
@pytest.mark.parametrize("error", [RejectedError(), DatabaseError()])
def test_a_rule_that_fails_denies(error):
    def fail(sql, params):
        raise error

    with pytest.raises(ForbiddenError):
        read_ruled(fail, "SELECT 1", ())


def test_a_row_is_needed_for_access():
    with pytest.raises(ForbiddenError):
        read_ruled(lambda sql, params: [], "SELECT 1", ())


def test_a_busy_database_is_no_refusal():
    def busy(sql, params):
        raise BusyError

    with pytest.raises(BusyError):
        read_ruled(busy, "SELECT 1", ())


@pytest.mark.parametrize(
    ("world", "members", "masks"),
    [([], [], (0, 0)), ([2], [1], (2, 3)), ([], [1, 2, 4, 8, 16], (0, 31)), ([2, 2], [], (2, 2))],
)
def test_members_may_what_everybody_may(world, members, masks):
    assert permission_masks(world, members) == masks


def test_anonymous_callers_have_no_id():
    assert user_of(None) is None
