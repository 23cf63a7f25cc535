import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.messages import messages
from trailbase_server.config.outline import Outline, parse_path
from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.config.textproto import render_text

TEXT = """\
# comment { with brackets
server {
  application_name: "Har" 'bor'  # "
}
auth < oauth_providers: [{
  key: "discord"
  value {
    client_id: "ship"
  }
}, { key: "github" value: { client_id: "x"
  client_secret: "y" } }]
>
record_apis: [
  { name: "a" },
  {
    name: "b",
    acl_world: [
      READ,
      CREATE
    ]
  }
]
record_apis { name: "c" }
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("server", 2),
        ("server.application_name", 3),
        ("server.site_url", 2),
        ("auth.oauth_providers", 5),
        ('auth.oauth_providers["discord"].client_id', 8),
        ('auth.oauth_providers["discord"].client_secret', 7),
        ('auth.oauth_providers["github"].client_secret', 11),
        ('auth.oauth_providers["apple"].client_secret', 5),
        ("record_apis[0].name", 14),
        ("record_apis[1]", 15),
        ("record_apis[1].name", 16),
        ("record_apis[1].acl_world[1]", 19),
        ("record_apis[2].name", 23),
        ("record_apis[3].name", None),
        ("email.smtp_host", None),
    ],
)
def test_finds_the_line_of_a_field_or_of_the_message_that_lacks_it(path, line):
    assert Outline(TEXT).line_of(path) == line


def test_a_mistake_within_a_list_belongs_to_the_innermost_field_around_it():
    outline = Outline(TEXT)
    entry = outline.entry_at(TEXT.index("CREATE"))
    assert entry.name == "acl_world"
    assert TEXT[entry.start : entry.end].startswith("acl_world: [")
    assert TEXT[entry.start : entry.end].endswith("]")
    assert outline.entry_at(TEXT.index('"a"')).name == "name"


def test_a_path_knows_indices_and_keys_with_quotes():
    assert parse_path(r'a.b[12].c["x\"y"].d') == [
        ("a", 0, None),
        ("b", 12, None),
        ("c", 0, 'x"y'),
        ("d", 0, None),
    ]


@given(st.text(alphabet="ab{}<>[]:,; \n\"'#\\1", max_size=60))
def test_any_text_has_an_outline(text):
    outline = Outline(text)
    for offset in range(len(text)):
        entry = outline.entry_at(offset)
        assert entry is None or entry.start <= offset < entry.end <= len(text)


@pytest.mark.parametrize("text", ["{" * 5000, "a{" * 5000, "[" * 5000, "a:[" * 5000, "a:[{" * 5000])
def test_deep_nesting_is_no_danger(text):
    Outline(text).line_of("a")


@given(messages(Config))
def test_every_field_that_is_written_is_found_again(message):
    text = render_text(message)
    rows, outline = text.split("\n"), Outline(text)
    for index, api in enumerate(message.record_apis):
        if api.HasField("listing_hard_limit"):
            line = outline.line_of(f"record_apis[{index}].listing_hard_limit")
            assert rows[line - 1].strip() == f"listing_hard_limit: {api.listing_hard_limit}"


def test_places_have_columns_too():
    outline = Outline('server {\n  site_url: "x"\n}\nrecord_apis: [{name: "a"}, {name: "b"}]')
    assert outline.place_of("server.site_url") == (2, 3)
    assert outline.place_of("record_apis[1].name") == (4, 29)
    assert outline.place_of("record_apis[1].table_name") == (4, 28)
    assert outline.place_of("nothing") is None
