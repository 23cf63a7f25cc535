import json

from trailbase_server.cli.verdicts import show_verdicts
from trailbase_server.server.verdict import Level, Verdict

FOUND = [
    Verdict("disk", Level.OK, "much room"),
    Verdict("secrets", Level.WARN, "open", "close them"),
    Verdict("tls", Level.FAIL, "expired"),
    Verdict("x", Level.SKIP),
]


def test_a_line_for_each_with_advice_below(capsys):
    show_verdicts(FOUND, as_json=False)
    assert capsys.readouterr().out == (
        "ok    disk     much room\n"
        "warn  secrets  open\n"
        "               close them\n"
        "fail  tls      expired\n"
        "skip  x\n"
        "\n1 failure, 1 warning.\n"
    )


def test_nothing_is_counted_where_all_is_well(capsys):
    show_verdicts(FOUND[:1], as_json=False)
    assert capsys.readouterr().out == "ok    disk  much room\n"


def test_for_programs(capsys):
    show_verdicts(FOUND, as_json=True)
    (first, *_) = json.loads(capsys.readouterr().out)["checks"]
    assert first == {
        "name": "disk",
        "level": "ok",
        "message": "much room",
        "advice": "",
        "facts": {},
    }
