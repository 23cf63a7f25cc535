"""A certificate authority of the tests' own: a root, an intermediate, and what servers get."""

import datetime as dt
import ipaddress
import ssl
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

DAY_S = 86_400


def new_key(kind="ec"):
    if kind == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1())


def pem_of(thing, passphrase=None):
    """A key or certificates as PEM."""
    if isinstance(thing, list):
        return b"".join(map(pem_of, thing))
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM)
    protection = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    return thing.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection
    )


def _at(seconds):
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _sign(subject, public_key, issuer, issuer_key, start, end, *extensions):
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_at(start))
        .not_valid_after(_at(end))
    )
    own = x509.SubjectKeyIdentifier.from_public_key(public_key)
    theirs = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    for extension, is_critical in (*extensions, (own, False), (theirs, False)):
        builder = builder.add_extension(extension, is_critical)
    return builder.sign(issuer_key, hashes.SHA256())


def _is_authority(key):
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (x509.BasicConstraints(ca=True, path_length=None), True), (usage, True)


class Authority:
    """A root that signs an intermediate, which signs for servers."""

    def __init__(self, name="Tests"):
        now = time.time()
        self._root_key, self._middle_key = new_key(), new_key()
        root, middle = _name(f"{name} root"), _name(f"{name} intermediate")
        start, end = now - 1000 * DAY_S, now + 1000 * DAY_S
        self.root = _sign(
            root,
            self._root_key.public_key(),
            root,
            self._root_key,
            start,
            end,
            *_is_authority(self._root_key),
        )
        self.middle = _sign(
            middle,
            self._middle_key.public_key(),
            root,
            self._root_key,
            start,
            end,
            *_is_authority(self._middle_key),
        )

    def issue(self, *names, key=None, days=90, start_days=-1, hosts=("localhost", "127.0.0.1")):
        """A key and the chain of a server: its own certificate and the intermediate one."""
        key = key or new_key()
        start = time.time() + start_days * DAY_S
        own = _sign(
            _name((names or hosts)[0]),
            key.public_key(),
            self.middle.subject,
            self._middle_key,
            start,
            start + days * DAY_S,
            (x509.SubjectAlternativeName([_general(name) for name in names or hosts]), False),
            (x509.BasicConstraints(ca=False, path_length=None), True),
        )
        return key, [own, self.middle]

    def client_context(self):
        """What a client has that trusts the root and nobody else."""
        return ssl.create_default_context(cadata=pem_of(self.root).decode())


def _general(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def store(folder, key, chain, *, cert="cert.pem", key_name="key.pem"):
    """Write the two files as an operator does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / cert).write_bytes(pem_of(chain))
    (folder / key_name).touch(0o600)
    (folder / key_name).write_bytes(pem_of(key))
    return folder / cert, folder / key_name
