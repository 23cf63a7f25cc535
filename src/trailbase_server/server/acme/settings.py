"""What the operator asks of the authority, checked before anything is started."""

import re
import ssl
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from trailbase_server.errors import OperatorError
from trailbase_server.server.certificate import TlsFiles
from trailbase_server.server.depot import CERTS
from trailbase_server.server.options import ServerOptions

DIRECTORIES = {
    "production": "https://acme-v02.api.letsencrypt.org/directory",
    "staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}
MAX_DOMAINS = 100  # names that an authority puts into one certificate
MAX_NAME = 253  # characters of a host name
# Two labels or more, letters of other scripts as xn--; not a number at the end: that is an address.
_NAME = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?!\d+\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z"
)
_EMAIL = re.compile(r"[^@\s,]{1,64}@[^@\s,]{1,255}\Z")


class AcmeSettings(Struct, frozen=True):
    """
    One certificate from one authority.

    Attributes:
        domains: Host names, lower case, the first one first.
        email: Where the authority may write to; None: nowhere.
        directory: Where it is.
        ca_file: Authorities that vouch for its own server; None: the usual ones.
        folder: Of accounts and certificates.
    """

    domains: tuple[str, ...]
    email: str | None
    directory: str
    ca_file: Path | None
    folder: Path

    @property
    def certificate(self) -> Path:
        """Key and certificates in one file: replaced in one step."""
        return self.folder / f"{self._name}.pem"

    @property
    def account(self) -> Path:
        """Key of the account."""
        return self.folder / f"{self._name}-account.pem"

    @property
    def files(self) -> TlsFiles:
        """For ``server/tls``."""
        return TlsFiles(self.certificate, self.certificate)

    @property
    def _name(self) -> str:
        # Each authority has files of its own: a certificate for trying out is never served as real.
        parts = urlsplit(self.directory)
        return re.sub(r"[^a-z0-9]+", "-", f"{parts.netloc}{parts.path}".lower()).strip("-")


def compile_settings(options: ServerOptions) -> AcmeSettings | None:
    """
    Read the options.

    Returns:
        None: no certificate is to be had from an authority.

    Raises:
        OperatorError: Something is missing, or cannot work.

    Spec:
        server/tls-automation-p2-docs-state-the-wish
    """
    if not options.acme_domain:
        return None
    if options.tls_cert is not None or options.tls_key is not None:
        raise OperatorError("ACME: --acme-domain and --tls-cert exclude each other")
    if options.http_redirect_address is None:
        raise OperatorError(
            "ACME: --acme-domain needs --http-redirect-address, usually 0.0.0.0:80:"
            " the authority looks there"
        )
    if find_spec("acme") is None:
        raise OperatorError("ACME: install the extra: pip install 'trailbase-server[acme]'")
    if options.acme_email is not None and not _EMAIL.match(options.acme_email):
        raise OperatorError(f"ACME: '{options.acme_email}' is no mail address")
    if options.acme_ca_file is not None:
        _check_authorities(options.acme_ca_file)
    return AcmeSettings(
        _parse_domains(options.acme_domain),
        options.acme_email,
        _parse_directory(options.acme_directory),
        options.acme_ca_file,
        options.depot / CERTS,
    )


def _check_authorities(path: Path) -> None:
    try:
        ssl.create_default_context(cafile=path)
    except OSError as exc:  # an SSLError is one too
        reason = exc.strerror or "no PEM certificates"
        raise OperatorError(f'ACME: cannot use "{path}": {reason}') from exc


def _parse_domains(given: tuple[str, ...]) -> tuple[str, ...]:
    domains = []
    for text in given:
        name = text.strip().rstrip(".").lower()
        if name.startswith("*."):
            raise OperatorError(f"ACME: no wildcards over HTTP: '{text}'")
        if not name.isascii():
            name = _to_ascii(name)
        if len(name) > MAX_NAME or not _NAME.match(name):
            raise OperatorError(f"ACME: '{text}' is no public host name")
        domains.append(name)
    names = tuple(dict.fromkeys(domains))
    if len(names) > MAX_DOMAINS:
        raise OperatorError(f"ACME: a certificate is for {MAX_DOMAINS} names at most")
    return names


def _to_ascii(name: str) -> str:
    import idna  # noqa: PLC0415  # imported when first needed: start-up time

    try:
        return idna.encode(name, uts46=True).decode()
    except idna.IDNAError as exc:
        raise OperatorError(f"ACME: '{name}' is no host name: {exc}") from exc


def _parse_directory(given: str) -> str:
    directory = DIRECTORIES.get(given, given)
    try:
        parts = urlsplit(directory)
        is_url = parts.scheme == "https" and bool(parts.hostname)
    except ValueError:
        is_url = False
    if not is_url:
        raise OperatorError(
            f"ACME: '{given}' is no directory: an https URL, {' or '.join(DIRECTORIES)}"
        )
    return directory
