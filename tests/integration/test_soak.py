"""The soak test's harness works: it counts right, and sees what is wrong."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from tests.serving import ROOT

SPEC = importlib.util.spec_from_file_location("stream", ROOT / "benchmarks" / "stream.py")
stream = importlib.util.module_from_spec(SPEC)
sys.modules["stream"] = stream  # where its dataclass looks for itself
SPEC.loader.exec_module(stream)

NONE = {"missing": 0, "repeated": 0, "foreign": 0, "gaps": 0, "disordered": 0, "losses": 0}


def insert(seq, writer, number):
    return {"Insert": {"id": "x", "data": f"{writer} {number} 1000000 hello there"}, "seq": seq}


def faults_of(*events):
    """What is found when writer 0 has inserted two and writer 1 one."""
    pieces = [(3_000_000, f"data: {json.dumps(event)}\n\n".encode()) for event in events]
    found, latencies = stream.read_stream(pieces, [2, 1])
    assert all(latency == 2.0 for latency in latencies)
    return {name: count for name in NONE if (count := getattr(found, name))}


def test_a_whole_stream_has_no_faults():
    assert faults_of(insert(1, 0, 0), insert(2, 1, 0), insert(3, 0, 1)) == {}


@pytest.mark.parametrize(
    ("events", "faults"),
    [
        ([insert(1, 0, 0), insert(2, 1, 0)], {"missing": 1}),
        ([insert(1, 0, 0), insert(3, 1, 0), insert(4, 0, 1)], {"gaps": 2}),
        ([insert(1, 0, 1), insert(2, 1, 0), insert(3, 0, 0)], {"disordered": 1}),
        (
            [insert(1, 0, 0), insert(2, 1, 0), insert(3, 0, 1), insert(4, 1, 0)],
            {"repeated": 1, "disordered": 1},
        ),
        (
            [insert(1, 0, 0), insert(2, 1, 0), insert(3, 0, 1), insert(4, 0, 2)],
            {"foreign": 1},
        ),
        (
            [insert(1, 0, 0), {"Error": {"status": 2, "message": None}, "seq": 2}],
            {"missing": 2, "losses": 1},
        ),
    ],
)
def test_each_fault_is_seen(events, faults):
    assert faults_of(*events) == faults


async def test_streams_cut_anywhere_have_the_same_length_and_checksum():
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    texts = [b": ping\n\n", b"data: 1\n\n", b":\n\n", b"data: 23\n\ndata: 4\n\n"]
    whole = head + b"".join(b"%x\r\n%b\r\n" % (len(text), text) for text in texts)
    seen = set()
    for step in range(1, len(whole) + 1):
        kept = []
        listener = stream.Listener(b"", kept)
        for at in range(0, len(whole), step):
            listener.data_received(whole[at : at + step])
        assert b" 200 " in listener.opened.result()
        seen.add((listener.length, listener.checksum, b"".join(text for _, text in kept)))
    assert {text for _, _, text in seen} == {texts[1] + texts[3]}
    assert len(seen) == 1


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="server and load need a core each")
@pytest.mark.timeout(120)
def test_a_short_run_passes_and_writes_its_figures(tmp_path):
    command = [sys.executable, ROOT / "benchmarks" / "soak.py", "--subscribers", "20"]
    command += ["--users", "2", "--writers", "4", "--rate", "100", "--seconds", "2"]
    command += ["--warm-up", "40"]
    done = subprocess.run(
        [*command, "--out", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(next(tmp_path.glob("*.json")).read_text())
    assert (outcome["complete"], outcome["inserted"], outcome["first"]["events"]) == (20, 200, 200)
    assert outcome["first"] == {**NONE, "events": 200}
    assert "| faults | none |" in next(tmp_path.glob("*.md")).read_text()
