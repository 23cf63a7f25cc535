"""
The configuration that runs, and the only ways to replace it: an update and a reload.

An update is written to disk before it runs, so a disk that refuses leaves everything as it was. A
reload reads what an operator wrote by hand and never writes. Whatever follows the configuration
subscribes; it is told after the swap, in the order of subscription.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping

from trailbase_server.config.check import check_config
from trailbase_server.config.load import LoadedConfig, load_config, report
from trailbase_server.config.problem import Problem
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.config.store import merge_update, store_config
from trailbase_server.errors import BadRequestError, ConflictError, PreconditionError

log = logging.getLogger(__name__)

Validator = Callable[[Config], list[Problem]]
Subscriber = Callable[[LoadedConfig], Awaitable[None] | None]


class ConfigHolder:
    """
    The one place that knows the current configuration.

    Args:
        loaded: What ``load_config`` returned.
        environ: Variables of the process; they win over every update.
        validators: Checks that need more than the configuration, such as the schema.
        readonly: Refuse updates; reloads go on.
    """

    def __init__(
        self,
        loaded: LoadedConfig,
        environ: Mapping[str, str],
        validators: Iterable[Validator] = (),
        *,
        readonly: bool = False,
    ) -> None:
        self.loaded = loaded
        self.readonly = readonly
        self._environ = dict(environ)
        self._validators: list[Validator] = [check_config, *validators]
        self._subscribers: list[Subscriber] = []
        self._turn = asyncio.Lock()

    @property
    def config(self) -> Config:
        """What runs, with secrets; not to be changed."""
        return self.loaded.config

    @property
    def hash(self) -> str:
        """Mark of what runs."""
        return self.loaded.hash

    def add_validator(self, validator: Validator) -> None:
        """Add a check, for those who can check only after the start has gone further."""
        self._validators.append(validator)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Have a function called with every configuration that comes to run from now on."""
        self._subscribers.append(subscriber)

    def find_problems(self, config: Config) -> list[Problem]:
        """Run all checks."""
        return [problem for validate in self._validators for problem in validate(config)]

    def check(self) -> None:
        """
        Check what runs, at the end of a start.

        Raises:
            OperatorError: All that is wrong with it.
        """
        problems = self.find_problems(self.config)
        if problems:
            raise report(problems, self.loaded)

    async def update(self, update: Config, expected_hash: str | None) -> None:
        """
        Replace the configuration and write it to disk.

        Args:
            update: Complete; ``<REDACTED>`` stands for secrets that stay as they are.
            expected_hash: Mark of the configuration it was made from; None if it was made just now,
                by the server itself.

        Raises:
            PreconditionError: Updates are switched off, or the file is read-only.
            BadRequestError: Something is wrong with it; the message tells all problems.
            ConflictError: Another update, or an edit by hand, was quicker.
            UnavailableError: The disk is full or broken.

        Spec:
            server/reading-updating-hash-protection
        """
        if self.readonly:
            raise PreconditionError("precondition failed: the configuration is read-only")
        # Once begun it is finished, even if the request that wants it is given up: what is on disk
        # and what runs must not drift apart.
        task = asyncio.ensure_future(self._update(update, expected_hash))
        await asyncio.shield(task)

    async def _update(self, update: Config, expected_hash: str | None) -> None:
        async with self._turn:
            loaded = self.loaded
            config, own, overrides, problems = merge_update(loaded, update, self._environ)
            problems = problems or self.find_problems(config)
            if problems:
                lines = "\n".join(f"{problem.path}: {problem.message}" for problem in problems)
                raise BadRequestError(f"Config: Valiation error: {lines}")
            if expected_hash is not None and expected_hash != loaded.hash:
                raise ConflictError(
                    "Config: Update error: Config update failed: mismatching or stale hash"
                )
            stored = await asyncio.to_thread(store_config, loaded, config, own, overrides)
            await self._install(stored)

    async def reload(self) -> None:
        """
        Read the files again. Never writes.

        Raises:
            OperatorError: All that is wrong with them; the configuration before goes on.

        Spec:
            server/sighup-unix-run-only
        """
        async with self._turn:
            depot = self.loaded.depot
            loaded = await asyncio.to_thread(load_config, depot, self._environ, create=False)
            problems = self.find_problems(loaded.config)
            if problems:
                raise report(problems, loaded)
            await self._install(loaded)

    async def _install(self, loaded: LoadedConfig) -> None:
        self.loaded = loaded
        for subscriber in self._subscribers:
            try:
                waiting = subscriber(loaded)
                if waiting is not None:
                    await waiting
            except Exception:  # the edge: one follower must not keep the others
                log.exception("a follower of the configuration failed")
