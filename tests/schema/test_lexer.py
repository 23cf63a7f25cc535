"""Tokens cover the text, and are SQLite's."""

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import NAMES, expressions, spellings
from trailbase_server.schema.lexer import (
    RESERVED,
    SchemaSyntaxError,
    Token,
    TokenKind,
    is_quoted,
    keyword,
    name_of,
    outer_words,
    tokenize,
    unquote,
)


def kinds(sql):
    return [(token.kind.value, token.text) for token in tokenize(sql)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a", [("identifier", "a")]),
        ("x'Ff00'", [("blob", "x'Ff00'")]),
        ("'it''s'", [("string", "'it''s'")]),
        ('"a""b"[c d]`e`', [("identifier", n) for n in ('"a""b"', "[c d]", "`e`")]),
        ("1.5e-3", [("number", "1.5e-3")]),
        ("0xFF_00", [("number", "0xFF_00")]),
        (".5", [("number", ".5")]),
        ("a.b", [("identifier", "a"), ("operator", "."), ("identifier", "b")]),
        ("a->>'$'", [("identifier", "a"), ("operator", "->>"), ("string", "'$'")]),
        ("-- x\n1/* ' */", [("comment", "-- x"), ("number", "1"), ("comment", "/* ' */")]),
        ("1/* open", [("number", "1"), ("comment", "/* open")]),
        ("?1 ? :a @b $c::d(e)", [("parameter", p) for p in ("?1", "?", ":a", "@b", "$c::d(e)")]),
        ("größe😀", [("identifier", "größe😀")]),
        ("\ufeffa", [("identifier", "a")]),
        ("a==b", [("identifier", "a"), ("operator", "=="), ("identifier", "b")]),
        ("", []),
    ],
)  # fmt: skip
def test_tokens_of_each_kind(sql, expected):
    assert kinds(sql) == expected


@pytest.mark.parametrize(
    ("sql", "position", "message"),
    [
        ("a 'open", 2, "unterminated string"),
        ('"a""b', 0, "unterminated quoted name"),
        ("[a", 0, "unterminated quoted name"),
        ("x'123'", 0, "malformed blob"),
        ("1abc", 0, "malformed number"),
        ("a \0", 2, "unexpected"),
        ("a ^ b", 2, r"unexpected '\^'"),
    ],
)
def test_what_is_no_token_is_refused_with_its_place(sql, position, message):
    with pytest.raises(SchemaSyntaxError, match=message) as caught:
        tokenize(sql)
    assert caught.value.position == position
    assert caught.value.status == 400
    assert str(caught.value).endswith(f"at character {position + 1}")


@given(st.text(st.sampled_from("ab1.'\"`[]-*/ \n(),;=<>|xX_e:?$"), max_size=30))
def test_tokens_and_blanks_cover_the_text(sql):
    try:
        tokens = tokenize(sql)
    except SchemaSyntaxError:
        return
    at = 0
    for token in tokens:
        assert sql[token.start : token.end] == token.text
        assert sql[at : token.start].strip() == ""
        at = token.end
    assert sql[at:].strip() == ""


@given(st.data(), expressions(["a", "b"]))
def test_sqlite_reads_the_tokens_as_it_reads_the_text(data, sql):
    connection = apsw.Connection(":memory:")
    connection.execute("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'), (NULL, 2.5)")
    blank = data.draw(st.sampled_from([" ", "\n", " /**/ "]))
    spaced = blank.join(
        token.text for token in tokenize(sql) if token.kind is not TokenKind.COMMENT
    )
    outcomes = []
    for text in (sql, spaced):
        try:
            query = f"SELECT typeof(x), hex(x) FROM (SELECT ({text}\n) AS x FROM t)"
            outcomes.append(connection.execute(query).fetchall())
        except apsw.Error as exc:
            outcomes.append(str(exc))
    assert outcomes[0] == outcomes[1]


@given(st.data(), NAMES)
def test_unquoting_gives_the_name_that_was_meant(data, name):
    text = data.draw(spellings(name))
    (token,) = tokenize(text)
    assert name_of(token) == name
    assert is_quoted(token) or keyword(token) == name.upper()


@pytest.mark.parametrize("text", ["a", "'", "", '"', "5"])
def test_a_text_without_quotes_is_left_alone(text):
    assert unquote(text) == text


def test_reserved_words_are_no_names_and_all_others_are():
    connection = apsw.Connection(":memory:")
    for word in sorted(apsw.keywords):
        try:
            connection.execute(f"CREATE TABLE t (id, {word})")
            is_name = True
        except apsw.Error:
            is_name = False
        connection.execute("DROP TABLE IF EXISTS t")
        token = Token(TokenKind.IDENTIFIER, word, 0, len(word))
        assert (name_of(token) is not None) == is_name, word
    assert {word.upper() for word in RESERVED} == RESERVED


def test_outer_words_are_those_that_bind_least():
    sql = "a BETWEEN 1 AND 2 AND (b OR c) OR CASE WHEN d AND e THEN 1 END AND 'OR' = \"AND\""
    found = [word for _, word in outer_words(tokenize(sql)) if word in ("AND", "OR")]
    assert found == ["AND", "OR", "AND"]
