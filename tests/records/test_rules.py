import logging

import apsw
import pytest

from trailbase_server.db.errors import DatabaseError
from trailbase_server.errors import ForbiddenError
from trailbase_server.records.access import check_rule
from trailbase_server.records.rules import DENY, compile_rule

ME, OTHER = b"m" * 16, b"o" * 16
COLUMNS = ("id", "owner", "text", "a-b")
MEMBERSHIP = '(SELECT 1 FROM member AS m WHERE m.person = _USER_.id AND m.text = _ROW_."a-b")'


@pytest.fixture
def connection():
    connection = apsw.Connection(":memory:")
    connection.config(apsw.SQLITE_DBCONFIG_DQS_DML, 1)
    connection.execute(
        'CREATE TABLE note (id INTEGER PRIMARY KEY, owner BLOB, text TEXT, "a-b" TEXT) STRICT'
    )
    connection.execute("CREATE TABLE member (person BLOB, text TEXT) STRICT")
    connection.execute(
        "INSERT INTO note VALUES (1, ?1, 'mine', 'x'), (2, ?2, 'other', 'y')", (ME, OTHER)
    )
    connection.execute("INSERT INTO member VALUES (?1, 'x')", (ME,))
    yield connection
    connection.close()


@pytest.fixture
def rules(connection):
    return Rules(connection)


class Rules:
    def __init__(self, connection):
        self.connection = connection

    def read(self, sql, params=()):
        try:
            return self.connection.execute(sql, params).fetchall()
        except apsw.Error as exc:
            raise DatabaseError(detail=str(exc)) from exc

    def prepare_error(self, sql):
        try:
            self.connection.execute(f"EXPLAIN {sql}", None, can_cache=False)
        except apsw.BindingsError:
            return None
        except apsw.Error as exc:
            return str(exc)
        return None

    def compile(self, text, *, row=True, request=COLUMNS):
        return compile_rule(
            text, ('"main"."note"', '"id"') if row else None, request, self.prepare_error, "a rule"
        )

    def allows(self, text, user=ME, key=1, values=None, *, row=True):
        rule = self.compile(text, row=row)
        try:
            check_rule(self.read, rule, user, key if row else None, values or {})
        except ForbiddenError:
            return False
        return True


@pytest.mark.case("T-26")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", True), ("TRUE", True), ("-1", True), ("'7 reasons'", True), ("(SELECT 1)", True),
        ("0", False), ("NULL", False), ("'yes'", False), ("0.5", False), ("1 -- yes", True),
        ("1 /* a */ = /* b */ 1", True), ("(SELECT 1 WHERE 0)", False), ("abs('x') / 0", False),
    ],
)  # fmt: skip
@pytest.mark.parametrize("row", [True, False])
def test_a_rule_is_true_or_it_denies(rules, text, expected, row):
    assert rules.allows(text, row=row) is expected


@pytest.mark.parametrize(
    ("text", "user", "key", "values", "expected"),
    [
        ("_ROW_.owner = _USER_.id", ME, 1, {}, True),
        ("_ROW_.owner = _USER_.id", ME, 2, {}, False),
        ("_ROW_.owner = _USER_.id", None, 1, {}, False),
        ("_ROW_.owner = _USER_.id", ME, 404, {}, False),
        ("TRUE", ME, 404, {}, False),
        ("_USER_.id IS NULL", None, 1, {}, True),
        ('"_USER_"."id" = _ROW_.owner', ME, 1, {}, True),
        ("_user_.ID = _ROW_.owner", ME, 1, {}, True),
        ("_REQ_.owner = _USER_.id", ME, 1, {"owner": ME}, True),
        ("_REQ_.owner = _USER_.id", ME, 1, {}, False),
        ("_REQ_.text IS NULL OR _REQ_.text > _ROW_.text", ME, 1, {"text": "z"}, True),
        ("_REQ_.text IS NULL OR _REQ_.text > _ROW_.text", ME, 1, {"text": "a"}, False),
        ("_REQ_.text IS NULL OR _REQ_.text > _ROW_.text", ME, 1, {}, True),
        ('_REQ_."a-b" = \'v\'', ME, 1, {"a-b": "v"}, True),
        ("_REQ_.TEXT = 'v'", ME, 1, {"text": "v"}, True),
        ("'text' IN _REQ_FIELDS_", ME, 1, {"text": None}, True),
        ("'text' IN _REQ_FIELDS_", ME, 1, {"owner": ME}, False),
        ("'text' NOT IN _REQ_FIELDS_ AND _ROW_.owner = _USER_.id", ME, 1, {"owner": ME}, True),
        ("NOT ('text' IN _REQ_FIELDS_)", ME, 1, {"text": "x"}, False),
        (MEMBERSHIP, ME, 1, {}, True),
        (MEMBERSHIP, OTHER, 1, {}, False),
        ("(SELECT id FROM _USER_) = _ROW_.owner", ME, 1, {}, True),
        ("(SELECT text FROM _REQ_) = 'v'", ME, 1, {"text": "v"}, True),
        ("_REQ_.no_such = 1", ME, 1, {}, False),
        ("_ROW_.no_such = 1", ME, 1, {}, False),
        ("_USER_.email = 'x'", ME, 1, {}, False),
        ("?1 = ?1", ME, 1, {}, False),
        ("'", ME, 1, {}, False),
    ],
)  # fmt: skip
def test_a_rule_sees_caller_request_and_row(rules, text, user, key, values, expected):
    assert rules.allows(text, user, key, values) is expected


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("owner = _USER_.id", {"owner": ME}, True),
        ("owner = _USER_.id", {"owner": OTHER}, False),
        ("text = 'v' AND _REQ_.owner IS NULL", {"text": "v"}, True),
        ('"text" = \'v\'', {"text": "v"}, True),
        ('"text" = \'text\'', {"text": "v"}, False),
        ("(SELECT COUNT(*) FROM member WHERE person = _REQ_.owner) = 1", {"owner": ME}, True),
    ],
)  # fmt: skip
def test_a_rule_of_create_may_leave_the_relation_out(rules, text, values, expected):
    assert rules.allows(text, values=values, row=False) is expected


def test_plain_mentions_become_parameters(rules):
    rule = rules.compile(
        "_REQ_.text = _ROW_.text AND _REQ_.text <> _REQ_.owner AND _USER_.id = _REQ_.owner"
    )
    assert rule.with_sql == ""
    assert rule.request_columns == ("text", "owner")
    assert rule.bind(ME, 7, {"text": "t"}) == [ME, 7, "t", None]


def test_nothing_is_bound_that_is_not_used(rules):
    assert rules.compile("TRUE", row=False).bind(ME, None, {"text": "t"}) == []
    assert rules.compile("TRUE").bind(ME, 7, {"text": "t"}) == [7]


def test_names_in_text_are_no_mentions(rules):
    rule = rules.compile("'_USER_.id' <> '_REQ_.text'", row=False)
    assert rule.bind(ME, None, {}) == []
    assert rules.allows("'_USER_.id' <> '_REQ_.text'", row=False)


@pytest.mark.case("T-26")
def test_a_rule_that_does_not_compile_denies_and_the_log_says_why(rules, caplog):
    with caplog.at_level(logging.WARNING):
        assert rules.compile("_ROW_.no_such = 1") is DENY
    assert "a rule denies everything" in caplog.text
    assert "no_such" in caplog.text
