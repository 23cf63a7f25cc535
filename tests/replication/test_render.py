"""The configuration that Litestream gets; Litestream itself says whether it is one."""

import json
import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.replication import render
from trailbase_server.replication.program import find_program
from trailbase_server.replication.settings import ReplicationSettings
from trailbase_server.replication.target import Bucket, Directory

HOMES = ["main.db", "own/jobs.db"]


def test_litestream_reads_it(tmp_path):
    for target in (Directory(tmp_path / 'a "b" $c: #d'), Bucket("b", "p", "http://e:1", "r")):
        text = render.render_config(
            ReplicationSettings(target), tmp_path, HOMES, tmp_path / "l.sock"
        )
        config = tmp_path / "litestream.yml"
        config.write_text(text)
        command = [find_program(), "databases", "-json", "-no-expand-env", "-config", config]
        done = subprocess.run(command, capture_output=True, check=True)
        listed = json.loads(done.stdout)
        assert [entry["path"] for entry in listed] == [str(tmp_path / home) for home in HOMES]


def test_it_holds_no_keys():
    target = Bucket("b", "p", "http://e", "r", "the-id", "the-secret")
    text = render.render_config(ReplicationSettings(target), Path("/d"), HOMES, None)
    assert "the-id" not in text
    assert "the-secret" not in text
    assert "socket" not in text


def test_the_whole_reads_like_yaml():
    text = render.render_config(
        ReplicationSettings(Directory(Path("/r")), keep_hours=5), Path("/d"), ["main.db"], None
    )
    assert text == (
        "logging:\n"
        '  level: "warn"\n'
        '  type: "json"\n'
        "  stderr: true\n"
        "snapshot:\n"
        '  interval: "5h"\n'
        '  retention: "5h"\n'
        "levels:\n"
        '  - interval: "30s"\n'
        '  - interval: "5m"\n'
        '  - interval: "1h"\n'
        'l0-retention: "3600s"\n'
        'shutdown-sync-timeout: "5s"\n'
        "dbs:\n"
        '  - path: "/d/main.db"\n'
        '    meta-path: "/d/own/litestream/main"\n'
        '    monitor-interval: "250ms"\n'
        "    truncate-page-n: 50000\n"
        "    replica:\n"
        '      type: "file"\n'
        '      path: "/r/main"\n'
        '      sync-interval: "1s"\n'
    )


@given(st.text())
def test_any_text_is_one_line(text):
    assert "\n" not in render._scalar(text)
    assert json.loads(render._scalar(text)) == text


def test_what_was_known_is_forgotten_but_not_who_is_running(tmp_path):
    render.forget_state(tmp_path)
    known = tmp_path / "own" / "litestream"
    for name in ("main", "tide", "own/jobs"):
        (known / name / "ltx").mkdir(parents=True)
    (known / "lock").touch()
    render.forget_state(tmp_path, ["main.db", "missing.db"])
    assert sorted(path.name for path in known.iterdir()) == ["lock", "own", "tide"]
    render.forget_state(tmp_path)
    assert [path.name for path in known.iterdir()] == ["lock"]
