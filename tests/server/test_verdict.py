import pytest

from trailbase_server.errors import OperatorError, UnavailableError
from trailbase_server.server.verdict import Level, Verdict, is_good, judge


@pytest.mark.parametrize(
    ("error", "messages"),
    [
        (OperatorError("one\ntwo"), ["one", "two"]),
        (UnavailableError(detail="the bucket is gone"), ["the bucket is gone"]),
        (FileNotFoundError(2, "No such file", "/x"), ["/x: No such file"]),
        (TimeoutError("too slow"), ["part: too slow"]),
    ],
)
def test_what_keeps_us_from_looking_is_a_verdict(error, messages):
    def look():
        raise error

    found = judge("part", look)
    assert [verdict.message for verdict in found] == messages
    assert {(verdict.name, verdict.level) for verdict in found} == {("part", Level.FAIL)}


@pytest.mark.parametrize(
    ("levels", "good", "strictly"),
    [
        ([], True, True),
        (["ok", "skip"], True, True),
        (["ok", "warn"], True, False),
        (["fail", "ok"], False, False),
    ],
)
def test_what_is_good(levels, good, strictly):
    found = [Verdict("x", Level(level)) for level in levels]
    assert (is_good(found), is_good(found, strict=True)) == (good, strictly)


def test_as_json():
    assert Verdict("x", Level.WARN, "m", "a", {"n": 1}).render() == {
        "name": "x",
        "level": "warn",
        "message": "m",
        "advice": "a",
        "facts": {"n": 1},
    }
