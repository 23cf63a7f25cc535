import signal

import pytest

from tests.serving import Server


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_success(pier, number):
    with Server(pier.root) as server:
        server.process.send_signal(number)
        assert server.process.wait(10) == 0
    assert "Shut down gracefully" in server.log.read_text()


def test_a_second_server_on_one_depot_is_refused(pier):
    with Server(pier.root), pytest.raises(Exception, match="in use by another server"):
        Server(pier.root)
