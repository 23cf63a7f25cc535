"""People with passkeys: a device of theirs, and the requests of a ceremony."""

import pytest

from tests.passkey_device import Device

ORIGIN = "http://site.auth.test:8080"
PATH = "/passkeys"


@pytest.fixture
def config(config):
    config.passkeys.enabled = True
    return config


@pytest.fixture
def device():
    return Device(ORIGIN)


class Person:
    """Somebody who is logged in, as a client that holds tokens."""

    def __init__(self, server, tokens):
        self.server = server
        self.tokens = tokens

    async def ask(self, method, path, json_body=None, **options):
        headers = {"refresh-token": self.tokens["refresh_token"], **options.pop("headers", {})}
        return await self.server.ask(
            method,
            PATH + path,
            json_body=json_body,
            bearer=self.tokens["auth_token"],
            headers=headers,
            **options,
        )

    async def begin(self, **body):
        return await self.ask("POST", "/register/begin", body)

    async def add(self, device, **changes):
        """Add a passkey; the answer of the last step."""
        begun = await self.begin()
        assert begun.status == 200, begun.text
        credential = device.create(begun.json, **changes)
        return await self.finish(credential)

    async def finish(self, credential, **more):
        return await self.ask("POST", "/register/finish", {"credential": credential, **more})

    async def listed(self):
        answer = await self.ask("GET", "")
        assert answer.status == 200
        return answer.json["passkeys"]


@pytest.fixture
def enter(server):
    """Log somebody in with a password."""

    async def enter(who):
        return Person(server, await server.login(who))

    return enter


@pytest.fixture
async def nora(enter):
    return await enter("nora")


@pytest.fixture
def log_in(server):
    """Log in with a device; ``changes`` spoil what it signs, ``more`` goes along."""

    async def log_in(device, *, more=None, **changes):
        begun = await server.post(f"{PATH}/login/begin", {})
        assert begun.status == 200, begun.text
        credential = device.get(begun.json, **changes)
        return await server.post(f"{PATH}/login/finish", {"credential": credential, **(more or {})})

    return log_in
