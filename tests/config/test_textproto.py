import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.config.messages import messages
from trailbase_server.config.proto.config_pb2 import Config, Vault
from trailbase_server.config.textproto import MAX_PROBLEMS, parse_text, render_text


def parse(text):
    message, problems = parse_text(text, Config)
    assert problems == []
    return message


@settings(max_examples=150)
@given(messages(Config))
def test_what_is_rendered_is_read_as_the_same(message):
    assert parse(render_text(message)) == message


@given(messages(Vault))
def test_so_is_a_vault(message):
    assert parse_text(render_text(message), Vault) == (message, [])


@given(messages(Config))
def test_rendering_does_not_depend_on_the_order_of_maps(message):
    again = Config()
    for key in reversed(list(message.auth.oauth_providers)):
        again.auth.oauth_providers[key].CopyFrom(message.auth.oauth_providers[key])
    kept = message.auth.oauth_providers
    assert render_text(Config(auth={"oauth_providers": dict(kept)})) == render_text(
        Config(auth={"oauth_providers": dict(again.auth.oauth_providers)})
    )


def test_renders_as_upstream_does():
    message = parse(
        """
        schemas: [{ name: "s" schema: "{\\"a\\":\\n'b'}" }]
        auth { oauth_providers: [{ key: "b" value {} }, { key: "a" value { scopes: "x" } }] }
        record_apis { name: "v" acl_world: READ acl_world: 1 }
        record_apis { enable_subscriptions: true }
        databases [{}] email {} jobs {}
        """
    )
    assert render_text(message, "# of mine\n# and more") == (
        "# Auto-generated config.Config textproto\n"
        "# of mine\n"
        "# and more\n"
        "email {}\n"
        "auth {\n"
        "  oauth_providers: [{\n"
        '    key: "a"\n'
        "    value {\n"
        '      scopes: ["x"]\n'
        "    }\n"
        "  }, {\n"
        '    key: "b"\n'
        "    value {}\n"
        "  }]\n"
        "}\n"
        "jobs {}\n"
        "databases: [{}]\n"
        "record_apis: [{\n"
        '  name: "v"\n'
        "  acl_world: [READ, CREATE]\n"
        "}, {\n"
        "  enable_subscriptions: true\n"
        "}]\n"
        "schemas: [{\n"
        '  name: "s"\n'
        '  schema: "{\\"a\\":\\n\\\'b\\\'}"\n'
        "}]"
    )


@pytest.mark.parametrize(
    "text",
    [
        "# first\nserver < application_name: 'Harbor' # second\n >\nemail <> auth: {}",
        "server { application_name: \"Har\" 'bor' }",
        "server { application_name: 'Harbor'; }",
        "server { application_name: 'H\\x61rbor', logs_retention_sec: 0x10 }",
        "server { application_name: 'Harbor' } auth { user_identifier: 3 }",
    ],
)
def test_unusual_spellings_are_read(text):
    assert parse(text).server.application_name == "Harbor"


def test_all_mistakes_are_found_with_their_places_and_the_rest_is_read():
    text = """\
server { application_name: "a" application_name: "b" }
auth { colour: 1 auth_token_ttl: 2 user_identifier: ONLY_PHONE auth_token_ttl_sec: "long" }
record_apis: [{ name: "x"
  acl_world: [READ, SWIM] bait: [3,
  4] }, { name: 1 }]
auth { password_minimal_length: -1 }
databases { name: "tide" }
"""
    message, problems = parse_text(text, Config)
    assert [(p.line, p.column) for p in problems] == [
        *((1, 50), (2, 8), (2, 18), (2, 53), (2, 84)),
        *((4, 21), (4, 27), (5, 17), (6, 6)),
    ]
    assert (
        problems[2].message == "unknown field 'auth_token_ttl', did you mean 'auth_token_ttl_sec'?"
    )
    assert "SWIM" in problems[5].message
    assert message.server.application_name == "a"
    assert [database.name for database in message.databases] == ["tide"]
    assert message.record_apis[0].name == "x"


@pytest.mark.parametrize(
    "text",
    [
        "databases: [{ name: 'tide' }\n",
        "jobs: {} }",
        "server {",
        'server { application_name: "a\nb" }',
        'server { application_name: "\\xff" }',
        'server { application_name: "\\ud800" }',
        "[foo.bar]: 3",
        "\0",
    ],
)
def test_what_cannot_be_mended_is_still_told(text):
    assert parse_text(text, Config)[1]


def test_the_number_of_mistakes_told_is_bounded():
    assert len(parse_text("colour: 1\n" * 100, Config)[1]) == MAX_PROBLEMS


def test_a_message_does_not_repeat_the_line_which_may_hold_a_secret():
    text = "email { smtp_port: x smtp_password: 'knot-and-sail' }"
    assert "knot-and-sail" not in parse_text(text, Config)[1][0].message


@given(st.text(alphabet="servauthjob_{}<>[]:,; \n\"'#\\1-.", max_size=80))
def test_any_text_is_read_or_explained(text):
    message, problems = parse_text(text, Config)
    assert problems or parse(render_text(message)) == message
