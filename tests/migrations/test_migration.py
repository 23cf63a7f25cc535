import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.errors import OperatorError
from trailbase_server.migrations.migration import (
    MAX_VERSION,
    Migration,
    checksum,
    parse_file_name,
)

WORD = st.text(string.ascii_letters + string.digits + "_éß", min_size=1)


@given(st.sampled_from("UV"), st.integers(0, MAX_VERSION), WORD)
def test_a_rendered_title_reads_back(prefix, version, name):
    title = Migration(prefix, version, name, "", "0", "").title
    assert parse_file_name(f"{title}.sql") == (prefix, version, name)


@pytest.mark.parametrize(
    "name",
    [
        "U1__a-b.sql",
        "U1__.sql",
        "README.md",
        "|1__a.sql",
        "U1.5__a.sql",
        "u1__a.sql",
        "U1_a.sql",
        "U1__a.SQL",
        "U1__a.sql.bak",
        "U1__a.sql\n",
        " U1__a.sql",
        "U-1__a.sql",
        "U\u0661__a.sql",
        "U1__\udcff.sql",
    ],
)
def test_other_names_are_no_migrations(name):
    assert parse_file_name(name) is None


@given(st.text())
def test_any_text_is_read_or_left_alone(text):
    parse_file_name(text)


@pytest.mark.parametrize("number", ["2147483648", "9999999999", "9" * 5000])
def test_numbers_beyond_32_bits_are_refused(number):
    with pytest.raises(OperatorError, match="migration version must be a valid integer"):
        parse_file_name(f"U{number}__late.sql")


def test_the_largest_number_is_accepted_with_leading_zeros():
    assert parse_file_name(f"U000{MAX_VERSION}__a.sql").version == MAX_VERSION


def test_checksum_agrees_with_the_specified_vector():
    assert checksum("initial", 1, "SELECT 1;") == 701382154757890431


@given(WORD, st.integers(0, MAX_VERSION), st.text(st.characters(codec="utf-8")))
def test_every_part_enters_the_checksum(name, version, sql):
    value = checksum(name, version, sql)
    assert 0 <= value < 2**64
    others = [(name + "x", version, sql), (name, version ^ 1, sql), (name, version, sql + " ")]
    assert value not in [checksum(*other) for other in others]
