import contextlib
import socket

import pytest

from trailbase_server.errors import OperatorError
from trailbase_server.server.sockets import (
    bound_address,
    close_sockets,
    open_sockets,
    start_listening,
)


def test_a_host_name_is_bound_on_all_its_addresses():
    address = "localhost:0"
    listeners = open_sockets(address)
    assert listeners
    assert all(listener.getsockname()[1] for listener in listeners)
    close_sockets(address, listeners)


@pytest.mark.parametrize("address", ["", "4000", "localhost", "localhost:http", "localhost:70000"])
def test_what_is_no_address_is_told(address):
    with pytest.raises(OperatorError, match="invalid address"):
        open_sockets(address)


def test_a_port_in_use_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OperatorError, match=f"Failed to listen on: 127.0.0.1:{port}"):
            open_sockets(f"127.0.0.1:{port}")


def test_a_unix_socket_is_for_owner_and_group_and_goes_with_the_server(tmp_path):
    path = tmp_path / "trail.sock"
    address = f"unix:{path}"
    listeners = open_sockets(address)
    assert path.stat().st_mode & 0o777 == 0o660
    close_sockets(address, listeners)
    assert not path.exists()


def test_the_socket_of_a_server_that_was_killed_is_replaced(tmp_path):
    path = tmp_path / "trail.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    address = f"unix:{path}"
    close_sockets(address, open_sockets(address))
    assert not path.exists()


def test_the_socket_of_a_living_server_is_not_taken(tmp_path):
    path = tmp_path / "trail.sock"
    address = f"unix:{path}"
    listeners = open_sockets(address)
    with pytest.raises(OperatorError, match="in use"):
        open_sockets(f"unix:{path}")
    close_sockets(address, listeners)


def test_a_file_that_is_no_socket_is_not_removed(tmp_path):
    path = tmp_path / "notes"
    path.write_text("mine")
    with pytest.raises(OperatorError, match=r"Failed to listen on: unix:"):
        open_sockets(f"unix:{path}")
    assert path.read_text() == "mine"


def test_a_path_that_is_too_long_is_told(tmp_path):
    with pytest.raises(OperatorError, match="Failed to listen on"):
        open_sockets(f"unix:{tmp_path}/{'x' * 200}")


def test_where_a_socket_is_bound(tmp_path):
    for address, bound in (("127.0.0.1:0", "127.0.0.1"), (f"unix:{tmp_path}/trail.sock", "")):
        listeners = open_sockets(address)
        assert [bound_address(listener) for listener in listeners] == [bound]
        close_sockets(address, listeners)


def test_a_shared_address_is_bound_by_several_and_listened_on_by_the_last():
    first = open_sockets("127.0.0.1:0", shared=True)
    address = f"127.0.0.1:{first[0].getsockname()[1]}"
    place = first[0].getsockname()
    second = open_sockets(address, shared=True)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(place)  # bound, but nobody listens
    start_listening(address, first)
    clients = [socket.create_connection(place) for _ in range(20)]
    assert accept_all(first) == 20
    start_listening(address, second)
    clients += [socket.create_connection(place) for _ in range(20)]
    assert (accept_all(first), accept_all(second)) == (0, 20)
    close_sockets(address, first)
    clients += [socket.create_connection(place) for _ in range(20)]
    assert accept_all(second) == 20
    third = open_sockets(address, shared=True)
    start_listening(address, third)
    clients += [socket.create_connection(place) for _ in range(20)]
    assert (accept_all(second), accept_all(third)) == (0, 20)
    for listener in (second, third):
        close_sockets(address, listener)
    for client in clients:
        client.close()


def test_a_path_passes_from_one_to_the_next(tmp_path):
    path = tmp_path / "s"
    address = f"unix:{path}"
    first = open_sockets(address, shared=True)
    assert not path.exists()
    start_listening(address, first)
    connect(path)
    assert accept_all(first) == 1
    second = open_sockets(address, shared=True)
    connect(path)
    start_listening(address, second)
    connect(path)
    assert (accept_all(first), accept_all(second)) == (1, 1)
    close_sockets(address, first)
    connect(path)
    assert accept_all(second) >= 1
    close_sockets(address, second)
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_was_never_listened_on_leaves_nothing(tmp_path):
    address = f"unix:{tmp_path / 's'}"
    close_sockets(address, open_sockets(address, shared=True))
    assert list(tmp_path.iterdir()) == []


def test_whoever_does_not_share_keeps_an_address():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OperatorError, match=str(port)):
            open_sockets(f"127.0.0.1:{port}", shared=True)


def accept_all(listeners):
    count = 0
    for listener in listeners:
        with contextlib.suppress(BlockingIOError):
            while True:
                listener.accept()[0].close()
                count += 1
    return count


def connect(path):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
