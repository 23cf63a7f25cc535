"""
The certificate in use: from the files at start, and from them again whenever they change.

Listeners hold one context for their whole life. It has no certificate: at each handshake it hands
the connection to the context of the certificate of the day, so a new one takes over without a
connection noticing. New files that are no good leave the old certificate in use and are reported.
"""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from msgspec import Struct

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.errors import OperatorError
from trailbase_server.server.certificate import (
    Certificate,
    MinimumVersion,
    TlsFiles,
    load_certificate,
    new_context,
)
from trailbase_server.server.depot import CERTS

log = logging.getLogger(__name__)
POLL_S = 2.0  # how long a new certificate waits to be seen
CERT_FILE = "cert.pem"
KEY_FILE = "key.pem"

Signature = tuple[tuple[int, ...] | None, ...]
"""What tells two states of the files apart; None: no such file."""


class TlsStatus(Struct, frozen=True):
    """
    How encryption does, for readiness, metrics and administrators.

    Attributes:
        names: Hosts the certificate is for.
        issuer: Who has signed it.
        not_after: Unix seconds; None: there is no certificate yet.
        problems: What an operator should mend, a sentence each.
    """

    names: tuple[str, ...]
    issuer: str
    not_after: float | None
    problems: tuple[str, ...]


class Certificates:
    """
    The certificate of a server.

    Args:
        files: Where it is, or will be.
        minimum: Oldest version of TLS.
        clock: Tells whether it has expired.

    Attributes:
        context: For the listeners; refuses handshakes while there is no certificate.
        certificate: In use.
        source_problem: Of whoever provides the files; empty: none.
        on_reload: Called when the operator asks for everything to be looked at again.
    """

    def __init__(
        self, files: TlsFiles, minimum: MinimumVersion = "1.2", clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.files = files
        self.context = new_context(minimum)
        self.context.sni_callback = self._choose
        self.certificate: Certificate | None = None
        self.source_problem = ""
        self.on_reload: Callable[[], None] = lambda: None
        self._minimum = minimum
        self._clock = clock
        self._seen: Signature = ()
        self._file_problem = ""
        self._said = ""

    def load(self) -> None:
        """
        Take the files over.

        Raises:
            OperatorError: They are no good; what was in use stays.
        """
        self._seen = self._signature()
        try:
            self.certificate = load_certificate(self.files, self._minimum)
        except OperatorError as exc:
            self._file_problem = str(exc)
            raise
        self._file_problem = ""
        self._remark()

    def reload(self) -> None:
        """
        Look at the files now, as after SIGHUP.

        Raises:
            OperatorError: They are no good; what was in use stays.
        """
        self.on_reload()
        if not self._waits_for_files():
            self.load()

    def poll(self) -> None:
        """Take over files that have changed and stayed as they are since the last look."""
        signature = self._signature()
        if signature != self._seen and not self._waits_for_files():
            # Two files are not replaced in one step: give the second one time to arrive.
            known, self._seen = self._seen, signature
            with suppress(OperatorError):
                self.load()
                log.info('TLS: now using the certificate in "%s"', self.files.cert)
            if self._file_problem and known:
                return
        self._remark()

    def status(self) -> TlsStatus:
        """How it does at this moment."""
        certificate = self.certificate
        problems = [self._file_problem, self.source_problem]
        if certificate is None:
            return TlsStatus((), "", None, tuple(filter(None, problems)) or ("no certificate yet",))
        complaint = certificate.complaint(self._clock.now())
        if complaint:
            problems.append(f"the TLS certificate {complaint}")
        return TlsStatus(
            certificate.names,
            certificate.issuer,
            certificate.not_after,
            tuple(filter(None, problems)),
        )

    def _choose(
        self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext
    ) -> int | None:
        if self.certificate is None:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self.certificate.context
        return None

    def _waits_for_files(self) -> bool:
        return self.certificate is None and self._signature() == (None, None)

    def _signature(self) -> Signature:
        return tuple(_stat(path) for path in (self.files.cert, self.files.key))

    def _remark(self) -> None:
        """Write a line when there is something new to complain about."""
        remarks: list[tuple[int, str]] = []
        if self._file_problem:
            remarks.append((logging.ERROR, f"{self._file_problem}; the old certificate stays"))
        if self.certificate is not None:
            now = self._clock.now()
            if complaint := self.certificate.complaint(now):
                text = f'the TLS certificate in "{self.files.cert}" {complaint}: clients refuse it'
                remarks.append((logging.ERROR, text))
            elif warning := self.certificate.warning(now):
                text = f'the TLS certificate in "{self.files.cert}" {warning}'
                remarks.append((logging.WARNING, text))
        said = "\n".join(text for _, text in remarks)
        if said != self._said:
            self._said = said
            for level, text in remarks:
                log.log(level, "%s", text)


def find_certificates(depot: Path, cert: Path | None, key: Path | None) -> TlsFiles | None:
    """
    Which files to use.

    Args:
        depot: Has its own in ``secrets/certs``.
        cert, key: What the operator says instead.

    Returns:
        None: no TLS.

    Raises:
        OperatorError: There is only one of the two.

    Spec:
        server/tls
    """
    if (cert is None) != (key is None):
        raise OperatorError("--tls-cert and --tls-key belong together: give both")
    if cert is not None and key is not None:
        return TlsFiles(cert, key)
    files = TlsFiles(depot / CERTS / CERT_FILE, depot / CERTS / KEY_FILE)
    has_cert, has_key = _is_there(files.cert), _is_there(files.key)
    if not has_cert and not has_key:
        return None
    if not has_key:
        raise OperatorError(f'TLS cert provided but key missing: there is no "{files.key}"')
    if not has_cert:
        raise OperatorError(f'TLS key provided but cert missing: there is no "{files.cert}"')
    return files


@asynccontextmanager
async def watch_certificates(certificates: Certificates) -> AsyncIterator[None]:
    """Look at the files every ``POLL_S`` seconds until the end of the block."""
    watching = asyncio.ensure_future(_watch(certificates))
    try:
        yield
    finally:
        watching.cancel()


async def _watch(certificates: Certificates) -> None:
    while True:
        await asyncio.sleep(POLL_S)
        certificates.poll()


def _stat(path: Path) -> tuple[int, ...] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _is_there(path: Path) -> bool:
    """Something has that name, be it a link that leads nowhere or a file we may not read."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError as exc:
        raise OperatorError(f'TLS: cannot read "{path}": {exc.strerror}') from exc
    return True
