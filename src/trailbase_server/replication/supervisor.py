"""
Keep Litestream running beside the server.

.. code-block:: text

    waiting ──lock is free──▶ running ──it ends──▶ pausing ──back-off is over──▶ waiting
       ▲                         │ stop()             (1 s, 2 s, 4 s … 60 s)        │
       └─────────────────────────┼───────────────────────────────────────────────────┘
                                 ▼
                    SIGTERM: ships the last writes, ends

The lock is held by the child alone, so it is free exactly when no Litestream of this depot runs,
whatever has become of the server that had started it. Two at once would spoil the replica.
"""

import asyncio
import fcntl
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGTERM

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.config.files import OWNER_ONLY
from trailbase_server.errors import OperatorError
from trailbase_server.replication.lines import LogLines

log = logging.getLogger(__name__)
FIRST_PAUSE_S = 1.0  # after it has ended by itself
LONGEST_PAUSE_S = 60.0  # a target that is back is used again within a minute
STEADY_S = 60.0  # whoever has run for so long gets the first pause again
STOP_S = 8.0  # for its farewell; a server that hangs is killed by its service manager
LOCK_STEP_S = 0.2  # between two looks at the lock
MAX_LINE_BYTES = 65_536  # of its log; longer ones are cut


class Supervisor:
    """
    One Litestream that is kept running.

    Args:
        prepare: Says which command to run, each time anew.
        environment: Of the child.
        lock: A file of this depot; its directory is where the child is started.
        lines: Where its log goes.
        clock: Measures how long it has run.

    Attributes:
        problem: Why it does not run; empty while it does.
        restarts: How often it ended by itself.
        down_since: Monotonic time since which it does not run; None while it does.
    """

    def __init__(
        self,
        prepare: Callable[[], Sequence[str]],
        environment: Mapping[str, str],
        lock: Path,
        lines: LogLines,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.problem = "not started yet"
        self.restarts = 0
        self.down_since: float | None = clock.monotonic()
        self._prepare = prepare
        self._environment = environment
        self._lock = lock
        self._lines = lines
        self._clock = clock
        self._process: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_stopping = asyncio.Event()
        self._is_renewed = False

    @property
    def is_running(self) -> bool:
        """The child is there."""
        return self._process is not None

    @property
    def pid(self) -> int | None:
        """Number of the child's process, None if there is none."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start it, and again whenever it ends."""
        if self._task is None:
            self._task = asyncio.ensure_future(self._run())

    def renew(self) -> None:
        """Let it end, and start it anew at once: what ``prepare`` says has changed."""
        if self._process is not None:
            self._is_renewed = True
            with suppress(ProcessLookupError):
                self._process.send_signal(SIGTERM)

    async def stop(self) -> bool:
        """
        Let it ship what is left, and end it. Idempotent.

        Returns:
            It ended by itself, within ``STOP_S``.
        """
        self._is_stopping.set()
        task, process = self._task, self._process
        if task is None:
            return True
        if process is not None:
            with suppress(ProcessLookupError):
                process.send_signal(SIGTERM)
        done, _ = await asyncio.wait({task}, timeout=STOP_S)
        if not done and process is not None:
            log.warning(
                "Litestream did not end within %g s: the last writes may be missing", STOP_S
            )
            with suppress(ProcessLookupError):
                process.kill()
        await asyncio.gather(task, return_exceptions=True)
        self._task = None
        return bool(done)

    async def _run(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._is_stopping.is_set():
            began, has_failed = self._clock.monotonic(), True
            try:
                handle = await self._take_lock()
                if handle is None:
                    return
                began = self._clock.monotonic()
                has_failed = await self._run_once(handle) != 0
            except (OSError, OperatorError) as exc:
                self._fail(str(exc))
            if self._is_stopping.is_set():
                return
            if self._is_renewed:
                self._is_renewed = False
                continue
            # A service manager that stops a whole group tells both of us at once: it comes back
            # for the last writes, and that is no failure.
            self.restarts += has_failed
            if not has_failed or self._clock.monotonic() - began >= STEADY_S:
                pause_s = FIRST_PAUSE_S
            log.error("Replication: %s; next attempt in %g s", self.problem, pause_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_stopping.wait(), pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    async def _take_lock(self) -> int | None:
        """A handle of the locked file; None if there is no time for it any more."""
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, OWNER_ONLY)
        while not self._is_stopping.is_set():
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._fail("another Litestream of this depot is still at it")
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._is_stopping.wait(), LOCK_STEP_S)
            except OSError as exc:  # a file system without locks
                log.warning('Cannot lock "%s": %s', self._lock, exc.strerror)
                return handle
            else:
                return handle
        os.close(handle)
        return None

    async def _run_once(self, handle: int) -> int:
        """Run it until it ends; its status."""
        try:
            command = self._prepare()
            process = await asyncio.create_subprocess_exec(
                *command,
                env=dict(self._environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                pass_fds=(handle,),
                cwd=self._lock.parent,
                # Ctrl+C is for the server; its child ends after the last write.
                start_new_session=True,
            )
        finally:
            os.close(handle)
        self._process = process
        self.problem, self.down_since = "", None
        log.info("Replicating (process %d)", process.pid)
        try:
            if self._is_stopping.is_set():
                process.terminate()
            if process.stdout is not None:
                await self._follow(process.stdout)
            status = await process.wait()
        finally:
            self._process = None
        if not self._is_stopping.is_set() and not self._is_renewed:
            last = f": {self._lines.last_problem}" if self._lines.last_problem else ""
            self._fail(f"Litestream ended with status {status}{last}")
        return status

    async def _follow(self, output: asyncio.StreamReader) -> None:
        left = b""
        while piece := await output.read(MAX_LINE_BYTES):
            *lines, left = (left + piece).split(b"\n")
            for line in lines:
                self._lines.take(line.decode(errors="replace"))
            left = left[:MAX_LINE_BYTES]
        self._lines.take(left.decode(errors="replace"))

    def _fail(self, problem: str) -> None:
        self.problem = problem
        if self.down_since is None:
            self.down_since = self._clock.monotonic()
