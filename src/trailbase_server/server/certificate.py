"""
A certificate with its key, as files hold them: read, judged, and made usable for TLS.

Nothing is taken half: a chain that is cut short, a key of another certificate, a key with a
passphrase are refused with one line that names the file. A certificate out of its time is taken:
clients decide about that, and a server that refuses to start would help nobody.
"""

import logging
import ssl
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from trailbase_server.errors import OperatorError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

log = logging.getLogger(__name__)
MAX_FILE_BYTES = 1024 * 1024  # chains take a few kilobytes: more is another file
OPEN_TO_ALL = 0o004  # the mode of a file that anybody on the machine may read
_DAY_S = 86_400
EXPIRY_WARNING_S = 14 * _DAY_S  # renewals fail for weeks before anybody looks
# A quarter of a short life is left when a renewal at two thirds is late.
EXPIRY_WARNING_SHARE = 0.25
MinimumVersion = Literal["1.2", "1.3"]
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2: forward secret, authenticated
ALPN = ["http/1.1"]


class TlsFiles(Struct, frozen=True):
    """
    Where they are.

    Attributes:
        cert: PEM: the server's own certificate first, then the intermediate ones.
        key: PEM, without a passphrase; may be the same file.
    """

    cert: Path
    key: Path


class Certificate(Struct, frozen=True):
    """
    A certificate in use.

    Attributes:
        context: Serves it.
        names: Hosts and addresses it is for.
        issuer: Who has signed it.
        not_before, not_after: Unix seconds.
    """

    context: ssl.SSLContext
    names: tuple[str, ...]
    issuer: str
    not_before: float
    not_after: float

    def complaint(self, now: float) -> str:
        """What is wrong with its time; empty: nothing."""
        if now < self.not_before:
            return f"is not valid before {_date(self.not_before)}"
        if now >= self.not_after:
            return f"expired on {_date(self.not_after)}"
        return ""

    def warning(self, now: float) -> str:
        """Whether its end is near: the days that are left; empty: it is not."""
        left = self.not_after - now
        lifetime = self.not_after - self.not_before
        if left > min(EXPIRY_WARNING_S, lifetime * EXPIRY_WARNING_SHARE):
            return ""
        return f"expires on {_date(self.not_after)} (in {int(left // _DAY_S)} days)"


def new_context(minimum: MinimumVersion) -> ssl.SSLContext:
    """A server's context without a certificate: TLS 1.2 or newer, no old ciphers, HTTP/1.1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = VERSIONS[minimum]
    context.set_ciphers(CIPHERS)
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(ALPN)
    return context


def load_certificate(files: TlsFiles, minimum: MinimumVersion = "1.2") -> Certificate:
    """
    Read both files, check that they belong together and make a context of them.

    Args:
        files: Where they are.
        minimum: Oldest version of TLS that is spoken.

    Raises:
        OperatorError: One of them is missing, unreadable or broken, or they do not match.

    Spec:
        server/tls
    """
    chain = _read_chain(files.cert)
    key = _read_key(files.key)
    own = chain[0]
    if _public_bytes(key.public_key()) != _public_bytes(own.public_key()):
        raise OperatorError(
            f'TLS: the key in "{files.key}" does not belong to the first certificate in'
            f' "{files.cert}"'
        )
    for signed, signer in pairwise(chain):
        if signed.issuer != signer.subject:
            log.warning(
                'TLS: the certificates in "%s" are out of order: clients may not trust them',
                files.cert,
            )
            break
    if files.key.stat().st_mode & OPEN_TO_ALL:
        log.warning('TLS: the key "%s" can be read by everybody on this machine', files.key)
    context = new_context(minimum)
    try:
        context.load_cert_chain(files.cert, files.key, password="")  # never asks the terminal
    except (ssl.SSLError, OSError) as exc:  # such as a key that OpenSSL thinks too short
        reason = getattr(exc, "reason", None) or exc.strerror or exc
        raise OperatorError(f'TLS: cannot use "{files.cert}": {reason}') from exc
    return Certificate(
        context,
        _names(own),
        own.issuer.rfc4514_string(),
        own.not_valid_before_utc.timestamp(),
        own.not_valid_after_utc.timestamp(),
    )


def _read_chain(path: Path) -> "list[x509.Certificate]":
    # Imported when first needed: start-up time.
    from cryptography import x509  # noqa: PLC0415

    text = _read(path, "certificate")
    try:
        chain = x509.load_pem_x509_certificates(text)
    except ValueError as exc:
        # What the library says is a link to its questions and answers.
        raise OperatorError(f'TLS: "{path}" holds no PEM certificate, or a broken one') from exc
    # The library passes over a last one that has only begun.
    if text.count(b"-----BEGIN") != text.count(b"-----END"):
        raise OperatorError(f'TLS: "{path}" is cut short')
    return chain


def _read_key(path: Path) -> "PrivateKeyTypes":
    # Imported when first needed: start-up time.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    text = _read(path, "key")
    try:
        return load_pem_private_key(text, None)
    except TypeError as exc:
        raise OperatorError(
            f'TLS: the key "{path}" is protected by a passphrase: store it without one'
        ) from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        # What the library says may quote the file.
        raise OperatorError(f'TLS: "{path}" holds no PEM private key') from exc


def _read(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES + 1)
    except OSError as exc:
        raise OperatorError(f'TLS: cannot read the {what} "{path}": {exc.strerror}') from exc
    if len(text) > MAX_FILE_BYTES:
        raise OperatorError(f'TLS: "{path}" is too large for a {what}')
    return text


def _names(certificate: "x509.Certificate") -> tuple[str, ...]:
    from cryptography import x509  # noqa: PLC0415  # loaded by now

    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return ()
    names = extension.value.get_values_for_type(x509.DNSName)
    return (*names, *map(str, extension.value.get_values_for_type(x509.IPAddress)))


def _public_bytes(key: object) -> bytes:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415  # loaded by now
        Encoding,
        PublicFormat,
    )

    encoded: bytes = key.public_bytes(  # type: ignore[attr-defined]  # every kind of key has it
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    )
    return encoded


def _date(at: float) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415  # only for a complaint

    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
