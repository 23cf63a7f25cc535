"""
A real SMTP server in a process of its own: ``python smtp_server.py OPTIONS_AS_JSON``.

Prints its port, then keeps each mail as a JSON file in ``directory``. Options: ``port``, ``mode``
(``none``, ``starttls``, ``tls``), ``certificate``, ``key``, ``username``, ``password``; recipients
whose name begins with a number such as ``550`` are answered with it.
"""

import asyncio
import json
import ssl
import sys
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult


class Keeper:
    def __init__(self, options):
        self.directory = Path(options["directory"])
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802
        code = address[:3]
        if code.isdigit():
            return f"{code} not to this one"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if b"poison" in envelope.content:
            return "554 not this text"
        self.count += 1
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode("ascii"),
            "login": session.auth_data,
            "host": session.host_name,
            "tls": server.transport.get_extra_info("sslcontext") is not None,
        }
        part = self.directory / f"{self.count:04}.part"
        part.write_text(json.dumps(mail))
        part.rename(part.with_suffix(".json"))
        return "250 kept"


def build(options):
    keeper = Keeper(options)
    context = None
    if options["mode"] != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options["certificate"], options["key"])

    def check(server, session, envelope, mechanism, data):
        given = [data.login.decode(), data.password.decode()]
        is_right = given == [options["username"], options["password"]]
        return AuthResult(success=is_right, handled=False, auth_data=given)

    has_user = "username" in options
    more = {
        "authenticator": check if has_user else None,
        "auth_required": has_user,
        "auth_require_tls": options["mode"] == "starttls",
        "hostname": "mock.test",
    }
    if options["mode"] == "starttls":
        return (lambda: SMTP(keeper, tls_context=context, require_starttls=True, **more)), None
    return (lambda: SMTP(keeper, **more)), context


async def main():
    options = json.loads(sys.argv[1])
    make, context = build(options)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, "127.0.0.1", options.get("port", 0), ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
