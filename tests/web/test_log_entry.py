"""Names and places of what is in an entry of the access log."""

from typing import get_args

import pytest

from trailbase_server.web import log_entry
from trailbase_server.web.log_entry import LogEntry, LogFields

ENTRY = (
    *(1.5, 200, "GET", "/", 0.25, "192.0.2.7", b"/from", b"kit/1", None),
    *(b"trail.test", "1.1", "", None),
)


def test_every_member_has_a_name():
    assert len(get_args(LogEntry)) == len(LogFields._fields) == len(ENTRY)


@pytest.mark.parametrize("name", ["STATUS", "URL", "REFERER", "USER_AGENT", "HOST"])
def test_a_place_is_that_of_its_name(name):
    assert ENTRY[getattr(log_entry, name)] == getattr(LogFields(*ENTRY), name.lower())


def test_entries_become_columns():
    columns = LogFields(*zip(ENTRY, ENTRY, strict=True))
    assert columns.referer == (b"/from", b"/from")
