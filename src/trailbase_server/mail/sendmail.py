"""
The local ``sendmail`` program, which every mail system of Unix has under this name.

The recipient is an argument behind ``--`` and the mail is its standard input, so neither can become
an option. Its exit status says what happened (sysexits): some of them cannot change by waiting.
"""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress

from trailbase_server.mail.envelope import Envelope
from trailbase_server.mail.transport import PROGRAM_LABEL, SendError

TIMEOUT_S = 60  # it only has to queue the mail; a program that hangs is ended
MAX_ERROR_BYTES = 500  # of what it says about a failure
# Usage, data, unknown user, unknown host: of sysexits.h.
_PERMANENT = frozenset((64, 65, 67, 68))


class SendmailTransport:
    """
    Hands mails to a program.

    Args:
        program: Path of it.
        timeout_s: Longest time it may take.
    """

    label = PROGRAM_LABEL
    is_outward = True

    def __init__(self, program: str, timeout_s: float = TIMEOUT_S) -> None:
        self._program = program
        self._timeout_s = timeout_s

    async def send(self, envelope: Envelope) -> None:
        """
        Run the program for one mail.

        Raises:
            SendError: It cannot be run, says no, or takes too long.

        Spec:
            server/transport-selection
        """
        arguments = ("-i", "-f", envelope.sender, "--", envelope.recipient)
        try:
            process = await asyncio.create_subprocess_exec(
                self._program, *arguments, stdin=PIPE, stdout=DEVNULL, stderr=PIPE
            )
        except OSError as exc:
            raise SendError(f"Sendmail: {exc.strerror}") from exc
        try:
            async with asyncio.timeout(self._timeout_s):
                said = await _feed(process, envelope.content.replace(b"\r\n", b"\n"))
                status = await process.wait()
        except TimeoutError as exc:
            raise SendError(f"Sendmail: no end after {self._timeout_s} seconds") from exc
        finally:
            await _end(process)
        if status != 0:
            words = said.decode("utf-8", "replace").strip()
            raise SendError(
                f"Sendmail: exit status {status}: {words}".rstrip(": "),
                is_permanent=status in _PERMANENT,
            )


async def _feed(process: Process, content: bytes) -> bytes:
    """Write the mail while reading what the program says, so that neither waits for the other."""
    said, _ = await asyncio.gather(_read_errors(process), _write(process, content))
    return said


async def _write(process: Process, content: bytes) -> None:
    assert process.stdin is not None  # noqa: S101  # we asked for a pipe
    # A program that has read enough closes its end; its exit status says whether that is well.
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(content)
        await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


async def _read_errors(process: Process) -> bytes:
    assert process.stderr is not None  # noqa: S101  # we asked for a pipe
    kept = b""
    while part := await process.stderr.read(4096):
        kept = (kept + part)[:MAX_ERROR_BYTES]
    return kept


async def _end(process: Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
