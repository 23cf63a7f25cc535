"""The SQL functions, called from SQL."""

import base64
import sys
import uuid

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sqlite.maxmind import write_database
from trailbase_server.schema.registry import SchemaRegistry
from trailbase_server.sqlite.functions import FunctionError, register_functions
from trailbase_server.sqlite.geoip import open_geoip

REGISTRY = SchemaRegistry({"pair": '{"type":"array","minItems":2,"maxItems":2}'})
V4 = "5eed0000-0000-4000-a000-000000000201"
V7 = "01900000-0000-7000-8000-00000000beef"


def connect(registry=REGISTRY, geoip=None):
    connection = apsw.Connection(":memory:")
    register_functions(connection, registry, geoip)
    connection.execute("PRAGMA trusted_schema = OFF")
    return connection


CONNECTION = connect()


def sql(expression, *params):
    return CONNECTION.execute(f"SELECT {expression}", params).fetchall()[0][0]


def is_refused(expression, *params):
    with pytest.raises(FunctionError):
        sql(expression, *params)
    return True


# UUIDs


def test_fresh_uuids():
    rows = CONNECTION.execute(
        "WITH n (x) AS (VALUES (1), (2), (3)) SELECT uuid_v4(), uuid_v7(), x FROM n"
    ).fetchall()
    assert {uuid.UUID(bytes=v4).version for v4, _, _ in rows} == {4}
    assert {uuid.UUID(bytes=v7).version for _, v7, _ in rows} == {7}
    assert len({v4 for v4, _, _ in rows}) == 3
    assert sorted(v7 for _, v7, _ in rows) == [v7 for _, v7, _ in rows]


@pytest.mark.parametrize(
    "value",
    [None, V4, V4.upper(), V4.replace("-", ""), f"urn:uuid:{V4}", f"{{{V4}}}", bytes(16)],
)
def test_forms_of_a_uuid(value):
    assert sql("is_uuid(?)", value) == 1


@pytest.mark.parametrize(
    "value",
    [
        "",
        f" {V4}",
        f"{V4}\n",
        V4[:-1],
        V4.replace("-", "")[:8] + "-" + V4.replace("-", "")[8:],
        f"{{{V4}",
        f"{{{V4.replace('-', '')}}}",
        f"URN:UUID:{V4}",
        f"urn:uuid:{V4.replace('-', '')}",
        bytes(15),
        bytes(17),
        7,
        7.5,
        "g" * 32,
        "-" * 36,
        "\uff11" * 32,
    ],
)
def test_what_is_no_uuid(value):
    assert sql("is_uuid(?)", value) == 0
    assert sql("is_uuid_v4(?)", value) == 0
    assert is_refused("uuid_parse(?)", value)


def test_versions_are_told_apart():
    for value in (V4, uuid.UUID(V4).bytes):
        assert (sql("is_uuid_v4(?)", value), sql("is_uuid_v7(?)", value)) == (1, 0)
    for value in (V7, uuid.UUID(V7).bytes):
        assert (sql("is_uuid_v4(?)", value), sql("is_uuid_v7(?)", value)) == (0, 1)
    assert (sql("is_uuid_v4(NULL)"), sql("is_uuid_v7(NULL)")) == (1, 1)


@given(st.uuids())
def test_a_uuid_is_rendered_and_read(value):
    assert sql("uuid_text(?)", value.bytes) == str(value)
    assert sql("uuid_parse(?)", str(value).upper()) == value.bytes


@pytest.mark.parametrize("value", [None, V4, 1, 1.5, b"short"])
def test_uuid_text_wants_sixteen_bytes(value):
    assert is_refused("uuid_text(?)", value)


@pytest.mark.parametrize("value", [None, 1, 1.5, bytes(16)])
def test_uuid_parse_wants_text(value):
    assert is_refused("uuid_parse(?)", value)


# Validators


@pytest.mark.parametrize("function", ["is_email", "is_json"])
def test_validators_pass_null_and_refuse_other_classes(function):
    assert sql(f"{function}(NULL)") == 1
    for value in (1, 1.5, b"{}"):
        assert is_refused(f"{function}(?)", value)


