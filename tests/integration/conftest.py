"""One server per test process, on the depot that the clients' scenarios ask for."""

from pathlib import Path

import pytest

from tests.serving import Server, copy_depot

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    depot = copy_depot(HERE / "depot", tmp_path_factory.mktemp("clients") / "depot")
    with Server(depot) as server:
        yield server
        assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()
