"""The system's tables as the specification lists them, at every step of their history."""

import json

import pytest

from trailbase_server.migrations.embedded import system_migrations
from trailbase_server.migrations.runner import migrate

USER = [
    "id BLOB NOT NULL DEFAULT uuid_v4() PK",
    "email TEXT",
    "unverified_email TEXT",
    "username TEXT",
    "password_hash TEXT",
    "admin INTEGER NOT NULL DEFAULT FALSE",
    "totp_secret TEXT",
    "created INTEGER NOT NULL DEFAULT UNIXEPOCH()",
    "updated INTEGER NOT NULL DEFAULT UNIXEPOCH()",
    "provider_id INTEGER NOT NULL DEFAULT 0",
    "provider_user_id TEXT",
    "provider_avatar_url TEXT",
]
FILE_DELETIONS = [
    "id INTEGER NOT NULL PK",
    "deleted INTEGER NOT NULL DEFAULT UNIXEPOCH()",
    "attempts INTEGER NOT NULL DEFAULT 0",
    "errors TEXT",
    "table_name TEXT NOT NULL",
    "record_rowid INTEGER NOT NULL",
    "column_name TEXT NOT NULL",
    "json TEXT NOT NULL",
    "updated_json TEXT",
]
CODE = ["created INTEGER NOT NULL DEFAULT UNIXEPOCH()", "expires INTEGER NOT NULL"]
TABLES = {
    "main": {
        "_user": USER,
        "_user_avatar": [
            "user BLOB NOT NULL PK",
            "file TEXT NOT NULL",
            "updated INTEGER NOT NULL DEFAULT UNIXEPOCH()",
        ],
        "_file_deletions": FILE_DELETIONS,
        "_wasm_shared_preferences": ["component TEXT NOT NULL", "value TEXT"],
    },
    "attached": {"_file_deletions": FILE_DELETIONS},
    "session": {
        "_session": [
            "id INTEGER NOT NULL PK",
            "user BLOB NOT NULL",
            "refresh_token TEXT NOT NULL",
            *CODE,
        ],
        "_authorization_code": [
            "id INTEGER NOT NULL PK",
            "user BLOB NOT NULL",
            "authorization_code TEXT NOT NULL",
            "pkce_code_challenge TEXT NOT NULL",
            *CODE,
        ],
        "_otp_code": [
            "id INTEGER NOT NULL PK",
            "user BLOB NOT NULL",
            "email TEXT NOT NULL",
            "otp_code TEXT NOT NULL",
            *CODE,
        ],
    },
    "logs": {
        "_logs": [
            "id INTEGER PK",
            "created REAL NOT NULL DEFAULT UNIXEPOCH('subsec')",
            "status INTEGER NOT NULL DEFAULT 0",
            "method TEXT NOT NULL DEFAULT ''",
            "url TEXT NOT NULL DEFAULT ''",
            "latency REAL NOT NULL DEFAULT 0",
            "client_ip TEXT NOT NULL DEFAULT ''",
            "referer TEXT NOT NULL DEFAULT ''",
            "user_agent TEXT NOT NULL DEFAULT ''",
            "user_id BLOB",
            "data TEXT",
        ]
    },
}
INDEXES = {
    "main": {
        "__user__email_index": (1, "_user", "email"),
        "__user__username_index": (1, "_user", "username"),
        "__user__provider_ids_index": (1, "_user", "provider_id,provider_user_id"),
        "__wasm_shared_preferences__component": (1, "_wasm_shared_preferences", "component"),
    },
    "attached": {},
    "session": {
        "__session__refresh_token_index": (1, "_session", "refresh_token"),
        "__session__user_index": (0, "_session", "user"),
        "__authorization_code__code": (1, "_authorization_code", "authorization_code"),
        "__otp_code__email": (1, "_otp_code", "email"),
    },
    "logs": {
        "__logs__created_index": (0, "_logs", "created"),
        "__logs__status_index": (0, "_logs", "status"),
        "__logs__method_index": (0, "_logs", "method"),
    },
}
HISTORY = {
    "main": [
        (1, "initial", "11166444817860960262"),
        (2, "file_deletions", "5089486392068093320"),
        (3, "user_id", "6379452306612288126"),
        (4, "totp", "16422335522934915082"),
        (5, "drop_session", "10108867112358597108"),
        (6, "file_deletions_update", "91302936854578050"),
        (7, "username", "7978211884463302389"),
        (8, "wasm_shared_preferences", "15966503425608682965"),
        (1785764695, "unverified_email", "3650486142782437694"),
    ],
    "attached": [
        (2, "file_deletions", "5089486392068093320"),
        (6, "file_deletions_update", "91302936854578050"),
    ],
    "session": [
        (1, "initial", "3434197100626731720"),
        (2, "no_case_email", "7553296780371862303"),
    ],
    "logs": [
        (1, "initial", "8716250007448944203"),
        (2, "user_id", "8677635296679629072"),
    ],
}
BEFORE_VERIFIED_WENT = [
    *("id", "email", "username", "password_hash", "verified", "admin", "totp_secret", "created"),
    *("updated", "provider_id", "provider_user_id", "provider_avatar_url"),
]
KINDS = list(TABLES)


