"""What the benchmark asks of a server: data to start with, a process, the calls of each work."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from load import Call
from process import Process

LIST_LENGTH = 20
KEYS = 1_000  # different records that are read in turn

Calls = Mapping[str, Sequence[Call]]


class Contender(Protocol):
    """
    A server in the race.

    Attributes:
        name: For the table.
        version: What it says about itself.
        files: Glob patterns of its write-ahead logs below the data directory.
    """

    name: str
    version: str

    def seed(self, data: Path) -> None:
        """Make a data directory with schema, rules, and the rows of ``seed.py``."""
        ...

    def start(self, data: Path, durability: str = "FULL") -> Process:
        """Start on a data directory; it may be changed."""
        ...

    def calls(self, process: Process) -> Calls:
        """Log in and prepare the calls of all works, by the works' ``calls``."""
        ...


def wal_bytes(data: Path) -> int:
    """Size of all write-ahead logs below a data directory."""
    return sum(path.stat().st_size for path in data.rglob("*-wal"))
