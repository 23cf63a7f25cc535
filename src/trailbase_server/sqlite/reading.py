"""A reading connection that is never busy for longer than its budget."""

from time import perf_counter

import apsw

from trailbase_server.db.errors import OverBudgetError
from trailbase_server.db.values import Params, Row
from trailbase_server.sqlite.budget import STEPS_PER_CHECK, Budget
from trailbase_server.sqlite.errors import compile_error, translate_error
from trailbase_server.sqlite.open import DatabaseFiles, open_connection
from trailbase_server.sqlite.vectors import load_vectors, needs_vectors


class BudgetedConnection:
    """
    Open a database for reading.

    Args:
        files: What to open.
        budget_s: Longest time of one statement, in seconds.
    """

    def __init__(self, files: DatabaseFiles, budget_s: float) -> None:
        self.connection = open_connection(files, "reader")
        self._cursor = self.connection.cursor()
        self._budget = Budget(budget_s)
        self.connection.set_progress_handler(self._budget.is_over, STEPS_PER_CHECK)

    def read(self, sql: str, params: Params) -> list[Row]:
        """Run one statement to completion; ``OverBudgetError`` when it took too long."""
        self._budget.started = perf_counter()
        try:
            return self._cursor.execute(sql, params).fetchall()
        except apsw.InterruptError as exc:
            raise OverBudgetError(sql) from exc
        except apsw.BusyError as exc:
            raise OverBudgetError(sql) from exc
        except Exception as exc:  # noqa: BLE001  # translated and raised again
            return self._retry(sql, params, exc)

    def _retry(self, sql: str, params: Params, exc: Exception) -> list[Row]:
        if isinstance(exc, apsw.SQLError) and needs_vectors(str(exc)):
            load_vectors(self.connection)
            return self.read(sql, params)
        error = self.prepare_error(sql)
        raise translate_error(exc, compiles=error is None) from exc

    def prepare_error(self, sql: str) -> str | None:
        """Compile a statement without running it."""
        self._budget.started = perf_counter()
        error = compile_error(self.connection, sql)
        if error is not None and needs_vectors(error):
            load_vectors(self.connection)
            return self.prepare_error(sql)
        return error