def columns(connection, table):
    found = []
    for name, type_, required, default, key in connection.execute(
        'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?1)', (table,)
    ):
        words = [name, type_, "NOT NULL" if required else ""]
        words += [f"DEFAULT {default}" if default is not None else "", "PK" if key else ""]
        found.append(" ".join(filter(None, words)))
    return found


def tables(connection):
    return connection.execute(
        "SELECT name, strict FROM pragma_table_list "
        "WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'"
    ).fetchall()


def indexes(connection):
    return {
        name: (unique, table, fields)
        for name, unique, table, fields in connection.execute(
            """
            SELECT i.name, i."unique", t.name,
              (SELECT group_concat(name) FROM pragma_index_info(i.name))
            FROM pragma_table_list AS t, pragma_index_list(t.name) AS i
            WHERE i.origin = 'c' AND t.schema = 'main'
            """
        )
    }


def triggers(connection):
    return {
        name
        for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
    }


def up_to(version):
    return [each for each in system_migrations("main") if each.version <= version]


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_step_leads_to_the_listed_tables(connection, kind):
    migrate(connection, system_migrations(kind), kind)
    assert dict(tables(connection)) == dict.fromkeys([*TABLES[kind], "_schema_history"], 1)
    for table, expected in TABLES[kind].items():
        assert columns(connection, table) == expected, table
    assert indexes(connection) == INDEXES[kind]
    assert connection.execute("PRAGMA integrity_check").get == "ok"


@pytest.mark.parametrize("kind", KINDS)
def test_the_history_holds_the_checksums_of_the_reference(connection, kind):
    migrate(connection, system_migrations(kind), kind)
    rows = connection.execute(
        "SELECT version, name, checksum FROM _schema_history ORDER BY version"
    )
    assert list(rows) == HISTORY[kind]


@pytest.mark.case("T-99")
@pytest.mark.parametrize("kind", KINDS)
def test_a_database_of_the_reference_opens_without_a_change_or_a_word(connection, kind, caplog):
    connection.execute(
        "CREATE TABLE _schema_history "
        "(version INT PRIMARY KEY, name TEXT, applied_on TEXT, checksum TEXT) STRICT"
    )
    for row in HISTORY[kind]:
        connection.execute(
            "INSERT INTO _schema_history VALUES (?1, ?2, '2026-01-01T00:00:00Z', ?3)", row
        )
    before = connection.serialize("main")
    result = migrate(connection, system_migrations(kind), kind)
    assert (result.applied, result.fresh) == ((), False)
    assert connection.serialize("main") == before
    assert caplog.records == []


def test_triggers_keep_the_time_of_the_last_change(connection):
    migrate(connection, system_migrations("main"), "main")
    assert triggers(connection) == {"__user__updated_trigger", "__user_avatar__updated_trigger"}
    connection.execute("INSERT INTO _user (email, updated) VALUES ('a@b.test', 1)")
    file = json.dumps({"id": "x", "filename": "x", "mime_type": "image/png"})
    connection.execute(
        "INSERT INTO _user_avatar (user, file, updated) SELECT id, ?1, 1 FROM _user", (file,)
    )
    connection.execute("UPDATE _user SET username = 'a'")
    connection.execute("UPDATE _user_avatar SET file = file")
    assert connection.execute("SELECT updated > 1 FROM _user").get
    assert connection.execute("SELECT updated > 1 FROM _user_avatar").get
    connection.execute("DELETE FROM _user")
    assert connection.execute("SELECT COUNT(*) FROM _user_avatar").get == 0


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("_user", "id", b"short"),
        ("_user", "email", "no address"),
        ("_user", "unverified_email", "no address"),
    ],
)
def test_checks_hold(connection, table, column, value):
    migrate(connection, system_migrations("main"), "main")
    with pytest.raises(Exception, match="CHECK constraint failed"):
        connection.execute(f"INSERT INTO {table} ({column}) VALUES (?1)", (value,))


