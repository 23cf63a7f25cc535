import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.records.columns import (
    ColumnRole,
    InvalidIdError,
    column_list,
    find_relation,
    key_parser,
    parse_integer_key,
    referred_table,
    render_key,
)
from trailbase_server.schema.model import DataType


@pytest.mark.case("T-22")
@given(st.integers(-(2**63), 2**63 - 1))
def test_an_integer_key_survives_its_text_form(key):
    assert parse_integer_key(render_key(key)) == key


@pytest.mark.case("T-22")
@given(st.binary(max_size=40))
def test_a_blob_key_survives_its_text_form(key):
    assert key_parser(DataType.BLOB)(render_key(key)) == key


@given(st.text())
def test_no_text_upsets_the_parsers(text):
    for data_type in (DataType.INTEGER, DataType.BLOB):
        key = key_parser(data_type)(text)
        assert key is None or isinstance(key, int | bytes)


@pytest.mark.case("T-22")
@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "1_0", "1.0", "0x1", "١", "--1", "+", "1\n", str(2**63), "9" * 5000]
)
def test_what_is_no_decimal_64_bit_integer_is_no_integer_key(text):
    assert parse_integer_key(text) is None


@pytest.mark.case("T-22")
@pytest.mark.parametrize(
    ("text", "key"), [("+7", 7), ("-7", -7), ("007", 7), (str(-(2**63)), -(2**63))]
)
def test_signs_and_leading_zeros_are_fine(text, key):
    assert parse_integer_key(text) == key


def test_an_invalid_id_is_told_in_the_words_that_clients_know():
    assert (InvalidIdError().status, InvalidIdError().public) == (400, "Invalid id")


def test_columns_know_their_roles(site):
    columns = site.state.apis["diary"].column_of
    assert {name: column.role for name, column in columns.items() if column.role != "plain"} == {
        "tags": ColumnRole.JSON,
        "photo": ColumnRole.FILE,
        "photos": ColumnRole.FILES,
    }
    assert site.state.apis["site"].column_of["place"].role is ColumnRole.GEOMETRY
    assert [name for name, column in columns.items() if column.hidden] == ["_mood"]
    assert [name for name, column in columns.items() if column.generated] == ["loud"]
    assert [name for name, column in columns.items() if column.is_user_id] == ["author"]
    assert [name for name, column in columns.items() if column.is_key] == ["id"]
    assert not columns["text"].nullable
    assert columns["weight"].nullable
    assert columns["likes"].has_default


def test_excluded_columns_are_none_of_the_api(site):
    assert not {"secret", "weight"} & set(site.state.apis["diary_some"].column_of)


def test_references_are_followed_from_tables_and_through_views(site):
    catalog = site.state.catalog
    for name in ("diary", "diary_loved"):
        relation = find_relation(catalog, name)
        assert referred_table(relation, "club", catalog).name.name == "club"
        assert referred_table(relation, "likes", catalog) is None


def test_columns_are_selected_by_qualified_and_quoted_name(site):
    columns = site.state.apis["odd"].columns
    assert '_ROW_."sel""ect"' in column_list(columns)
