"""The chat example runs, and its README tells the truth."""

import pytest

from tests.examples.curl_lines import lines_of, run_lines
from tests.serving import ROOT, Server, copy_depot

CHAT = ROOT / "examples" / "chat"
KITCHEN = "AZOl1MAAcACAAAAAAAAAEA=="


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Server(copy_depot(CHAT / "depot", tmp_path_factory.mktemp("chat") / "depot")) as server:
        yield server


@pytest.fixture(scope="module")
def answers(server):
    return run_lines(CHAT / "README.md", server)


def test_everybody_reads_the_notices(answers):
    records = answers[0]["records"]
    assert [r["room"]["data"]["name"] for r in records] == ["Workshop", "Kitchen"]


def test_a_member_reads_the_room(answers):
    records = answers[1]["records"]
    assert [r["data"] for r in records] == [
        "It is in the workshop, sorry.",
        "Who took the big pot?",
    ]
    assert all("_owner" not in r and r["room"]["id"] == KITCHEN for r in records)


def test_a_member_writes_and_corrects(answers):
    assert len(answers[2]["ids"]) == 1
    assert answers[3]["data"] == "Who took the big pot?"
    assert len(answers) == 4, "a correction has no body"


def test_all_lines_were_found():
    assert len(lines_of(CHAT / "README.md")) == 6