def test_validators():
    assert (sql("is_email('moss@functions.test')"), sql("is_email('moss@')")) == (1, 0)
    assert (sql("is_json('{\"a\": 1}')"), sql("is_json('{a')"), sql("is_json('3')")) == (1, 0, 1)


# JSON schemas


def test_registered_schemas():
    assert sql("jsonschema('pair', '[1, 2]')") == 1
    assert sql("jsonschema('pair', '[1]')") == 0
    assert sql("jsonschema('std.KeyValue', '{\"k\":1}')") == 0
    assert sql("jsonschema('nobody', NULL)") == 1
    upload = '{"filename":"a.png","mime_type":"image/png"}'
    assert sql("jsonschema('std.FileUpload', ?, 'image/png, image/jpeg')", upload) == 1
    assert sql("jsonschema('std.FileUpload', ?, 'image/jpeg')", upload) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        "'nobody', '1'",
        "'pair', '[1'",
        "'pair', 1",
        "'pair', x'5b5d'",
        "NULL, NULL",
        "1, '[]'",
        "'pair', NULL, NULL",
        "NULL, NULL, 'x'",
        "'pair', '[1,2]', 7",
    ],
)
def test_refused_arguments_of_jsonschema(arguments):
    assert is_refused(f"jsonschema({arguments})")


def test_a_change_of_the_registry_is_seen_at_once():
    registry = SchemaRegistry()
    connection = connect(registry)
    registry.replace({"new": "{}"})
    assert connection.execute("SELECT jsonschema('new', '1')").fetchall() == [(1,)]
    registry.replace({})
    with pytest.raises(FunctionError, match="Schema new not found"):
        connection.execute("SELECT jsonschema('new', '1')").fetchall()


def test_without_a_registry_there_is_no_jsonschema():
    with pytest.raises(apsw.SQLError, match="no such function"):
        connect(None).execute("SELECT jsonschema('pair', '1')")


def test_inline_schemas():
    assert sql("""jsonschema_matches('{"type":"integer"}', '5')""") == 1
    assert sql("""jsonschema_matches('{"type":"integer"}', '"5"')""") == 0
    assert sql("jsonschema_matches(NULL, NULL)") == 1
    for arguments in ("'{', '1'", "'{}', '{'", "NULL, '1'", "'{}', 1", "'3', '1'"):
        assert is_refused(f"jsonschema_matches({arguments})")


# Texts


def test_regular_expressions():
    assert sql("'wheelbarrow' REGEXP 'el+b'") == 1
    assert sql("'wheelbarrow' REGEXP '^barrow'") == 0
    assert sql(r"'unit 42' REGEXP '\d{2}$'") == 1


def test_null_matches_no_pattern_and_passes_a_check():
    assert sql("NULL REGEXP 'a'") is None
    CONNECTION.execute("CREATE TEMP TABLE word (w TEXT CHECK (w REGEXP '^a')) STRICT")
    CONNECTION.execute("INSERT INTO word VALUES (NULL), ('ab')")
    with pytest.raises(apsw.ConstraintError):
        CONNECTION.execute("INSERT INTO word VALUES ('b')")
    assert CONNECTION.execute("SELECT * FROM word WHERE w REGEXP ''").fetchall() == [("ab",)]


@pytest.mark.parametrize("arguments", ["NULL, 'a'", "'(', 'a'", "1, 'a'", "'a', 1", "'a', x'61'"])
def test_refused_arguments_of_regexp(arguments):
    assert is_refused(f"regexp({arguments})")


@given(st.binary(max_size=40))
def test_base64_there_and_back(data):
    standard, url_safe = base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()
    assert (sql("base64(?)", data), sql("base64(?)", standard)) == (standard, data)
    assert (sql("base64_url_safe(?)", data), sql("base64_url_safe(?)", url_safe)) == (
        url_safe,
        data,
    )


