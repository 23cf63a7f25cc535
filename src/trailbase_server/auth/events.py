"""What happens to accounts, counted for the metrics: how often, never whose."""

from typing import Literal, get_args

AuthEvent = Literal[
    "session",
    "password_wrong",
    "password_locked",
    "second_factor_wrong",
    "second_factor_locked",
    "refresh",
    "refresh_refused",
    "registration",
]
"""
``session``: one was opened, whichever way somebody has logged in. ``password_…``: a password was
wrong (or there is no such account), or was not even compared because too many were wrong.
``second_factor_…``: the same of codes. ``refresh…``: a new auth token for a session, or none since
it is over. ``registration``: a new account with a password.
"""


class AuthEvents:
    """
    Counts since the start.

    Attributes:
        counts: By event; each is there from the beginning.
    """

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[AuthEvent, int] = dict.fromkeys(get_args(AuthEvent), 0)

    def count(self, event: AuthEvent) -> None:
        """Count one."""
        self.counts[event] += 1
