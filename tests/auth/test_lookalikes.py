"""Names that could be mistaken for others."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.auth.lookalikes import check_distinct
from trailbase_server.errors import BadRequestError


@pytest.mark.parametrize(
    "name",
    ["nora", "Größe", "Мария", "Ελένη", "名無し", "nora名", "Łukasz7", "שרה", "ابراهيم", "ёлка"],
)
def test_names_of_every_alphabet(name):
    check_distinct(name)


@pytest.mark.case("T-21")
@pytest.mark.parametrize(
    "name",
    [
        "nоra",  # its o is Cyrillic
        "nοra",  # its o is Greek
        "Аdmin",
        "сосо",
        "ΝΟΤΑ",
        "ｎｏｒａ",
        "𝓷𝓸𝓻𝓪",
        "ﬁnn",
        "no\u0301ra",
    ],
)
def test_names_that_look_like_others(name):
    with pytest.raises(BadRequestError):
        check_distinct(name)


@given(st.text(string.ascii_letters, min_size=1))
def test_plain_names_are_never_in_the_way(name):
    check_distinct(name)