@given(st.text("AQgw+/-_=\n ä?", max_size=8))
def test_only_canonical_base64_is_read(text):
    for function, encode in (
        ("base64", base64.b64encode),
        ("base64_url_safe", base64.urlsafe_b64encode),
    ):
        try:
            data = sql(f"{function}(?)", text)
        except FunctionError:
            continue
        assert encode(data).decode() == text


@pytest.mark.parametrize("function", ["base64", "base64_url_safe"])
def test_base64_of_other_values(function):
    assert sql(f"{function}(NULL)") is None
    assert sql(f"{function}('')") == b""
    for value in (1, 1.5, "QR==", "QQ", "Q Q=", "Q"):
        assert is_refused(f"{function}(?)", value)
    assert is_refused("base64('-_8A')")
    assert is_refused("base64_url_safe('+/8A')")


def test_passwords():
    assert sql("hash_password('x')").startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    for value in (None, 1, b"x"):
        assert is_refused("hash_password(?)", value)


# Addresses


def test_places_of_addresses(tmp_path):
    record = {"country": {"iso_code": "SE"}, "city": {"names": {"en": "Linköping"}}}
    path = write_database(tmp_path / "c.mmdb", "GeoLite2-City", {"89.160.20.0/24": record})
    geoip = open_geoip(path)
    connection = connect(None, geoip)
    row = "geoip_country(?1), geoip_city_name(?1), geoip_city_json(?1)"
    assert connection.execute(f"SELECT {row}", ("89.160.20.7",)).fetchall() == [
        ("SE", "Linköping", '{"country_code":"SE","name":"Linköping","subdivisions":[]}')
    ]
    for address in ("10.0.0.1", "::1", "", None):
        found = connection.execute(f"SELECT {row}", (address,)).fetchall()
        assert found == [(None, None, None)]
    geoip.close()


@pytest.mark.parametrize("function", ["geoip_country", "geoip_city_name", "geoip_city_json"])
def test_without_a_database_addresses_are_checked_all_the_same(function):
    assert sql(f"{function}('192.0.2.7')") is None
    assert sql(f"{function}(NULL)") is None
    assert sql(f"{function}('')") is None
    for value in ("192.0.2.7:80", "x", "fe80::1%1", 7, b""):
        assert is_refused(f"{function}(?)", value)


# The contract with SQLite


def test_functions_are_allowed_in_checks_indexes_and_views():
    CONNECTION.execute(
        """
        CREATE TABLE place (
          id BLOB PRIMARY KEY DEFAULT (uuid_v7()) CHECK (is_uuid_v7(id)),
          mail TEXT CHECK (is_email(mail)),
          doc TEXT CHECK (jsonschema('std.KeyValue', doc)),
          pair TEXT CHECK (jsonschema_matches('{"type":"array"}', pair)),
          spot BLOB CHECK (ST_IsValid(spot)),
          word TEXT AS (base64(id))
        ) STRICT;
        CREATE INDEX place_kind ON place (ST_GeometryType(spot));
        CREATE VIEW places AS SELECT uuid_text(id) AS id FROM place;
        """
    ).fetchall()
    CONNECTION.execute("INSERT INTO place (mail) VALUES ('a@b'), (NULL)").fetchall()
    assert len(CONNECTION.execute("SELECT id FROM places").fetchall()) == 2


@pytest.mark.parametrize("call", ["uuid_v4(1)", "is_uuid()", "regexp('a')", "jsonschema('a')"])
def test_the_number_of_arguments_is_fixed(call):
    with pytest.raises(apsw.SQLError, match="wrong number of arguments"):
        sql(call)


def test_registering_imports_none_of_the_heavy_libraries():
    heavy = ["shapely", "re2", "jsonschema_rs", "maxminddb", "argon2", "idna", "numpy"]
    code = (
        "import sys, apsw\n"
        "from trailbase_server.sqlite.functions import register_functions\n"
        "from trailbase_server.schema.registry import SchemaRegistry\n"
        "register_functions(apsw.Connection(':memory:'), SchemaRegistry(), None)\n"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
