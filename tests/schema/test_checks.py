"""What a CHECK promises about a value."""

import pytest

from trailbase_server.schema.checks import all_calls, mentioned_names, promised_calls
from trailbase_server.schema.lexer import unquote


def promised(expr):
    return {call.function for call in promised_calls(expr)}


@pytest.mark.parametrize(
    "expr",
    [
        "is_uuid (id)",
        "IS_UUID(id)",
        "((is_uuid (id)))",
        "id IS NOT NULL AND is_uuid (id)",
        "length (id) = 16 AND (a > 1 AND is_uuid (id))",
        "id IS NULL OR is_uuid (id)",
        "is_uuid (id) OR id ISNULL",
        "id BETWEEN 1 AND 2 AND is_uuid (id)",
        "CASE WHEN a AND b THEN 1 END AND is_uuid (id)",
        "is_uuid (id) = 1",
        "is_uuid (id) /* first */ OR a",
    ],
)
def test_a_call_that_must_hold_is_promised(expr):
    assert "is_uuid" in promised(expr)


@pytest.mark.parametrize(
    "expr",
    [
        "a = 1 OR is_uuid (id)",
        "id BETWEEN 1 AND is_uuid (id)",
        "NOT is_uuid (id)",
        "a + is_uuid (id)",
        "CASE WHEN is_uuid (id) THEN 1 END",
        "coalesce (is_uuid (id), 1)",
        "'is_uuid (id)'",
        '"is_uuid" (id)',
        "a IS NULL",
        "",
        "(" * 1000 + "a" + ")" * 1000,
        "b AND (a AND " * 200 + "is_uuid (id)" + ")" * 200,
    ],
)
def test_a_call_that_need_not_hold_is_not(expr):
    assert "is_uuid" not in promised(expr)


def test_all_calls_are_found_with_their_arguments():
    calls = list(all_calls("a (b (1), 'x') AND B() AND c"))
    assert [call.function for call in calls] == ["a", "b", "b"]
    assert [token.text for token in calls[0].arguments] == ["b", "(", "1", ")", ",", "'x'"]
    assert [list(call.arguments) for call in calls[2:]] == [[]]


def test_names_are_mentioned_but_not_functions_and_tables():
    names = mentioned_names("f (a) AND t.\"b c\" = 'd' AND [e]")
    assert [unquote(token.text) for token in names if token.text != "AND"] == ["a", "b c", "e"]
