import pytest
from google.protobuf import text_format

from trailbase_server.config.proto.config_pb2 import Config
from trailbase_server.records.check import check_record_apis, check_rule_text

MORE = """
CREATE TABLE lax (id INTEGER PRIMARY KEY, a TEXT);
CREATE TABLE frog (id TEXT PRIMARY KEY NOT NULL) STRICT;
CREATE TABLE heron (id BLOB PRIMARY KEY NOT NULL) STRICT;
CREATE TABLE no_key (a TEXT) STRICT;
CREATE TABLE _pond (id INTEGER PRIMARY KEY) STRICT;
CREATE TABLE uses (id INTEGER PRIMARY KEY, _pond INTEGER REFERENCES club (id),
  who INTEGER REFERENCES _pond (id), frog TEXT REFERENCES frog (id),
  number INTEGER REFERENCES plot (number),
  gone INTEGER REFERENCES gone (id)) STRICT;
CREATE TABLE odd_json (id INTEGER PRIMARY KEY, j TEXT CHECK (jsonschema('mystery', j))) STRICT;
CREATE VIEW counted AS SELECT club, COUNT(*) AS n FROM diary GROUP BY club;
"""


def run(tx, statements):
    for statement in statements:
        tx.run(statement)


@pytest.fixture
async def check(site):
    await site.database.write(run, [s for s in MORE.split(";") if s.strip()])
    site.load()

    def check(*more, name="it", table="diary", config=""):
        text = f'record_apis {{ name: "{name}" table_name: "{table}" {" ".join(more)} }} {config}'
        config = text_format.Parse(f"email {{}} server {{}} auth {{}} jobs {{}} {text}", Config())
        return check_record_apis(
            config,
            site.state.catalog,
            lambda name: site.registry.schema(name) is not None,
            site.database.prepare_error,
        )

    return check


def test_a_good_api_has_no_problems(check):
    rules = """
      create_access_rule: "_REQ_.text <> 'shark' AND 'likes' NOT IN _REQ_FIELDS_"
      read_access_rule: "_ROW_.id > 0 AND (_USER_.id IS NULL OR TRUE)"
      update_access_rule: "_REQ_.text IS NOT _ROW_.text OR 'text' IN _REQ_FIELDS_"
      delete_access_rule: "EXISTS (SELECT 1 FROM club AS p WHERE p.id = _ROW_.club)"
      schema_access_rule: "_USER_.id IS NOT NULL"
    """
    assert check(rules, 'excluded_columns: ["likes", "secret"]', 'expand: ["club"]') == []
    assert check(table="diary_loved") == []


@pytest.mark.case("T-35")
@pytest.mark.parametrize(
    ("table", "more", "field", "words"),
    [
        ("whale", "", "table_name", "not found"),
        ("lax", "", "table_name", "Must be STRICT"),
        ("frog", "", "table_name", "suitable PRIMARY KEY"),
        ("heron", "", "table_name", "suitable PRIMARY KEY"),
        ("no_key", "", "table_name", "suitable PRIMARY KEY"),
        ("counted", "", "table_name", "infer"),
        ("odd_json", "", "table_name", "JSON schema"),
        ("a;b", "", "table_name", ""),
        ("diary", 'excluded_columns: ["fins"]', "excluded_columns", "not found"),
        ("diary", 'excluded_columns: ["id"]', "excluded_columns", "PK column"),
        ("diary", 'excluded_columns: ["text"]', "excluded_columns", "neither NULLABLE"),
        ("uses", 'expand: ["_pond"]', "expand", "hidden column"),
        ("uses", 'expand: ["nope"]', "expand", "unknown column"),
        ("uses", 'expand: ["id"]', "expand", "not a FOREIGN KEY"),
        ("uses", 'expand: ["who"]', "expand", "hidden table"),
        ("uses", 'expand: ["frog"]', "expand", "suitable PRIMARY KEY"),
        ("uses", 'expand: ["gone"]', "expand", "suitable PRIMARY KEY"),
        ("uses", 'expand: ["number"]', "expand", "must reference"),
        ("diary", 'read_access_rule: "1 +"', "read_access_rule", "incomplete"),
    ],
)
def test_what_cannot_be_served_is_told_with_its_field(check, table, more, field, words):
    problems = check(more, table=table)
    assert [problem.path for problem in problems] == [f"record_apis[0].{field}"]
    assert words in problems[0].message
    assert "it" in problems[0].message


def test_all_problems_are_told(check):
    problems = check(
        'excluded_columns: ["fins", "id"] expand: ["nope"]',
        'read_access_rule: "" delete_access_rule: "1,1"',
    )
    assert len(problems) == 5


def test_a_schema_of_the_same_configuration_counts(check):
    assert check(table="odd_json", config='schemas { name: "mystery" schema: "{}" }') == []


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        ("read", "_row_.id = 1"),
        ("read", "(SELECT 1 FROM _user_)"),
        ("create", "_ROW_.id = 1"),
        ("read", "_REQ_.id = 1"),
        ("read", "'id' IN _REQ_FIELDS_"),
        ("delete", "'text' IN _REQ_FIELDS_"),
        ("delete", "_REQ_.id = 1"),
        ("schema", "_ROW_.id = 1"),
        ("schema", "_REQ_.id = 1"),
        ("read", ""),
        ("read", "-- nothing"),
        ("read", "1, 1"),
        ("read", "1 +"),
        ("read", "1) OR (1"),
        ("read", "(1"),
        ("read", "*"),
        ("read", "1 FROM diary"),
        ("read", "SELECT 1"),
        ("read", "1; DROP TABLE fish"),
        ("read", "?1"),
        ("read", ":a"),
        ("read", "'open"),
        ("update", "_ROW_.name IN _REQ_FIELDS_"),
        ("create", "_REQ_.name NOT IN _REQ_FIELDS_"),
    ],
)
def test_bad_rules_are_refused(site, operation, rule):
    assert check_rule_text(operation, rule, site.database.prepare_error)


@pytest.mark.parametrize(
    ("operation", "rule"),
    [
        ("read", "(SELECT 1)"),
        ("read", "my_row_id = 1"),
        ("read", "'_row_' = '; , _REQ_'"),
        ("read", "_ROW_.no_such_column = 1"),
        ("read", "coalesce(1, 2) -- either"),
        ("create", "'a' IN _REQ_FIELDS_ AND NOT ('b' IN _REQ_FIELDS_) OR 'c' NOT IN _REQ_FIELDS_"),
        ("update", "_REQ_.a IS _ROW_.a"),
        ("schema", "_USER_.id IS NOT NULL"),
    ],
)
def test_good_rules_are_not(site, operation, rule):
    assert check_rule_text(operation, rule, site.database.prepare_error) == []
