"""
The data that every contender starts with, as plain values: same numbers, same texts, same order.

The user who sends the load is the first one and a member of every second room.
"""

from collections.abc import Iterator
from dataclasses import dataclass

USERS = 100
ROOMS = 20
MESSAGES = 10_000
NOTICES = 10_000
EMAIL = "load@chat.example"
PASSWORD = "a-load-of-requests"
TEXT = "a message of ordinary length, as people write them"


@dataclass(frozen=True, slots=True)
class Message:
    """A message or notice, by numbers that start at 0."""

    number: int
    owner: int
    room: int
    data: str


def members() -> Iterator[tuple[int, int]]:
    """Pairs of user and room: half of the rooms each."""
    for user in range(USERS):
        for room in range(ROOMS):
            if (user + room) % 2 == 0:
                yield user, room


def messages(count: int) -> Iterator[Message]:
    """Messages spread evenly over rooms, each by a member of its room."""
    for number in range(count):
        room = number % ROOMS
        owner = (2 * number + room) % USERS
        yield Message(number, owner, room, f"{TEXT} {number}")


def is_load_users(room: int) -> bool:
    """Answer whether the user who sends the load is in that room."""
    return room % 2 == 0
