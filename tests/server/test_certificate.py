import logging
import ssl
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.authority import DAY_S, Authority, new_key, pem_of, store
from trailbase_server.errors import OperatorError
from trailbase_server.server.certificate import MAX_FILE_BYTES, TlsFiles, load_certificate

AUTHORITY = Authority()


@pytest.fixture
def files(tmp_path):
    return TlsFiles(*store(tmp_path, *AUTHORITY.issue("a.test", "b.test", "192.0.2.1")))


def refusal(files):
    with pytest.raises(OperatorError) as caught:
        load_certificate(files)
    message = str(caught.value)
    assert "\n" not in message
    assert "PRIVATE" not in message
    return message


def test_a_certificate_tells_its_names_and_its_time(files):
    found = load_certificate(files)
    assert found.names == ("a.test", "b.test", "192.0.2.1")
    assert found.issuer == "CN=Tests intermediate"
    assert found.not_after - found.not_before == 90 * DAY_S
    assert found.complaint(time.time()) == ""
    assert found.warning(time.time()) == ""


def test_old_versions_and_ciphers_are_not_spoken(files):
    context = load_certificate(files).context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert load_certificate(files, "1.3").context.minimum_version is ssl.TLSVersion.TLSv1_3
    old = [cipher for cipher in context.get_ciphers() if cipher["protocol"] != "TLSv1.3"]
    assert old
    assert all("ECDHE" in cipher["name"] and cipher["aead"] for cipher in old)


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_keys_of_both_kinds_are_taken(tmp_path, kind):
    key, chain = AUTHORITY.issue(key=new_key(kind))
    assert load_certificate(TlsFiles(*store(tmp_path, key, chain))).names


def test_both_may_be_in_one_file(tmp_path):
    key, chain = AUTHORITY.issue("a.test")
    path = tmp_path / "both.pem"
    for parts in ([key, chain], [chain, key]):
        path.write_bytes(b"".join(map(pem_of, parts)))
        assert load_certificate(TlsFiles(path, path)).names == ("a.test",)


@pytest.mark.parametrize("which", ["cert", "key"])
def test_a_missing_file_is_named(files, which):
    path = getattr(files, which)
    path.unlink()
    assert refusal(files).endswith(f'"{path}": No such file or directory')


@pytest.mark.parametrize("which", ["cert", "key"])
@pytest.mark.parametrize(
    "text", [b"", b"nonsense", b"\xff\x00" * 99, b"-----BEGIN CERTIFICATE-----"]
)
def test_nonsense_is_refused_with_the_name_of_the_file(files, which, text):
    path = getattr(files, which)
    path.write_bytes(text)
    assert f'"{path}"' in refusal(files)


def test_a_directory_is_no_file(files):
    files.cert.unlink()
    files.cert.mkdir()
    assert "Is a directory" in refusal(files)


def test_an_endless_file_is_not_read_to_its_end(files):
    files.cert.write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    assert "too large" in refusal(files)


def test_a_chain_that_is_cut_short_is_refused(files):
    whole = files.cert.read_bytes()
    files.cert.write_bytes(whole[:-40])
    assert f'"{files.cert}"' in refusal(files)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(1, 1400))
def test_no_cut_makes_half_a_chain_look_whole(files, at):
    cut = files.cert.with_name("cut.pem")
    cut.write_bytes(files.cert.read_bytes()[:-at])
    try:
        load_certificate(TlsFiles(cut, files.key))
    except OperatorError:
        return
    assert cut.read_bytes().count(b"-----BEGIN") == cut.read_bytes().count(b"-----END")


def test_a_key_of_another_certificate_is_refused(files):
    files.key.write_bytes(pem_of(new_key()))
    message = refusal(files)
    assert "does not belong" in message
    assert str(files.cert) in message
    assert str(files.key) in message


def test_a_chain_in_the_wrong_order_is_refused(tmp_path):
    key, chain = AUTHORITY.issue()
    assert "does not belong to the first" in refusal(TlsFiles(*store(tmp_path, key, chain[::-1])))


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(files):
    key, chain = AUTHORITY.issue()
    files.cert.write_bytes(pem_of(chain))
    files.key.write_bytes(pem_of(key, b"secret"))
    assert "passphrase" in refusal(files)


def test_a_stranger_in_the_chain_is_worth_a_line(tmp_path, caplog):
    key, chain = AUTHORITY.issue()
    stranger = Authority("Others").middle
    load_certificate(TlsFiles(*store(tmp_path, key, [chain[0], stranger])))
    assert "out of order" in caplog.text


def test_a_key_that_everybody_can_read_is_worth_a_line(files, caplog):
    files.key.chmod(0o644)
    load_certificate(files)
    assert "can be read by everybody" in caplog.text


@pytest.mark.parametrize(
    ("start_days", "days", "complaint", "warning"),
    [
        (-100, 90, "expired on", "expires on"),
        (2, 90, "is not valid before", ""),
        (-80, 90, "", "(in 9 days)"),
        (-1, 6, "", ""),
        (-5, 6, "", "(in 0 days)"),
    ],
)
def test_time_is_complained_about_but_never_a_reason_to_refuse(
    tmp_path, caplog, start_days, days, complaint, warning
):
    caplog.set_level(logging.DEBUG)
    issued = AUTHORITY.issue(start_days=start_days, days=days)
    found = load_certificate(TlsFiles(*store(tmp_path, *issued)))
    now = time.time()
    assert found.complaint(now).startswith(complaint)
    assert bool(found.complaint(now)) == bool(complaint)
    assert warning in found.warning(now)
    assert bool(found.warning(now)) == bool(warning)
