"""Key files: both PKCS#8 versions, lost files, modes, and what is refused."""

import os
import stat
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from trailbase_server.auth.keys import SigningKeys, load_keys, thumbprint
from trailbase_server.auth.retired_keys import RetiredKey
from trailbase_server.errors import OperatorError
from trailbase_server.ids import decode_b64u

SEED = bytes(range(32))

PRIVATE = "private_key.pem"
PUBLIC = "public_key.pem"


def pem(label, der):
    return f"-----BEGIN {label}-----\n{b64encode(der).decode()}\n-----END {label}-----\n"


def der_of(path):
    return b64decode("".join(line for line in path.read_text().split("\n") if "---" not in line))


def test_a_new_pair_is_made_and_found_again(tmp_path):
    made = load_keys(tmp_path / "keys")
    found = load_keys(tmp_path / "keys")
    signature = made.sign(b"message")
    assert found.is_signed(b"message", signature)
    assert not found.is_signed(b"massage", signature)
    assert found.public_pem == (tmp_path / "keys" / PUBLIC).read_text()


@pytest.mark.case("T-94")
def test_files_are_closed_to_others_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        load_keys(tmp_path / "keys")
    finally:
        os.umask(before)
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == [PRIVATE, PUBLIC]
    for path in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_a_version_1_key_of_another_program_is_read(tmp_path):
    key = Ed25519PrivateKey.generate()
    (tmp_path / PRIVATE).write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    keys = load_keys(tmp_path)
    key.public_key().verify(keys.sign(b"m"), b"m")
    assert (tmp_path / PUBLIC).read_bytes() == key.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )


def test_a_new_private_key_is_version_2_as_upstream_writes_it(tmp_path):
    load_keys(tmp_path)
    der = der_of(tmp_path / PRIVATE)
    public = load_pem_public_key((tmp_path / PUBLIC).read_bytes()).public_bytes_raw()
    assert len(der) == 83
    assert der[:5] == bytes.fromhex("3051020101")
    assert der[-32:] == public


def test_a_lost_public_key_is_derived(tmp_path):
    before = load_keys(tmp_path)
    (tmp_path / PUBLIC).unlink()
    assert load_keys(tmp_path).is_signed(b"m", before.sign(b"m"))
    assert (tmp_path / PUBLIC).read_text() == before.public_pem


def test_a_lost_private_key_is_not_replaced(tmp_path):
    load_keys(tmp_path)
    (tmp_path / PRIVATE).unlink()
    with pytest.raises(OperatorError, match="is missing while"):
        load_keys(tmp_path)
    assert not (tmp_path / PRIVATE).exists()


def test_files_of_two_pairs_are_refused(tmp_path):
    load_keys(tmp_path)
    load_keys(tmp_path / "other")
    (tmp_path / "other" / PUBLIC).rename(tmp_path / PUBLIC)
    with pytest.raises(OperatorError, match="does not belong"):
        load_keys(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "schlüssel",
        pem("PRIVATE KEY", b""),
        pem("PRIVATE KEY", b"\x30\x03abc"),
        pem("PRIVATE KEY", bytes.fromhex("302e020100300506032b657004220420") + b"short"),
        pem("PRIVATE KEY", bytes.fromhex("302e020103300506032b657004220420") + bytes(32)),
        pem("PUBLIC KEY", bytes.fromhex("302e020100300506032b657004220420") + bytes(32)),
        "-----BEGIN PRIVATE KEY-----\n====\n-----END PRIVATE KEY-----\n",
    ],
)
def test_a_private_file_that_is_no_key_is_the_operators_to_mend(tmp_path, text):
    (tmp_path / PRIVATE).write_text(text)
    with pytest.raises(OperatorError, match=str(tmp_path)):
        load_keys(tmp_path)


def test_a_public_file_that_is_no_key_is_the_operators_to_mend(tmp_path):
    load_keys(tmp_path)
    (tmp_path / PUBLIC).write_text(pem("PUBLIC KEY", bytes(44)))
    with pytest.raises(OperatorError, match="not an Ed25519 public key"):
        load_keys(tmp_path)


def test_a_directory_in_place_of_a_file_is_the_operators_to_mend(tmp_path):
    (tmp_path / PRIVATE).mkdir()
    with pytest.raises(OperatorError, match="cannot use the keys"):
        load_keys(tmp_path)


def test_processes_that_start_together_agree_on_one_pair(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        pairs = list(pool.map(lambda _: load_keys(tmp_path / "keys"), range(8)))
    assert len({keys.public_pem for keys in pairs}) == 1


def test_secrets_for_other_purposes_are_derived(tmp_path):
    keys = load_keys(tmp_path)
    assert keys.derive(b"cursors") == load_keys(tmp_path).derive(b"cursors")
    assert len(keys.derive(b"cursors")) == 32
    assert keys.derive(b"cursors") != keys.derive(b"others")


def test_a_pair_becomes_another_in_place():
    ours, other = (SigningKeys.of_seed(bytes([n]) * 32) for n in (1, 2))
    before = ours.sign(b"m"), ours.name, ours.derive(b"p")
    ours.adopt(other)
    assert not ours.is_signed(b"m", before[0])
    assert ours.is_signed(b"m", other.sign(b"m"))
    assert (ours.name, ours.derive(b"p")) == (other.name, other.derive(b"p"))
    assert (ours.name, ours.derive(b"p")) != before[1:]


def test_a_key_is_named_as_the_standard_does():
    """The example of RFC 8037, appendix A.3."""
    public = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert thumbprint(decode_b64u(public + "=")) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_retired_keys_verify_until_their_time():
    old = SigningKeys.of_seed(bytes(32))
    keys = SigningKeys(
        SEED, SigningKeys.of_seed(SEED).public_bytes, [RetiredKey(old.public_bytes, 9)]
    )
    signature = old.sign(b"m")
    assert keys.is_signed(b"m", signature, 9)
    assert not keys.is_signed(b"m", signature, 9.5)
    assert not keys.is_signed(b"m", signature)
    assert keys.verifying(9) == [keys.public_bytes, old.public_bytes]
    assert keys.verifying(10) == [keys.public_bytes]
