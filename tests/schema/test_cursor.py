"""A walk over tokens."""

import pytest

from trailbase_server.schema.cursor import END, Cursor, split_list
from trailbase_server.schema.lexer import SchemaSyntaxError


def texts(tokens):
    return [token.text for token in tokens]


def test_keywords_are_accepted_in_any_case_and_only_together():
    cursor = Cursor.of("if Not exists x")
    assert not cursor.accept("IF", "EXISTS")
    assert cursor.accept("IF", "NOT", "EXISTS")
    assert cursor.name() == "x"
    assert cursor.is_done
    assert cursor.peek() is END


def test_a_quoted_word_is_no_keyword():
    cursor = Cursor.of('"if"')
    assert not cursor.accept("IF")
    assert cursor.name() == "if"


def test_comments_and_a_final_semicolon_are_left_out():
    assert texts(Cursor.of("a -- b\n c;;").tokens) == ["a", "c"]


def test_a_group_is_taken_with_what_is_nested_in_it():
    cursor = Cursor.of("(a, (b) c) d")
    assert texts(cursor.group()) == ["a", ",", "(", "b", ")", "c"]
    assert cursor.name() == "d"


def test_until_stops_at_ends_outside_of_parentheses_only():
    cursor = Cursor.of("f(a, b) + 1, c")
    assert texts(cursor.until((",",))) == ["f", "(", "a", ",", "b", ")", "+", "1"]
    assert cursor.accept(",")
    cursor = Cursor.of("x where y) z")
    assert texts(cursor.until(("WHERE",))) == ["x"]
    cursor.take()
    assert texts(cursor.until(())) == ["y"]


@pytest.mark.parametrize(
    ("walk", "message"),
    [
        (lambda c: c.expect("A", "C"), "expected C, found 'b' at character 3"),
        (lambda c: (c.take(), c.take(), c.take()), "unexpected the end"),
        (lambda c: c.group(), r"expected \(, found 'a'"),
        (lambda c: Cursor.of("5").name(), "expected a name, found '5'"),
        (lambda c: Cursor.of("select").name(), "expected a name"),
        (lambda c: Cursor.of("(a").group(), r"expected \), found the end"),
        (lambda c: split_list(Cursor.of("a, b) c").tokens), "expected ,"),
    ],
)
def test_errors_say_what_was_expected_and_what_is_there(walk, message):
    with pytest.raises(SchemaSyntaxError, match=message):
        walk(Cursor.of("a b"))


def test_lists_are_split_at_their_own_commas():
    assert [texts(item) for item in split_list(Cursor.of("a, f(b, c), d e").tokens)] == [
        ["a"],
        ["f", "(", "b", ",", "c", ")"],
        ["d", "e"],
    ]
    assert split_list([]) == []
