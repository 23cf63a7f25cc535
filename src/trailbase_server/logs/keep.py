"""
Which entries of the access log are written.

Decided in the writer's thread, so that requests do not pay. Answers that are errors are written
even where only a sample is wanted: they are what one looks for.
"""

from dataclasses import dataclass, field

from trailbase_server.web.log_entry import STATUS, URL, LogEntry
from trailbase_server.web.request_id import FIRST_ERROR


@dataclass(slots=True)
class Keep:
    """
    What to write.

    Attributes:
        disabled: Nothing.
        excluded: Paths that are left out: whole ones, or beginnings that end in ``*``.
        share: Of the entries that are no errors, 0 to 1; taken evenly.
        max_bytes: Size of the database above which the oldest rows go; None: any.
    """

    disabled: bool = False
    excluded: tuple[str, ...] = ()
    share: float = 1.0
    max_bytes: int | None = None
    _paths: frozenset[str] = field(init=False, repr=False)
    _beginnings: tuple[str, ...] = field(init=False, repr=False)
    _owed: float = field(init=False, default=0.0, repr=False)

    def __post_init__(self) -> None:
        self._beginnings = tuple(one[:-1] for one in self.excluded if one.endswith("*"))
        self._paths = frozenset(one for one in self.excluded if not one.endswith("*"))

    def __call__(self, entries: list[LogEntry]) -> list[LogEntry]:
        """Choose among entries, in their order."""
        if self.disabled:
            return []
        if self.excluded:
            entries = [entry for entry in entries if not self._is_excluded(entry[URL])]
        if self.share < 1:
            entries = [entry for entry in entries if self._is_in_sample(entry)]
        return entries

    def _is_excluded(self, url: str) -> bool:
        path = url.partition("?")[0]
        return path in self._paths or path.startswith(self._beginnings)

    def _is_in_sample(self, entry: LogEntry) -> bool:
        if entry[STATUS] >= FIRST_ERROR:
            return True
        self._owed += self.share
        if self._owed < 1:
            return False
        self._owed -= 1
        return True


KEEP_ALL = Keep()
