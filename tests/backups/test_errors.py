import pytest

from trailbase_server.backups.errors import (
    BackupError,
    BusyShelfError,
    DisabledBackupsError,
    UnknownBackupError,
    UnsuitableBackupError,
)


@pytest.mark.parametrize(
    ("error", "status", "public"),
    [
        (BackupError("full"), 500, "Backup: full"),
        (UnknownBackupError(5), 412, "precondition failed: there is no backup 5"),
        (
            DisabledBackupsError(),
            412,
            "precondition failed: Backups disabled. Window size explicitly set to 0",
        ),
        (UnsuitableBackupError(["a", "b"]), 412, "precondition failed: a\nb"),
        (BusyShelfError(), 409, "another backup or restore is running"),
    ],
)
def test_administrators_read_what_is_wrong(error, status, public):
    assert (error.status, error.public) == (status, public)
