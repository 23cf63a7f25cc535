"""ORDER BY from terms."""

import pytest

from trailbase_server.query.order import compile_order
from trailbase_server.query.parse import InvalidQueryError, OrderTerm


def test_terms_are_qualified_quoted_and_keep_their_direction(columns):
    terms = (OrderTerm("i", True), OrderTerm('odd "name"', False))
    assert compile_order(terms, columns, "_ROW_") == '_ROW_."i" DESC, _ROW_."odd ""name"""'


@pytest.mark.case("T-30")
def test_only_visible_columns_order(columns):
    with pytest.raises(InvalidQueryError, match="Invalid query"):
        compile_order((OrderTerm("i", False), OrderTerm("_hidden", False)), columns, "_ROW_")
