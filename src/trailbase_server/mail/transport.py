"""A way out for mails: what each of them offers, and how it says that it could not."""

from typing import Protocol

from trailbase_server.errors import DependencyError
from trailbase_server.mail.envelope import Envelope

PROGRAM_LABEL = "system's sendmail"


class SendError(DependencyError):
    """
    A mail was not taken.

    Args:
        reason: For logs, operators and the status of the outbox; never for users.
        is_permanent: Trying again cannot help.
    """

    def __init__(self, reason: str, *, is_permanent: bool = False) -> None:
        super().__init__(detail=reason)
        self.reason = reason
        self.is_permanent = is_permanent


class Transport(Protocol):
    """
    One way out.

    Attributes:
        label: What to call it towards operators; without secrets.
        is_outward: Mails leave the program: that takes time and may fail, so they go through the
            outbox.
    """

    @property
    def label(self) -> str:
        """See above."""
        ...

    @property
    def is_outward(self) -> bool:
        """See above."""
        ...

    async def send(self, envelope: Envelope) -> None:
        """
        Hand a mail over.

        Raises:
            SendError: It was not taken.
        """
        ...
