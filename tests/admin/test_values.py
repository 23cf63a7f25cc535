import math

import orjson
import pytest

from trailbase_server.admin.values import render_value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "Null"),
        (-(2**63), {"Integer": -(2**63)}),
        (1.5, {"Real": 1.5}),
        ("", {"Text": ""}),
        (b"\xff\xef\xbf", {"Blob": {"Base64UrlSafe": "_--_"}}),
        (b"a", {"Blob": {"Base64UrlSafe": "YQ=="}}),
    ],
)
def test_a_value_is_tagged_with_its_class(value, shown):
    assert render_value(value) == shown


def test_infinity_is_a_null_of_its_class():
    assert orjson.dumps(render_value(math.inf)) == b'{"Real":null}'
