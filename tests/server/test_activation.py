"""Sockets from a parent. What takes them over closes descriptors, so it runs in a process."""

import os
import socket
import subprocess
import sys

import pytest

from trailbase_server.errors import OperatorError
from trailbase_server.server.activation import (
    LISTENERS,
    apply_inherited,
    describe_address,
    inherited_sockets,
)
from trailbase_server.server.options import ServerOptions

# Becomes a child with these descriptors as 3, 4 …, like the service manager does.
PARENT = """
import os, sys
given = [int(text) for text in sys.argv[3].split(",") if text]
for place, descriptor in enumerate(given, 100):
    os.dup2(descriptor, place)
for place in range(len(given)):
    os.dup2(100 + place, 3 + place)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=sys.argv[1], LISTEN_FDNAMES=sys.argv[2])
os.execv(sys.executable, [sys.executable, "-c", sys.argv[4]])
"""
CHILD = """
import os
from trailbase_server.errors import OperatorError
from trailbase_server.server.activation import describe_address, inherited_sockets
try:
    found = inherited_sockets()
except OperatorError as exc:
    print("refused:", exc)
else:
    print({name: [describe_address(one) for one in those] for name, those in found.items()})
    assert not [name for name in os.environ if name.startswith("LISTEN_")]
    for one in sum(found.values(), []):
        assert not one.get_inheritable()
        assert not one.getblocking()
"""


def pass_on(sockets, names, count=None):
    descriptors = [one.fileno() for one in sockets]
    command = [sys.executable, "-c", PARENT, str(len(sockets) if count is None else count)]
    command += [names, ",".join(map(str, descriptors)), CHILD]
    done = subprocess.run(
        command, pass_fds=descriptors, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def listeners(tmp_path):
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("::1", 0), family=socket.AF_INET6) as two,
        socket.socket(socket.AF_UNIX) as three,
    ):
        three.bind(str(tmp_path / "s"))
        three.listen()
        yield [one, two, three]


@pytest.mark.parametrize("names", ["main:main:admin", "main:main:admin:"])
def test_sockets_go_where_their_names_say(listeners, names):
    one, two, three = map(describe_address, listeners)
    assert pass_on(listeners, names) == str({"main": [one, two], "admin": [three]})


@pytest.mark.parametrize("names", ["", "unknown:unknown", "trail.socket:trail.socket"])
def test_one_kind_of_socket_is_for_the_main_listener(listeners, names):
    both = [describe_address(one) for one in listeners[:2]]
    assert pass_on(listeners[:2], names) == str({"main": both})


def test_a_name_that_nobody_knows_among_several_is_refused(listeners):
    assert "called 'metrics-of-old'" in pass_on(listeners[:2], "main:metrics-of-old")


def test_what_does_not_listen_is_refused(tmp_path):
    with socket.socket() as idle, (tmp_path / "file").open("w") as file:
        assert pass_on([idle], "main") == "refused: socket 3 does not listen for connections"
        assert pass_on([file], "main").startswith("refused: descriptor 3 is no socket")


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_FDS": "1"},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "-1"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "many"},
    ],
)
def test_what_is_for_nobody_or_another_process_is_left_alone(environ):
    assert inherited_sockets(environ) == {}


def test_more_than_anybody_has_is_refused():
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1000000000"}
    with pytest.raises(OperatorError, match="at most"):
        inherited_sockets(environ)


def test_options_say_where_the_sockets_listen(listeners):
    one, two, three = listeners
    options = apply_inherited(ServerOptions(), {"main": [one, two], "admin": [three]})
    assert options.address == f"127.0.0.1:{one.getsockname()[1]}"
    assert options.admin_address == f"unix:{three.getsockname()}"
    assert options.has_admin_listener
    assert describe_address(two).startswith("[::1]:")
    for name in LISTENERS.values():
        assert hasattr(options, name)


def test_a_socket_for_what_is_switched_off_is_refused(listeners):
    with pytest.raises(OperatorError, match="no-admin"):
        apply_inherited(ServerOptions(no_admin=True), {"admin": listeners[:1]})
