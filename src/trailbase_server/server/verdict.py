"""How one part of a depot or of its surroundings does, as a program and a person can read it."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

from msgspec import Struct, field

from trailbase_server.errors import AppError, OperatorError


class Level(StrEnum):
    """From good to bad; SKIP: there was nothing to look at."""

    OK = "ok"
    SKIP = "skip"
    WARN = "warn"
    FAIL = "fail"


class Verdict(Struct, frozen=True):
    """
    What was found.

    Attributes:
        name: Of the part: one word.
        level: How it does.
        message: What is the case; never a secret.
        advice: What to do about it; empty where nothing is to be done.
        facts: For programs.
    """

    name: str
    level: Level
    message: str = ""
    advice: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def render(self) -> dict[str, Any]:
        """As a JSON object."""
        return {
            "name": self.name,
            "level": self.level.value,
            "message": self.message,
            "advice": self.advice,
            "facts": self.facts,
        }


def judge(name: str, look: Callable[[], Iterable[Verdict]]) -> list[Verdict]:
    """
    Look at a part; what keeps us from looking is a verdict too.

    Args:
        name: Of the part.
        look: Finds the verdicts.
    """
    try:
        return list(look())
    except OperatorError as exc:
        return [Verdict(name, Level.FAIL, line) for line in str(exc).splitlines()]
    except AppError as exc:
        return [Verdict(name, Level.FAIL, exc.detail or str(exc))]
    except OSError as exc:
        return [Verdict(name, Level.FAIL, f"{exc.filename or name}: {exc.strerror or exc}")]


def is_good(verdicts: Iterable[Verdict], *, strict: bool = False) -> bool:
    """Is nothing wrong, or, if strict, is there nothing to be warned of either?"""
    bad = (Level.FAIL, Level.WARN) if strict else (Level.FAIL,)
    return not any(verdict.level in bad for verdict in verdicts)
