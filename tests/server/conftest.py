"""The depot of ``tests/pier.py`` as a fixture."""

import pytest

from tests.pier import Pier


@pytest.fixture
def pier(tmp_path):
    return Pier(tmp_path / "depot")
