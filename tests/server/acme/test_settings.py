from pathlib import Path

import pytest

from trailbase_server.errors import OperatorError
from trailbase_server.server.acme.settings import MAX_DOMAINS, compile_settings
from trailbase_server.server.options import ServerOptions


def settings(*domains, **options):
    given = {"http_redirect_address": "0.0.0.0:80", "acme_domain": domains or ("a.test",)}
    return compile_settings(ServerOptions(depot=Path("here"), **{**given, **options}))


def refusal(*domains, **options):
    with pytest.raises(OperatorError) as caught:
        settings(*domains, **options)
    return str(caught.value)


def test_without_a_domain_there_is_nothing_to_do():
    assert settings(acme_domain=()) is None


def test_names_are_put_into_the_form_of_certificates():
    given = ("A.Test", "b.test.", "a.test", "bücher.test")
    assert settings(*given).domains == ("a.test", "b.test", "xn--bcher-kva.test")


@pytest.mark.parametrize(
    "name",
    [
        *("", "localhost", "192.0.2.1", "::1", "*.a.test", "a.test/x", "a b.test", "-a.test"),
        *(
            "a..test",
            "a.test:80",
            "https://a.test",
            "x" * 64 + ".test",
            "a." * 130 + "test",
            "ü" * 99,
        ),
    ],
)
def test_what_no_authority_certifies_over_http_is_refused(name):
    assert repr(name)[1:-1] in refusal("ok.test", name)


def test_a_certificate_has_room_for_so_many_names():
    names = [f"n{number}.test" for number in range(MAX_DOMAINS + 1)]
    assert str(MAX_DOMAINS) in refusal(*names)


def test_each_authority_has_files_of_its_own():
    real, trial = settings(), settings(acme_directory="staging")
    assert real.certificate == Path("here/secrets/certs/acme-v02-api-letsencrypt-org-directory.pem")
    assert len({real.certificate, real.account, trial.certificate, trial.account}) == 4
    assert real.files.cert == real.files.key == real.certificate


def test_directories_have_short_names_or_are_encrypted():
    assert settings(acme_directory="staging").directory.startswith("https://acme-staging")
    assert settings(acme_directory="https://ca.test/dir").directory == "https://ca.test/dir"
    for wrong in ("http://ca.test/dir", "nonsense", "https://", "https://[/"):
        assert wrong in refusal(acme_directory=wrong)


def test_options_that_cannot_work_together_are_refused():
    assert "exclude each other" in refusal(tls_cert=Path("x"))
    assert "--http-redirect-address" in refusal(http_redirect_address=None)
    assert "no mail address" in refusal(acme_email="nobody")
    assert "No such file" in refusal(acme_ca_file=Path("/nowhere"))


def test_authorities_must_be_certificates(tmp_path):
    path = tmp_path / "ca.pem"
    path.write_text("nonsense")
    assert str(path) in refusal(acme_ca_file=path)


def test_the_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr("trailbase_server.server.acme.settings.find_spec", lambda name: None)
    assert "pip install 'trailbase-server[acme]'" in refusal()
