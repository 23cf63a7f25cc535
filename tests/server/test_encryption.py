import asyncio

import pytest

from tests.authority import Authority, pem_of, store
from trailbase_server.errors import OperatorError
from trailbase_server.server.encryption import prepare_encryption, run_encryption
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.ready import Readiness

AUTHORITY = Authority()
ACME = {"acme_domain": ("a.test",), "http_redirect_address": "127.0.0.1:0"}


def prepare(depot, **options):
    return prepare_encryption(ServerOptions(depot=depot, **options))


def test_nobody_asked_for_tls(tmp_path):
    assert prepare(tmp_path) is None
    with pytest.raises(OperatorError, match="needs TLS"):
        prepare(tmp_path, http_redirect_address="127.0.0.1:0")


def test_the_operators_files_are_loaded(tmp_path):
    cert, key = store(tmp_path / "elsewhere", *AUTHORITY.issue("a.test"))
    found = prepare(tmp_path, tls_cert=cert, tls_key=key)
    assert found.keeper is None
    assert found.certificates.certificate.names == ("a.test",)


def test_an_authority_may_come_before_the_first_certificate(tmp_path):
    found = prepare(tmp_path, **ACME)
    assert found.keeper is not None
    assert found.certificates.certificate is None


def test_an_earlier_certificate_of_the_authority_is_loaded(tmp_path):
    key, chain = AUTHORITY.issue("a.test")
    folder = tmp_path / "secrets" / "certs"
    folder.mkdir(parents=True)
    path = folder / "acme-v02-api-letsencrypt-org-directory.pem"
    path.write_bytes(pem_of(key) + pem_of(chain))
    assert prepare(tmp_path, **ACME).certificates.certificate.names == ("a.test",)


async def test_what_runs_ends_with_the_block(tmp_path):
    store(tmp_path / "secrets" / "certs", *AUTHORITY.issue("a.test"))
    before = asyncio.all_tasks()
    for encryption in (None, prepare(tmp_path)):
        async with run_encryption(encryption, Readiness()):
            assert (asyncio.all_tasks() > before) == (encryption is not None)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before


@pytest.mark.parametrize(("start_days", "status"), [(-1, "ready"), (-100, "degraded")])
async def test_readiness_tells_how_the_certificate_does(tmp_path, start_days, status):
    issued = AUTHORITY.issue("a.test", start_days=start_days)
    store(tmp_path / "secrets" / "certs", *issued)
    readiness = Readiness()
    async with run_encryption(prepare(tmp_path), readiness):
        found, findings = await readiness.look()
    await readiness.close()
    assert found == status
    assert findings["tls"].facts["names"] == ["a.test"]
    assert findings["tls"].facts["not_after"] == issued[1][0].not_valid_after_utc.timestamp()
    assert ("expired" in findings["tls"].message) == (status == "degraded")
