import signal
import socket

import pytest

from tests.serving import Server
from trailbase_server.errors import OperatorError
from trailbase_server.server.serve import open_sockets


def test_a_host_name_is_bound_on_all_its_addresses():
    listeners = open_sockets("localhost:0")
    assert listeners
    assert all(listener.getsockname()[1] for listener in listeners)
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize("address", ["", "4000", "localhost", "localhost:http", "localhost:70000"])
def test_what_is_no_address_is_told(address):
    with pytest.raises(OperatorError, match="invalid address"):
        open_sockets(address)


def test_a_port_in_use_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OperatorError, match=f"Failed to listen on: 127.0.0.1:{port}"):
            open_sockets(f"127.0.0.1:{port}")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_with_success(pier, number):
    with Server(pier.root) as server:
        server.process.send_signal(number)
        assert server.process.wait(10) == 0
    assert "Shut down gracefully" in server.log.read_text()


def test_a_second_server_on_one_depot_is_refused(pier):
    with Server(pier.root), pytest.raises(Exception, match="in use by another server"):
        Server(pier.root)
