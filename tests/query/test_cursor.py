"""Cursors: sealed, bound to their list, and paging with them is one full scan."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.query.conftest import COLUMNS, open_table
from trailbase_server.ids import decode_b64u, encode_b64u
from trailbase_server.query.cursor import (
    BadCursorError,
    decode_cursor,
    encode_cursor,
    keyset_condition,
)
from trailbase_server.query.order import compile_order
from trailbase_server.query.parse import OrderTerm

KEY = bytes(range(32))
VALUES = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
)
CELLS = st.tuples(
    st.none() | st.integers(0, 2),
    st.none() | st.sampled_from([0.5, 1.5]),
    st.none() | st.sampled_from(["", "a", "A", "b"]),
    st.none() | st.sampled_from([b"", b"\x01"]),
    st.none() | st.sampled_from([1, 1.0, 0.5, "a", b"a"]),
)
ORDERS = st.permutations("irtba").flatmap(
    lambda names: st.tuples(
        *(st.builds(OrderTerm, st.just(name), st.booleans()) for name in [*names[:3], "id"])
    )
)


@given(st.lists(VALUES, max_size=5))
def test_values_come_back_as_they_went_in(values):
    back = decode_cursor(KEY, "api", "a,-b", encode_cursor(KEY, "api", "a,-b", values))
    assert back == tuple(values)
    assert list(map(type, back)) == list(map(type, values))


@pytest.mark.case("T-44")
@given(st.text() | st.binary().map(encode_b64u))
def test_no_other_text_is_a_cursor(text):
    with pytest.raises(BadCursorError, match="Bad cursor"):
        decode_cursor(KEY, "api", "id", text)


@pytest.mark.case("T-34")
def test_a_cursor_belongs_to_one_key_api_and_order():
    token = encode_cursor(KEY, "api", "id", (8,))
    for key, api, order in (
        (KEY[::-1], "api", "id"),
        (KEY, "ap", "id"),
        (KEY, "api", "name"),
        (KEY, "apii", "d"),
    ):
        with pytest.raises(BadCursorError, match=r"Bad cursor\Z"):
            decode_cursor(key, api, order, token)
    data = bytearray(decode_b64u(token))
    for place in range(len(data)):
        data[place] ^= 1
        with pytest.raises(BadCursorError):
            decode_cursor(KEY, "api", "id", encode_b64u(bytes(data)))
        data[place] ^= 1


def test_a_cursor_says_nothing_and_is_never_the_same():
    first, second = (encode_cursor(KEY, "api", "id", ("secret",)) for _ in range(2))
    assert first != second
    assert b"secret" not in decode_b64u(first)


@pytest.mark.parametrize(
    ("token", "text"), [("", "Bad cursor"), ("8", "Bad cursor: b64"), ("abc", "Bad cursor: b64")]
)
def test_texts_of_bad_cursors(token, text):
    with pytest.raises(BadCursorError) as caught:
        decode_cursor(KEY, "api", "id", token)
    assert caught.value.public == text


def test_a_single_key_is_one_comparison_that_an_index_serves():
    assert keyset_condition((OrderTerm("id", True),), (8,), "r") == ('r."id" < ?', [8])
    assert keyset_condition((OrderTerm("id", False),), (8,), "r") == ('r."id" > ?', [8])


@pytest.mark.case("T-45")
@given(st.lists(CELLS, max_size=12), ORDERS, st.integers(1, 4))
def test_paging_by_cursor_is_one_full_scan(rows, terms, size):
    connection = open_table("NOCASE")
    connection.executemany("INSERT INTO row (i, r, t, b, a) VALUES (?, ?, ?, ?, ?)", rows)
    order = compile_order(terms, COLUMNS, "_ROW_")
    names = ", ".join(f'"{term.column}"' for term in terms)
    select = f"SELECT {names} FROM row AS _ROW_"
    expected = connection.execute(f"{select} ORDER BY {order}").fetchall()
    seen = []
    where, params = "1", []
    while page := connection.execute(
        f"{select} WHERE {where} ORDER BY {order} LIMIT {size}", params
    ).fetchall():
        seen += page
        token = encode_cursor(KEY, "api", order, page[-1])
        where, params = keyset_condition(terms, decode_cursor(KEY, "api", order, token), "_ROW_")
    assert seen == expected
    connection.close()
