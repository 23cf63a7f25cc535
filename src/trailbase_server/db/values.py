"""What a database cell can hold."""

from collections.abc import Sequence

SqlValue = None | int | float | str | bytes
"""NULL, INTEGER (64 bit), REAL, TEXT, BLOB."""

Row = tuple[SqlValue, ...]
Params = Sequence[SqlValue]
"""Values for ``?1``, ``?2`` … in order."""
