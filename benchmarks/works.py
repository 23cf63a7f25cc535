"""
What is measured, with the goals.

A goal is a ratio to PocketBase on the same machine in the same run; absolute figures say more about
the machine than about the program.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """
    One kind of request under load.

    Attributes:
        name: For ``--only``; the contenders know by it which calls to make.
        title: For the table.
        connections: Open at the same time.
        durability: ``FULL`` and ``NORMAL`` are measured apart where it matters.
        goal: At least this many times PocketBase's throughput; None where no goal was set.
    """

    name: str
    calls: str
    title: str
    connections: int
    goal: float | None
    durability: str = "FULL"


WORKS = (
    Work("read_64", "read", "read by key with a membership rule, 64 connections", 64, 12),
    Work("public_64", "public", "read by key on a public table, 64 connections", 64, 7),
    Work("insert_64", "insert", "insert with a membership rule, 64 connections", 64, 16),
    Work("insert_64_normal", "insert", "the same, `NORMAL`", 64, 20, "NORMAL"),
    Work("insert_8", "insert", "the same, 8 connections", 8, 12),
    Work("insert_8_normal", "insert", "the same, 8 connections, `NORMAL`", 8, None, "NORMAL"),
    Work("insert_1", "insert", "the same, 1 connection", 1, None),
    Work("insert_1_normal", "insert", "the same, 1 connection, `NORMAL`", 1, 4.5, "NORMAL"),
    Work("list_16", "list", "list 20 rows with filter, order, expand, 16 connections", 16, 7),
    Work("list_public_16", "list_public", "list 20 rows of a public table, 16 connections", 16, 5),
    Work("login_4", "login", "log-in, 4 connections", 4, 3.5),
)

START_GOAL_MS = 250
IDLE_GOAL_MIB = 70
LOADED_GOAL_MIB = 110
WAL_GOAL_MIB = 64
P99_GOAL_MS = 12
"""At 64 connections."""

BESIDE_LOGINS_GOAL = 0.8
"""Share of the reads per second that is left while four connections log in."""
