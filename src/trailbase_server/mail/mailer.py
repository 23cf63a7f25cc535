"""
Where the rest of the program enters: write a letter to somebody, and be done with it.

A letter is rendered with the settings of the moment and handed to the outbox, or, where nothing can
be waited for (developer mode, no way out at all), to the log. Nobody waits for a mail server.
"""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.mail.delivery import Delivery
from trailbase_server.mail.envelope import Envelope
from trailbase_server.mail.letters import Letter, letter_values
from trailbase_server.mail.outbox import Outbox, OutboxStatus
from trailbase_server.mail.settings import MailSettings, compile_mail

if TYPE_CHECKING:
    from trailbase_server.db.base import Database

log = logging.getLogger(__name__)


class MailStatistics(NamedTuple):
    """
    Counts since the start.

    Attributes:
        sent: Mails that a server has taken.
        failed: Attempts that failed.
        given_up: Mails after their last attempt.
        dropped: Mails that were not even written: too many to one address.
    """

    sent: int
    failed: int
    given_up: int
    dropped: int


class Mailer:
    """
    Writes letters; the implementation of the protocol of the same name in ``auth.state``.

    Args:
        database: ``outbox.db``, migrated.
        depot: Directory with templates of one's own.
        clock: Time of mails and attempts.
        dev: Developer mode.
    """

    def __init__(
        self,
        database: "Database",
        depot: Path | None = None,
        clock: Clock = SYSTEM_CLOCK,
        *,
        dev: bool = False,
    ) -> None:
        self._depot = depot
        self._clock = clock
        self._dev = dev
        self._outbox = Outbox(database, clock)
        self._delivery = Delivery(self._outbox, lambda: self.settings.transport, clock)
        self._config = Config()
        self._site_url: str | None = None
        self._settings: MailSettings | None = None
        self._dropped = 0

    @property
    def settings(self) -> MailSettings:
        """Those of the current configuration."""
        if self._settings is None:
            self._settings = compile_mail(self._config, self._site_url, self._depot, dev=self._dev)
        return self._settings

    def configure(self, config: Config, site_url: str | None) -> None:
        """
        Take over a configuration, at start-up and after each change.

        Args:
            config: Checked.
            site_url: The effective one: of the command line, else of the configuration.
        """
        self._config, self._site_url = config, site_url
        # Compiled with the next mail: most changes concern something else.
        self._settings = None
        self._delivery.hurry()

    def start(self) -> None:
        """Begin to deliver; for the process that serves the depot."""
        self._delivery.start()

    async def stop(self) -> None:
        """Stop delivering. What waits is delivered after the next start."""
        await self._delivery.stop()

    async def __call__(self, letter: Letter, to: str, values: Mapping[str, str | None]) -> None:
        """
        Write a letter and have it delivered.

        Args:
            letter: Which.
            to: Address; valid by our own rules.
            values: as ``letters.letter_values`` takes them.

        Raises:
            InvalidAddressError: ``to`` is no address.
            DependencyError: So many mails are waiting that no further one is taken.

        Spec:
            server/failures-and-test-route
        """
        settings = self.settings
        # The first one loads the template engine.
        envelope = await asyncio.to_thread(self._write, settings, letter, to, values)
        if not settings.transport.is_outward:
            await settings.transport.send(envelope)
            return
        outcome = await self._outbox.enqueue(letter, envelope)
        if outcome == "dropped":
            self._dropped += 1
            log.warning("a mail (%s) was dropped: too many to one address", letter)
        self._delivery.wake()

    async def send_now(self, to: str, subject: str, html: str) -> str:
        """
        Send one mail past the outbox, for an operator who waits for the outcome.

        Args:
            to: Recipient.
            subject: One line.
            html: Body.

        Returns:
            What it went through: see ``Transport.label``.

        Raises:
            InvalidAddressError: ``to`` is no address.
            SendError: It was not taken; ``reason`` says why.

        Spec:
            server/failures-and-test-route
        """
        return await send_now(self.settings, to, subject, html, self._clock)

    async def status(self) -> OutboxStatus:
        """What waits and what was given up."""
        return await self._outbox.status()

    @property
    def statistics(self) -> MailStatistics:
        """What has happened since the start."""
        delivery = self._delivery
        return MailStatistics(delivery.sent, delivery.failed, delivery.given_up, self._dropped)

    def _write(
        self, settings: MailSettings, letter: Letter, to: str, given: Mapping[str, str | None]
    ) -> Envelope:
        values = letter_values(
            letter, to=to, app_name=settings.app_name, site=settings.site, given=given
        )
        # Imported when first needed: start-up time.
        from trailbase_server.mail.message import build_message  # noqa: PLC0415

        rendered = settings.letters.render(letter, values)
        return build_message(
            settings.sender, to, rendered.subject, rendered.html, rendered.text, self._clock
        )


async def send_now(
    settings: MailSettings, to: str, subject: str, html: str, clock: Clock = SYSTEM_CLOCK
) -> str:
    """See ``Mailer.send_now``; for commands, which have no outbox."""
    from trailbase_server.mail.message import build_message  # noqa: PLC0415  # as above

    envelope = build_message(settings.sender, to, subject, html, clock=clock)
    await settings.transport.send(envelope)
    return settings.transport.label