def test_case_does_not_matter_in_addresses_and_names(connection):
    migrate(connection, system_migrations("main"), "main")
    connection.execute("INSERT INTO _user (email, username) VALUES ('a@b.test', 'ann')")
    for column, value in (("email", "A@B.test"), ("username", "ANN")):
        with pytest.raises(Exception, match="UNIQUE constraint failed"):
            connection.execute(f"INSERT INTO _user ({column}) VALUES (?1)", (value,))
    for _ in range(2):  # many may wait for the confirmation of one address
        connection.execute("INSERT INTO _user (unverified_email) VALUES ('c@d.test')")


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (1, ["id", "email", "password_hash", "verified", "admin", "created", "updated"]),
        (4, ["id", "email", "password_hash", "verified", "admin", "totp_secret", "created"]),
        (8, BEFORE_VERIFIED_WENT),
    ],
)
def test_intermediate_shapes(connection, version, expected):
    migrate(connection, up_to(version), "main")
    names = [column.split()[0] for column in columns(connection, "_user")]
    assert names[: len(expected)] == expected


def test_files_older_than_the_last_step_see_the_verified_column(connection, make):
    """The inserts of the official clients' fixture have this form and these numbers."""
    fixture = [
        make(
            "U1725019360__add_admin_user",
            "INSERT INTO _user (id, email, password_hash, verified, admin) VALUES "
            "(uuid_v7(), 'admin@localhost', hash_password('secret'), TRUE, TRUE);",
        ),
        make(
            "U1725019361__add_users",
            "INSERT INTO _user (id, email, password_hash, verified) VALUES "
            "(uuid_v7(), '0@localhost', 'x', TRUE), (uuid_v7(), '1@localhost', 'x', FALSE);",
        ),
        make("U1725019362__tables", "CREATE TABLE note (owner BLOB REFERENCES _user (id)) STRICT;"),
        make(
            "U1790000001__people", "INSERT INTO _user (unverified_email) VALUES ('new@localhost');"
        ),
    ]
    result = migrate(connection, [*system_migrations("main"), *fixture], "main")
    assert result.fresh
    assert result.applied[-3:] == (
        "U1725019362__tables",
        "U1785764695__unverified_email",
        "U1790000001__people",
    )
    rows = connection.execute("SELECT email, unverified_email, admin FROM _user ORDER BY rowid")
    assert list(rows) == [
        ("admin@localhost", None, 1),
        ("0@localhost", None, 0),
        (None, "1@localhost", 0),
        (None, "new@localhost", 0),
    ]


def test_nothing_is_lost_on_the_way_from_the_first_shape(connection, make):
    id_ = bytes.fromhex("01910000000070008000000000000301")
    migrate(connection, up_to(1), "main")
    connection.execute(
        "INSERT INTO _user (id, email, password_hash, verified, admin, created, updated, "
        "provider_id, provider_user_id, provider_avatar_url) "
        "VALUES (?1, 'a@b.test', 'h', 1, 1, 5, 6, 2, 'p', 'url')",
        (id_,),
    )
    connection.execute("INSERT INTO _session (user, refresh_token) VALUES (?1, 'r')", (id_,))
    own = [
        make(
            "U9__own",
            "CREATE VIEW names AS SELECT email FROM _user;"
            "CREATE TABLE own (u BLOB REFERENCES _user (id));"
            "CREATE TRIGGER own_t AFTER INSERT ON own BEGIN SELECT id FROM _user; END;",
        ),
        make("U10__row", f"INSERT INTO own VALUES (X'{id_.hex()}');"),
    ]
    migrate(connection, up_to(4), "main")
    connection.execute("UPDATE _user SET totp_secret = 'GE3D', updated = 6")
    connection.execute("DROP TRIGGER __user__updated_trigger; UPDATE _user SET updated = 6")
    migrate(connection, [*system_migrations("main"), *own], "main")
    assert connection.execute("SELECT * FROM _user").fetchone() == (
        *(id_, "a@b.test", None, None, "h", 1, "GE3D", 5, 6, 2, "p", "url"),
    )
    assert connection.execute("SELECT email FROM names").get == "a@b.test"
    assert (
        "REFERENCES _user"
        in connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'own'").get
    )
    connection.execute("INSERT INTO own VALUES (?1)", (id_,))
    with pytest.raises(Exception, match="FOREIGN KEY"):
        connection.execute("INSERT INTO own VALUES (X'00')")


def test_one_time_codes_of_one_address_become_one(connection):
    migrate(connection, system_migrations("session")[:1], "session")
    connection.execute(
        "INSERT INTO _otp_code (user, email, otp_code, expires) VALUES "
        "(X'00', 'a@b.test', 'old', 1), (X'00', 'A@b.test', 'new', 1)"
    )
    migrate(connection, system_migrations("session"), "session")
    assert list(connection.execute("SELECT email, otp_code FROM _otp_code")) == [
        ("A@b.test", "new")
    ]
