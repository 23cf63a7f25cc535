"""What can go wrong with backups, in words for operators."""

from trailbase_server.errors import AppError, ConflictError, PreconditionError


class BackupError(AppError):
    """A backup, or a restore, did not succeed; the message says why: 500."""

    status = 500

    def __init__(self, message: str) -> None:
        super().__init__(f"Backup: {message}")
        self.reason = message


class UnknownBackupError(PreconditionError):
    """
    There is no such backup: 412.

    Args:
        timestamp: Its name.
    """

    def __init__(self, timestamp: int) -> None:
        super().__init__(f"precondition failed: there is no backup {timestamp}")


class DisabledBackupsError(PreconditionError):
    """The configuration wants none: 412."""

    def __init__(self) -> None:
        super().__init__("precondition failed: Backups disabled. Window size explicitly set to 0")


class UnsuitableBackupError(PreconditionError):
    """
    The backup cannot be restored here: broken, newer, or made for another configuration: 412.

    Args:
        problems: One sentence each.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("precondition failed: " + "\n".join(problems))
        self.problems = problems


class BusyShelfError(ConflictError):
    """Another backup or restore is being made right now: 409."""

    def __init__(self) -> None:
        super().__init__("another backup or restore is running")


class StoppedError(Exception):
    """Whoever wanted the work does not want it any more."""
