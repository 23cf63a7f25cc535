"""
What counting costs: the same requests and turns in one process, with and without it, in turns.

The code without it is made from the code with it, by leaving its lines out. CPU time; the load of a
shared machine hardly touches it. ``.venv/bin/python benchmarks/counting.py``
"""

import asyncio
import inspect
import statistics
import sys
import tempfile
import textwrap
from pathlib import Path
from time import process_time

import uvicorn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.pier import Pier  # noqa: E402  # the path is set above
from trailbase_server.server.app import build_application  # noqa: E402
from trailbase_server.server.options import ServerOptions  # noqa: E402
from trailbase_server.server.start import open_depot  # noqa: E402
from trailbase_server.sqlite import turns  # noqa: E402
from trailbase_server.web import front_door  # noqa: E402

ROUNDS = 40
REQUESTS = 4000
TURNS = 1500
GROUP = 32  # writes of a turn under load
READ = b"GET /api/records/v1/boat/1 HTTP/1.1\r\nhost: a\r\nuser-agent: b\r\n\r\n"
COUNTING = {
    front_door.FrontDoor: {"_answer": ("row[", "row =")},
    turns.Turns: {
        "submit": ("if not self._waiting:", "self._since ="),
        "_turn": ("begun =", "self._since =", "self.meters"),
        "_commit": ("self.meters",),
        "_deliver": ("self.meters",),
    },
}


class Nowhere(asyncio.Transport):
    """A socket whose client reads everything at once."""

    def write(self, data):
        self.last = data

    def is_closing(self):
        return False

    def get_extra_info(self, name, default=None):
        return ("127.0.0.1", 1) if name == "peername" else default

    def close(self):
        pass

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


def without(method, marks):
    """A method without the lines that begin with one of the marks."""
    lines = textwrap.dedent(inspect.getsource(method)).splitlines()
    kept = [line for line in lines if not line.strip().startswith(marks)]
    assert len(kept) < len(lines)
    scope = dict(vars(sys.modules[method.__module__]))
    exec("\n".join(kept), scope)  # our own source
    return scope[method.__name__]


def variants():
    """Functions that switch counting on and off."""
    counting, bare = [], []
    for owner, methods in COUNTING.items():
        for name, marks in methods.items():
            method = getattr(owner, name)
            counting.append((owner, name, method))
            bare.append((owner, name, without(method, marks)))
    return counting, bare


def switch(variant):
    for owner, name, method in variant:
        setattr(owner, name, method)


def insert(tx, name):
    tx.run("INSERT INTO boat (name) VALUES (?1)", (name,))


def ask(protocol):
    started = process_time()
    for _ in range(REQUESTS):
        protocol.data_received(READ)
    spent = process_time() - started
    assert protocol.transport.last.startswith(b"HTTP/1.1 200"), protocol.transport.last
    return spent / REQUESTS * 1e6


async def write(database, count, group):
    started = process_time()
    for _ in range(count):
        jobs = [database._turns.submit(insert, ("x",), {}) for _ in range(group)]  # noqa: SLF001
        for job in jobs:
            await job
    return (process_time() - started) / count * 1e6


async def measure(depot):
    application = build_application(depot)
    dispatcher = application.dispatcher
    dispatcher.log = lambda _entry: None
    config = uvicorn.Config(application, lifespan="off", log_config=None, server_header=False)
    config.load()
    state = uvicorn.Server(config).server_state
    await depot.database.write(insert, "x")
    spent = {}
    for number in range(ROUNDS):
        for name, variant in list(zip(("with", "without"), variants_made, strict=True))[
            :: 1 if number % 2 else -1
        ]:
            switch(variant)
            protocol = front_door.front_door(dispatcher)(
                config=config, server_state=state, app_state={}
            )
            protocol.connection_made(Nowhere())
            spent.setdefault(("a request", name), []).append(ask(protocol))
            protocol.connection_lost(None)
            for group in (1, GROUP):
                took = await write(depot.database, TURNS // group, group)
                spent.setdefault((f"a turn of {group}", name), []).append(took)
    return spent


async def main():
    with tempfile.TemporaryDirectory() as folder:
        pier = Pier(Path(folder) / "depot")
        async with open_depot(ServerOptions(depot=pier.root, synchronous="NORMAL")) as depot:
            spent = await measure(depot)
    for what in dict.fromkeys(what for what, _ in spent):
        # The lower quarter: what others do to the caches only ever adds.
        ours, bare = (statistics.quantiles(spent[what, name])[0] for name in ("with", "without"))
        print(f"{what}: {bare:.2f} µs without, {ours:.2f} µs with: {ours - bare:+.2f} µs")


variants_made = variants()
if __name__ == "__main__":
    asyncio.run(main())
