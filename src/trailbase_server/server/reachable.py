"""
Whether what a server needs of the network is there: its name, the mail server, buckets, its port.

All is asked at the same time, and for no longer than ``TIMEOUT_S``.
"""

import asyncio
import socket
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trailbase_server.backups.settings import compile_backups
from trailbase_server.config.load import LoadedConfig
from trailbase_server.errors import AppError, NotFoundError, OperatorError
from trailbase_server.mail.settings import DEFAULT_SITE, compile_mail
from trailbase_server.server.checks import NO_KEY
from trailbase_server.server.options import ServerOptions
from trailbase_server.server.sockets import UNIX, open_sockets
from trailbase_server.server.verdict import Level, Verdict

if TYPE_CHECKING:
    from trailbase_server.storage.s3 import S3Options

TIMEOUT_S = 10.0  # as long as a person waits without wondering
LOCAL_HOSTS = frozenset(("localhost", "127.0.0.1", "::1"))

Look = Callable[[], Awaitable[Verdict]]


def check_reachable(
    options: ServerOptions, loaded: LoadedConfig, holder: str | None, *, offline: bool = False
) -> list[Verdict]:
    """
    Ask everything; blocks.

    Args:
        options: Where the server listens, and its URL.
        loaded: The configuration.
        holder: Process id of the server that runs, None if none does.
        offline: Look at the port alone.
    """
    parts: dict[str, Look] = {"port": lambda: _check_port(options.address, holder)}
    if not offline:
        config = loaded.config
        url = options.public_url or config.server.site_url
        parts["site"] = lambda: _check_site(url)
        parts["mail"] = lambda: _check_mail(loaded, url)
        parts["storage"] = lambda: _check_storage(loaded)
        if config.backups.HasField("s3"):
            parts["backup-bucket"] = lambda: _check_backup_bucket(loaded)
    return asyncio.run(_ask(parts))


async def _ask(parts: dict[str, Look]) -> list[Verdict]:
    return list(await asyncio.gather(*(_one(name, look) for name, look in parts.items())))


async def _one(name: str, look: Look) -> Verdict:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await look()
    except TimeoutError:
        return Verdict(name, Level.FAIL, f"no answer within {TIMEOUT_S:g} s")
    except OperatorError as exc:
        return Verdict(name, Level.FAIL, str(exc))
    except AppError as exc:
        return Verdict(name, Level.FAIL, exc.detail or str(exc))
    except OSError as exc:
        return Verdict(name, Level.FAIL, exc.strerror or str(exc))


async def _check_port(address: str, holder: str | None) -> Verdict:
    """A server that runs answers there; without one the address is free."""
    if holder is not None:
        name = f"the server (process {holder})" if holder else "the server"
        if await _is_answered(address):
            return Verdict("port", Level.OK, f"{name} runs and answers on {address}")
        advice = "with --address say where it listens; else look at its log"
        return Verdict("port", Level.WARN, f"{name} runs, but not on {address}", advice)
    if address.startswith(UNIX):
        return Verdict("port", Level.SKIP, "no server runs")
    try:
        for one in open_sockets(address):
            one.close()
    except OperatorError as exc:
        advice = "stop what has it, or choose another --address"
        return Verdict("port", Level.FAIL, f"no server runs, and {exc}", advice)
    return Verdict("port", Level.OK, f"no server runs; {address} is free")


async def _is_answered(address: str) -> bool:
    try:
        if address.startswith(UNIX):
            _, writer = await asyncio.open_unix_connection(address.removeprefix(UNIX))
        else:
            host, _, port = address.rpartition(":")
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except (OSError, ValueError):
        return False
    writer.close()
    return True


async def _check_site(url: str) -> Verdict:
    if not url:
        advice = "set server.site_url: links in mails and logins elsewhere need it"
        return Verdict("site", Level.WARN, "there is no site URL", advice)
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as exc:
        return Verdict("site", Level.FAIL, f"{host}: {exc.strerror}", "look at the DNS of the host")
    addresses = sorted({str(entry[4][0]) for entry in found})
    facts = {"url": url, "addresses": addresses}
    if parts.scheme == "http" and host not in LOCAL_HOSTS:
        advice = "have users come by https: a certificate here, or a proxy in front"
        return Verdict("site", Level.WARN, f"{url} is not encrypted", advice, facts)
    return Verdict("site", Level.OK, f"{host} is {', '.join(addresses)}", facts=facts)


async def _check_mail(loaded: LoadedConfig, url: str) -> Verdict:
    from trailbase_server.mail.smtp import SmtpTransport  # noqa: PLC0415  # when first needed: start-up time

    settings = compile_mail(loaded.config, url or DEFAULT_SITE, loaded.depot)
    transport = settings.transport
    if isinstance(transport, SmtpTransport):
        await transport.probe()
        return Verdict("mail", Level.OK, f"{transport.label} lets us in")
    if transport.is_outward:
        return Verdict("mail", Level.OK, f"goes through {transport.label}")
    advice = "set email.smtp_host: accounts are confirmed and passwords reset by mail"
    return Verdict("mail", Level.WARN, transport.label, advice)


async def _check_storage(loaded: LoadedConfig) -> Verdict:
    if not loaded.config.server.HasField("s3_storage_config"):
        return Verdict("storage", Level.SKIP, "uploads are kept in the depot")
    from trailbase_server.storage.open import bucket_options  # noqa: PLC0415  # start-up time

    return await _check_bucket("storage", bucket_options(loaded.config.server))


async def _check_backup_bucket(loaded: LoadedConfig) -> Verdict:
    bucket = compile_backups(loaded.config, loaded.depot).bucket
    if bucket is None:
        return Verdict("backup-bucket", Level.SKIP, "there is none")
    return await _check_bucket("backup-bucket", bucket)


async def _check_bucket(name: str, options: "S3Options") -> Verdict:
    from trailbase_server.storage.s3 import S3Storage  # noqa: PLC0415  # start-up time

    with tempfile.TemporaryDirectory() as spool:
        storage = S3Storage(options, Path(spool))
        try:
            found = await storage.open(NO_KEY)
            await found.close()
        except NotFoundError:
            pass  # it answers; a missing bucket only shows in a list
        async for _ in storage.list():
            break
        await storage.close()
    return Verdict(name, Level.OK, f"the bucket {options.bucket} answers")
