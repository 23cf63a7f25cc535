"""A depot with a hand-written configuration."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

HAND_WRITTEN = """\
# The harbour.
# Ask Nora before changing anything.
email {}
server {
  application_name: "Harbor"  # as on the sign
  site_url: "http://harbor.test"
}
auth {
  auth_token_ttl_sec: 3600
  oauth_providers: [{
    key: "discord"
    value { client_id: "ship" client_secret: "knot-and-sail" provider_id: DISCORD }
  }]
}
jobs {}
record_apis: [{ name: "vessel" table_name: "vessel" acl_world: [READ] }]
"""


@pytest.fixture
def depot(tmp_path):
    (tmp_path / "config.textproto").write_text(HAND_WRITTEN)
    return tmp_path


NOBODY = 65534


@pytest.fixture
def closed_depot():
    """The same for a user to whom permissions matter: tests may run as root, who ignores them."""
    depot = Path(tempfile.mkdtemp())
    (depot / "config.textproto").write_text(HAND_WRITTEN)
    is_root = os.geteuid() == 0
    if is_root:
        for path in (depot, depot / "config.textproto"):
            os.chown(path, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield depot
    finally:
        if is_root:
            os.seteuid(0)
        shutil.rmtree(depot)
