"""A real mail server in a process of its own, for the tests of everything that mails."""

import asyncio
import email
import email.policy
import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

PROGRAM = Path(__file__).parent / "mail" / "smtp_server.py"
WAIT_S = 10


class MailServer:
    """The process; ``stop`` and ``start`` keep port and mails."""

    def __init__(self, directory, **options):
        self.options = {"mode": "none", "directory": str(directory), **options}
        self.directory = directory
        self.process = None
        self.start()
        self.options["port"] = self.port

    def start(self):
        self.process = subprocess.Popen(
            [sys.executable, PROGRAM, json.dumps(self.options)], stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline())

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    @property
    def mails(self):
        return [json.loads(path.read_text()) for path in sorted(self.directory.glob("*.json"))]

    async def wait(self, count=1):
        """The mails, once there are this many."""
        end = time.monotonic() + WAIT_S
        while len(self.mails) < count:
            assert time.monotonic() < end, f"{len(self.mails)} mails instead of {count}"
            await asyncio.sleep(0.01)
        return [read_mail(mail) for mail in self.mails]


def read_mail(mail):
    message = email.message_from_string(mail["content"], policy=email.policy.default)
    html = message.get_body(("html",)).get_content()
    plain = message.get_body(("plain",)).get_content()
    return SimpleNamespace(**mail, message=message, html=html, plain=plain)
