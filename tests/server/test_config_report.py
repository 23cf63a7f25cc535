"""Mistakes of a configuration, stage by stage, each with its place."""

import pytest

from trailbase_server.errors import OperatorError
from trailbase_server.server.config_report import find_mistakes

HEAD = 'server { application_name: "Pond" }\n'


@pytest.fixture
def find(tmp_path):
    def run(config, **environ):
        folder = tmp_path / "migrations" / "main"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "U1790000000__fish.sql").write_text(
            "CREATE TABLE fish (id INTEGER PRIMARY KEY) STRICT; CREATE TABLE net (x) "
        )
        (tmp_path / "config.textproto").write_bytes(config.encode("latin-1"))
        before = sorted(tmp_path.rglob("*"))
        found = find_mistakes(tmp_path, environ)
        assert sorted(tmp_path.rglob("*")) == before
        return [str(mistake) for mistake in found]

    return run


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (HEAD, []),
        (
            "server {\n  nam: 1\n  site_url: 5\n}",
            [
                "config.textproto:2:3: unknown field 'nam'",
                "config.textproto:3:13: Expected string but found: '5'",
            ],
        ),
        (HEAD + "# \xe9", ["config.textproto:2:3: not UTF-8"]),
        (
            'server {\n  application_name: "a/b"  site_url: "ftp://x"\n}',
            [
                "config.textproto:2:3: server.application_name: Application name: a/b. Must only",
                "config.textproto:2:28: server.site_url: Failed to parse site_url 'ftp://x'",
            ],
        ),
        (
            HEAD + 'email { smtp_host: "m" smtp_password: "<REDACTED>" }',
            ['config.textproto:2:24: email.smtp_password: Missing secret for: ["EMAIL", "SMTP_'],
        ),
        (
            HEAD + 'record_apis: [\n{ name: "a" table_name: "fish" },\n'
            '{ name: "b" table_name: "net" },\n{ name: "c" table_name: "n" } ]',
            [
                "config.textproto:4:13: record_apis[1].table_name: TABLE net referenced by",
                "config.textproto:5:13: record_apis[2].table_name: TABLE or VIEW n referenced",
            ],
        ),
    ],
)
def test_mistakes_have_places(find, config, expected):
    found = find(config)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.startswith(other)


def test_a_value_of_the_environment_is_mended_there(find):
    (mistake,) = find(HEAD, TRAIL_SERVER_SITE_URL="nowhere")
    assert mistake.startswith("TRAIL_SERVER_SITE_URL: server.site_url: Failed to parse")
    (mistake,) = find(HEAD, TRAIL_AUTH_AUTH_TOKEN_TTL_SEC="x")
    assert "auth.auth_token_ttl_sec: TRAIL_AUTH_AUTH_TOKEN_TTL_SEC: Parse int" in mistake


def test_what_cannot_be_read_is_told(tmp_path):
    with pytest.raises(OperatorError, match="cannot read"):
        find_mistakes(tmp_path, {})
