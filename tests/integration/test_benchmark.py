"""The benchmark's harness works: seeds, starts, loads, reports. Figures are not looked at."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.serving import ROOT


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not on this machine")
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="server and load need a core each")
@pytest.mark.timeout(120)
def test_each_kind_of_request_is_answered(tmp_path):
    works = ["read_64", "public_64", "insert_8", "list_16", "list_public_16", "login_4"]
    command = [sys.executable, ROOT / "benchmarks" / "run.py", "--alone", "--seconds", "1"]
    command += ["--repeat", "1", "--out", tmp_path, *(f"--only={work}" for work in works)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = json.loads(next(tmp_path.glob("*.json")).read_text())
    assert sorted(outcome["loads"]) == sorted(works)
    table = next(tmp_path.glob("*.md")).read_text()
    assert "| read by key with a membership rule, 64 connections | - |" in table
