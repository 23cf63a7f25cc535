"""A depot with a hand-written configuration."""

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
