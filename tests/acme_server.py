"""Pebble, the test authority of Let's Encrypt, with a DNS server that knows this machine only."""

import contextlib
import json
import os
import re
import shutil
import ssl
import subprocess
import time
import urllib.request

import pytest

from tests.authority import Authority, pem_of, store
from tests.serving import ROOT, free_port

START_TIMEOUT_S = 20
BLOCKED = "blocked.test"


def _find(name):
    beside = ROOT / ".cache" / "bin" / name
    return str(beside) if beside.exists() else shutil.which(name)


PROGRAMS = [_find("pebble"), _find("pebble-challtestsrv")]
needs_pebble = pytest.mark.skipif(
    None in PROGRAMS, reason="pebble is missing: scripts/parts installs it where there is Go"
)


def _resolver_options(program, names, management):
    """Answer names and do nothing else; versions differ in what else there is to switch off."""
    text = subprocess.run([program, "-help"], capture_output=True, text=True, check=False).stderr
    known = set(re.findall(r"^  -(\w+)", text, re.MULTILINE))
    off = {"http01", "https01", "tlsalpn01", "doh", "defaultIPv6"} & known
    resolve = "dnsserver" if "dnsserver" in known else "dns01"
    given = {resolve: f"127.0.0.1:{names}", "management": f"127.0.0.1:{management}"}
    return [f"-{name}={value}" for name, value in {**dict.fromkeys(off, ""), **given}.items()]


class Pebble:
    """
    A running authority. It looks for challenges at ``http_port`` of this machine.

    Attributes:
        directory: Its URL.
        ca_file: Who vouches for its own server.
    """

    def __init__(self, folder, http_port=None, *, life_s=90 * 86_400, port=None):
        self.http_port = http_port or free_port()
        self.port = port or free_port()
        self.directory = f"https://localhost:{self.port}/dir"
        self.ca_file = folder / "ca.pem"
        self._folder = folder
        self._life_s = life_s
        self._management = free_port()
        self._processes = []
        self._authority = Authority("Pebble's own")
        self.ca_file.write_bytes(pem_of(self._authority.root))

    def __enter__(self):
        folder, names, lookup = self._folder, free_port(), free_port()
        cert, key = store(folder, *self._authority.issue("localhost", "127.0.0.1"))
        config = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": str(cert),
            "privateKey": str(key),
            "httpPort": self.http_port,
            "tlsPort": free_port(),
            "domainBlocklist": [BLOCKED],
            "keyAlgorithm": "ecdsa",
            "retryAfter": {"authz": 1, "order": 1},
            "profiles": {"default": {"description": "", "validityPeriod": self._life_s}},
            "certificateValidityPeriod": self._life_s,  # how version 2.4, Debian's, calls it
        }
        (folder / "pebble.json").write_text(json.dumps({"pebble": config}))
        pebble, resolver = PROGRAMS
        self._start([resolver, *_resolver_options(resolver, names, lookup)])
        self._start([pebble, f"-config={folder / 'pebble.json'}", f"-dnsserver=127.0.0.1:{names}"])
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes.clear()

    def _wait_until_ready(self):
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end:
            try:
                self.ask(self.directory)
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self._folder / "pebble.log").read_text())

    def ask(self, url):
        context = ssl.create_default_context(cafile=self.ca_file)
        with urllib.request.urlopen(url, context=context, timeout=5) as answer:
            return answer.read()

    def trust(self):
        """What a client has that trusts what this authority signs."""
        root = self.ask(f"https://localhost:{self._management}/roots/0")
        return ssl.create_default_context(cadata=root.decode())

    def _start(self, command):
        environment = {
            **os.environ,
            "PEBBLE_VA_NOSLEEP": "1",
            "PEBBLE_AUTHZREUSE": "0",
            "PEBBLE_WFE_NONCEREJECT": "0",  # else one good request of twenty, by chance
        }
        with contextlib.ExitStack() as stack:
            log = stack.enter_context((self._folder / "pebble.log").open("ab"))
            self._processes.append(
                subprocess.Popen(command, stdout=log, stderr=log, env=environment)
            )
