"""The chat example runs, and its README tells the truth."""

import json
import subprocess

import httpx
import pytest

from tests.examples.curl_lines import ADDRESS, lines_of, run_lines, streams_of
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


def log_in(server, name, password):
    login = {"email_or_username": f"{name}@chat.example", "password": password}
    return httpx.post(f"{server.url}/api/auth/v1/login", json=login).json()["auth_token"]


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
    assert len(answers) == 5, "a correction has no body"


def test_messages_are_signed_by_the_view(answers):
    records = answers[4]["records"]
    assert {r["author"] for r in records} == {"Alice", "Bob"}
    assert all("_owner" not in r and r["room"] == KITCHEN for r in records)


def test_a_subscription_tells_what_is_said_from_now_on(server):
    (line,) = streams_of(CHAT / "README.md")
    script = f"TOKEN={log_in(server, 'bob', 'writes-a-lot')}\nexec {line}"
    script = script.replace(ADDRESS, server.url)
    with subprocess.Popen(["bash", "-c", script], stdout=subprocess.PIPE, text=True) as curl:
        try:
            assert curl.stdout.readline() == ": ping\n"
            alice = {"authorization": f"Bearer {log_in(server, 'alice', 'speaks-softly')}"}
            message = {"room": KITCHEN, "data": "Listening?"}
            url = f"{server.url}/api/records/v1/message_api"
            assert httpx.post(url, json=message, headers=alice).status_code == 200
            data = next(line for line in curl.stdout if line.startswith("data: "))
            event = json.loads(data.removeprefix("data: "))
            assert (event["seq"], event["Insert"]["data"]) == (1, "Listening?")
        finally:
            curl.terminate()


def test_names_are_read_and_changed_by_their_owner_only(server):
    profiles = f"{server.url}/api/records/v1/profiles"
    carol = {"authorization": f"Bearer {log_in(server, 'carol', 'reads-along')}"}
    (mine,) = httpx.get(profiles, headers=carol).json()["records"]
    assert mine["name"] == "Carol"
    assert httpx.get(profiles).status_code == 403
    for number in (1, 2):
        answer = httpx.patch(f"{profiles}/{number}", json={"name": "Me"}, headers=carol)
        assert answer.status_code == 403
    answer = httpx.patch(f"{profiles}/{mine['id']}", json={"name": "Caro"}, headers=carol)
    assert answer.status_code == 200
    assert httpx.get(f"{server.url}/api/records/v1/signed_messages").status_code == 403


def test_all_lines_were_found():
    assert len(lines_of(CHAT / "README.md")) == 7
    assert len(streams_of(CHAT / "README.md")) == 1
