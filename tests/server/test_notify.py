import asyncio
import os
import socket

import pytest

from trailbase_server.server.notify import notify, notify_reloading, pat_watchdog, watchdog_interval


@pytest.fixture(params=["path", "abstract"])
def manager(request, tmp_path):
    name = str(tmp_path / "notify") if request.param == "path" else f"@trail-{os.getpid()}-notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(name.replace("@", "\0") if request.param == "abstract" else name)
        channel.settimeout(10)
        yield channel, {"NOTIFY_SOCKET": name}


def test_states_arrive_one_a_line(manager):
    channel, environ = manager
    notify("READY=1", "STATUS=Listening", environ=environ)
    assert channel.recv(1000) == b"READY=1\nSTATUS=Listening"


@pytest.mark.parametrize("place", [None, "", "relative", "/nowhere/at/all"])
def test_without_a_manager_nothing_happens(place):
    notify("READY=1", environ={} if place is None else {"NOTIFY_SOCKET": place})


def test_a_reload_says_when_it_began(manager, monkeypatch):
    channel, environ = manager
    monkeypatch.setitem(os.environ, "NOTIFY_SOCKET", environ["NOTIFY_SOCKET"])
    notify_reloading()
    first, second = channel.recv(1000).decode().split("\n")
    assert first == "RELOADING=1"
    assert second.startswith("MONOTONIC_USEC=")


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "3000000"}, 1.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": str(os.getpid())}, 1.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_signs_of_life_come_three_times_as_often_as_they_have_to(environ, interval):
    assert watchdog_interval(environ) == interval


async def test_signs_of_life_end_with_the_block(manager):
    channel, environ = manager
    async with pat_watchdog({**environ, "WATCHDOG_USEC": "30000"}):
        await asyncio.sleep(0.05)
    channel.setblocking(False)
    assert channel.recv(100) == b"WATCHDOG=1"
    assert channel.recv(100) == b"WATCHDOG=1"
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "watchdog"]
