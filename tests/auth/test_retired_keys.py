"""The files that a rotation leaves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.auth.retired_keys import (
    DERIVATION_FILE,
    RETIRED_FILE,
    RetiredKey,
    read_derivation,
    read_retired,
    render_derivation,
    render_retired,
)
from trailbase_server.errors import OperatorError

KEYS = st.lists(st.builds(RetiredKey, st.binary(min_size=32, max_size=32), st.integers(0, 2**53)))


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return tmp_path_factory.mktemp("keys")


def test_before_the_first_rotation_there_is_nothing(tmp_path):
    assert read_retired(tmp_path) == ()
    assert read_derivation(tmp_path) is None


@given(KEYS)
def test_what_is_written_is_read(directory, keys):
    (directory / RETIRED_FILE).write_text(render_retired(keys))
    assert read_retired(directory) == tuple(keys)


@given(st.binary(min_size=32, max_size=32))
def test_a_secret_is_read_as_it_was_written(directory, secret):
    (directory / DERIVATION_FILE).write_text(render_derivation(secret))
    assert read_derivation(directory) == secret


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"keys": 1}',
        '{"keys":[{"x":"AA==","until":1}]}',
        '{"keys":[{"x":1}]}',
        "\xff",
    ],
)
def test_other_texts_are_the_operators_to_mend(tmp_path, text):
    (tmp_path / RETIRED_FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(OperatorError, match=str(tmp_path)):
        read_retired(tmp_path)


@pytest.mark.parametrize("text", ["", "AAAA", "ü" * 44, "no base64 at all"])
def test_other_secrets_are_the_operators_to_mend(tmp_path, text):
    (tmp_path / DERIVATION_FILE).write_text(text)
    with pytest.raises((OperatorError, UnicodeDecodeError)):
        read_derivation(tmp_path)
