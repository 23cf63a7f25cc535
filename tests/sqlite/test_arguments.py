"""Storage classes, without coercion."""

import pytest

from trailbase_server.sqlite.arguments import (
    FunctionError,
    check_blob,
    check_integer,
    check_number,
    check_text,
)

VALUES = [None, 1, 1.5, "1", b"1"]


@pytest.mark.parametrize(
    ("check", "accepted"),
    [
        (check_text, ["1"]),
        (check_blob, [b"1"]),
        (check_integer, [1]),
        (check_number, [1, 1.5]),
    ],
)
def test_only_the_right_storage_class_passes(check, accepted):
    for value in VALUES:
        if value in accepted:
            assert check(value) == value
        else:
            with pytest.raises(FunctionError, match="expected, not "):
                check(value)
