"""
Encryption as the options ask for it: the operator's files, or an authority's certificates.

Put together before anything in the depot is touched: a start with a broken certificate fails while
it has changed nothing.
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from trailbase_server.errors import OperatorError
from trailbase_server.server.depot import CERTS
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.ready import Finding, Readiness

if TYPE_CHECKING:
    from trailbase_server.server.acme.challenges import Challenges
    from trailbase_server.server.acme.keeper import CertificateKeeper
    from trailbase_server.server.tls import Certificates

log = logging.getLogger(__name__)


class Encryption(Struct, frozen=True):
    """
    What a server with TLS has.

    Attributes:
        certificates: In use.
        challenges: Answered by the listener of plain HTTP.
        keeper: Gets certificates; None: the operator does.
    """

    certificates: "Certificates"
    challenges: "Challenges"
    keeper: "CertificateKeeper | None" = None


def prepare_encryption(options: ServerOptions) -> Encryption | None:
    """
    Find out whether and how to encrypt, and load the certificate.

    Returns:
        None: plain HTTP, because nobody has asked for anything else.

    Raises:
        OperatorError: The options contradict each other, or the files are no good.

    Spec:
        server/tls
        server/tls-automation-p2-docs-state-the-wish
    """
    if not _is_wanted(options):
        return None
    # Imported when first needed: start-up time.
    from trailbase_server.server.acme.challenges import Challenges  # noqa: PLC0415
    from trailbase_server.server.acme.keeper import CertificateKeeper  # noqa: PLC0415
    from trailbase_server.server.acme.settings import compile_settings  # noqa: PLC0415
    from trailbase_server.server.tls import Certificates, find_certificates  # noqa: PLC0415

    settings = compile_settings(options)
    if settings is not None:
        certificates = Certificates(settings.files, options.tls_min_version)
        challenges = Challenges()
        keeper = CertificateKeeper(settings, certificates, challenges)
        keeper.load()
        return Encryption(certificates, challenges, keeper)
    files = find_certificates(options.depot, options.tls_cert, options.tls_key)
    if files is None:
        if options.http_redirect_address is not None:
            raise OperatorError("--http-redirect-address needs TLS: there is no certificate")
        return None
    certificates = Certificates(files, options.tls_min_version)
    certificates.load()
    return Encryption(certificates, Challenges())


def _is_wanted(options: ServerOptions) -> bool:
    """Has the operator asked for anything to do with TLS?"""
    return (
        bool(options.acme_domain)
        or options.tls_cert is not None
        or options.tls_key is not None
        or options.http_redirect_address is not None
        or _may_exist(options.depot / CERTS)
    )


def _may_exist(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # ``tls`` says what is wrong with it
        return True
    return True


def _look(certificates: "Certificates") -> Finding:
    status = certificates.status()
    facts = {
        "names": list(status.names),
        "issuer": status.issuer,
        "not_after": status.not_after,
    }
    return Finding("degraded" if status.problems else "ok", "; ".join(status.problems), facts)


@asynccontextmanager
async def run_encryption(
    encryption: Encryption | None, readiness: Readiness
) -> AsyncIterator[None]:
    """
    Follow the files and get new certificates until the end of the block.

    Args:
        encryption: None: nothing to do.
        readiness: Is told how the certificate does.
    """
    if encryption is None:
        yield
        return
    # Imported when first needed: start-up time.
    from trailbase_server.server.acme.keeper import keep_certificate  # noqa: PLC0415
    from trailbase_server.server.tls import watch_certificates  # noqa: PLC0415

    readiness.add("tls", partial(_look, encryption.certificates))
    async with watch_certificates(encryption.certificates), keep_certificate(encryption.keeper):
        yield
