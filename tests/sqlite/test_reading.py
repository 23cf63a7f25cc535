import pytest

from tests.write_jobs import ENDLESS
from trailbase_server.db.errors import OverBudgetError
from trailbase_server.sqlite.reading import BudgetedConnection


@pytest.fixture
def reader(files):
    reader = BudgetedConnection(files, 0.05)
    yield reader
    reader.connection.close()


def test_a_statement_is_stopped_when_its_time_is_over_and_the_next_has_time_anew(reader):
    for _ in range(2):
        with pytest.raises(OverBudgetError):
            reader.read(ENDLESS.format(10**9), ())
    assert reader.read("SELECT ?1", (1,)) == [(1,)]


def test_a_statement_is_compiled_without_being_run(reader):
    assert reader.prepare_error(ENDLESS.format(10**9)) is None
    assert "no such table" in reader.prepare_error("SELECT * FROM nowhere")
