"""Reports about whole depots: where findings are, and what stops a report."""

import pytest

from trailbase_server.config.load import load_config
from trailbase_server.errors import OperatorError
from trailbase_server.server.access_report import report_access
from trailbase_server.server.rehearsal import rehearse

SQL = """
CREATE TABLE fish (id INTEGER PRIMARY KEY NOT NULL, keeper BLOB REFERENCES _user (id)) STRICT;
"""
HEAD = 'server { application_name: "Pond" }\n'


@pytest.fixture
def report(tmp_path):
    def run(config, *ignored):
        folder = tmp_path / "migrations" / "main"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "U1790000000__fish.sql").write_text(SQL)
        (tmp_path / "config.textproto").write_text(HEAD + config)
        with rehearse(load_config(tmp_path, {}, create=False)) as rehearsal:
            return report_access(rehearsal, frozenset(ignored))

    return run


BAD = """record_apis: [
  { name: "a" table_name: "fish" acl_world: [READ] },
  { name: "b" table_name: "fish"
    acl_world: [DELETE]
    read_access_rule: "1 = 1"
  }
]"""


def test_findings_have_their_place(report):
    found = report(BAD)
    assert [api.name for api in found.apis] == ["a", "b"]
    assert [(r.place, r.finding.code) for r in found.remarks] == [
        ("config.textproto:6", "rule-without-flag"),
        ("config.textproto:5", "world-writable"),
    ]
    assert not found.has_errors


def test_as_json(report):
    document = report(BAD).render()
    assert document["apis"][0] == {
        "name": "a",
        "table": "fish",
        "access": {
            name: {"who": "everybody" if name in ("read", "list") else "nobody", "rule": None}
            for name in ("create", "read", "list", "subscribe", "update", "delete", "schema")
        },
    }
    assert set(document["findings"][0]) == {
        "code",
        "severity",
        "api",
        "field",
        "place",
        "message",
        "fix",
    }


@pytest.mark.parametrize(
    ("ignored", "left"),
    [
        (["world-writable"], ["rule-without-flag"]),
        (["world-writable:b", "rule-without-flag:a"], ["rule-without-flag"]),
        (["world-writable", "rule-without-flag:b"], []),
    ],
)
def test_findings_can_be_left_out(report, ignored, left):
    assert [remark.finding.code for remark in report(BAD, *ignored).remarks] == left


def test_an_api_that_cannot_be_served_stops_the_report(report):
    with pytest.raises(OperatorError, match=r"config\.textproto:2: .* nets referenced"):
        report('record_apis: [{ name: "a" table_name: "nets" }]')
    with pytest.raises(OperatorError, match="Invalid read rule"):
        report('record_apis: [{ name: "a" table_name: "fish" read_access_rule: "1 +" }]')


def test_rules_that_deny_all_are_errors(report):
    api = 'acl_world: [READ] read_access_rule: "_ROW_.fins > 2"'
    found = report(f'record_apis: [{{ name: "a" table_name: "fish" {api} }}]')
    assert found.has_errors
