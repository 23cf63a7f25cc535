from trailbase_server.schema.model import QualifiedName, Trigger, View
from trailbase_server.schema.parser import parse_index, parse_table
from trailbase_server.schema.wire import render_index, render_table, render_trigger, render_view


def test_a_table_in_the_shape_of_the_admin_api():
    table = parse_table(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL DEFAULT 'x' COLLATE NOCASE,"
        " b INTEGER REFERENCES u (id) ON DELETE CASCADE CHECK (b > 0),"
        " c INTEGER AS (b + 1) STORED, UNIQUE (a), FOREIGN KEY (b) REFERENCES u (id)) STRICT",
        "main",
    )
    shape = render_table(table)
    options = {column["name"]: column["options"] for column in shape["columns"]}

    assert shape["name"] == {"name": "t", "database_schema": None}
    assert (shape["strict"], shape["virtual_table"], shape["temporary"]) == (True, False, False)
    assert options["id"] == [{"Unique": {"is_primary": True, "conflict_clause": None}}]
    assert options["a"] == ["NotNull", {"Default": "'x'"}, {"Collate": "NOCASE"}]
    assert options["b"] == [
        {
            "ForeignKey": {
                "foreign_table": "u",
                "referred_columns": ["id"],
                "on_delete": "Cascade",
                "on_update": None,
            }
        },
        {"Check": "b > 0"},
    ]
    assert options["c"] == [{"Generated": {"expr": "b + 1", "mode": "Stored"}}]
    assert shape["unique"] == [{"name": None, "columns": ["a"], "conflict_clause": None}]
    assert shape["foreign_keys"][0]["columns"] == ["b"]


def test_the_rest_in_their_shapes():
    index = parse_index("CREATE UNIQUE INDEX i ON t (a DESC) WHERE a > 1", "tide")
    assert render_index(index) == {
        "name": {"name": "i", "database_schema": "tide"},
        "table_name": "t",
        "columns": [{"column_name": "a", "ascending": False, "nulls_first": None}],
        "unique": True,
        "predicate": "a > 1",
        "if_not_exists": False,
    }
    name = QualifiedName("x", "main")
    assert render_trigger(Trigger(name, "t"))["table_name"] == "t"
    assert render_view(View(name, None, "SELECT 1"))["column_mapping"] is None
