"""
Collect row changes while a write job runs; hand them over after the commit.

The preupdate hook sees every row that a statement, trigger or cascade touches. It only appends to a
list: work in the hook would be work inside the user's statement, and an exception there would abort
it. A job that is undone drops its part of the list (``mark`` / ``drop``).
"""

from typing import Any

import apsw

from trailbase_server.db.base import Action, Change

_ACTIONS: dict[str, Action] = {"INSERT": "insert", "UPDATE": "update", "DELETE": "delete"}


class ChangeLog:
    """
    The changes of the turn that is running.

    Args:
        connection: The writer.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._changes: list[Change] = []
        self.active = False

    def start(self) -> None:
        """Collect from now on. Costs about a microsecond per changed row."""
        if not self.active:
            self.active = True
            self._connection.preupdate_hook(self._seen, id=self)
            # A DELETE without WHERE that was prepared earlier would truncate without telling.
            self._connection.cache_flush()

    def stop(self) -> None:
        """Stop collecting."""
        if self.active:
            self.active = False
            self._connection.preupdate_hook(None, id=self)
            self._changes.clear()

    def mark(self) -> int:
        """Where a job starts."""
        return len(self._changes)

    def drop(self, mark: int) -> None:
        """Forget everything since ``mark``."""
        del self._changes[mark:]

    def take(self) -> list[Change]:
        """The changes of the committed turn, in order."""
        changes, self._changes = self._changes, []
        return changes

    def _seen(self, update: Any) -> None:
        action = _ACTIONS[update.op]
        try:
            values = update.old if action == "delete" else update.new
        except Exception:  # noqa: BLE001  # an error here would abort the user's statement
            values = ()
        rowid = update.rowid if action == "delete" else update.rowid_new
        self._changes.append(
            Change(action, update.database_name, update.table_name, rowid, values, update.rowid)
        )
