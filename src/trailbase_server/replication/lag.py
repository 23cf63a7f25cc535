"""
How far behind the replica is: seconds of writes that would be gone if this machine were.

What Litestream has once said stays known when it does not answer any more, so the lag of a replica
whose Litestream has died grows as it should.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.replication.control import NoAnswerError, ask_databases

LATE_S = 30.0  # a replica that is further behind is worth a look; usual is one second


class Lag:
    """
    The lag of a replica.

    Args:
        socket: Where Litestream is asked.
        clock: Tells the time.

    Attributes:
        problem: Why Litestream was silent when it was last asked; empty if it answered.
    """

    def __init__(self, socket: Path, clock: Clock = SYSTEM_CLOCK) -> None:
        self.problem = ""
        self._socket = socket
        self._clock = clock
        self._begun = clock.now()
        self._shipped: dict[str, float] = {}

    async def ask(self, databases: Iterable[Path]) -> dict[str, float]:
        """
        Ask Litestream.

        Args:
            databases: That should be replicated.

        Returns:
            Seconds by path.
        """
        try:
            self.learn(await ask_databases(self._socket))
            self.problem = ""
        except NoAnswerError as exc:
            self.problem = str(exc)
        now = self._clock.now()
        return {
            str(path): max(0.0, now - self._shipped.get(str(path), self._begun))
            for path in databases
        }

    def learn(self, listed: Mapping[str, float | None]) -> None:
        """Take over what Litestream said."""
        for path, at in listed.items():
            if at is not None:
                self._shipped[path] = at
