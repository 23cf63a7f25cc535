"""Where a replica is, as an operator writes it."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.errors import OperatorError
from trailbase_server.replication.target import Bucket, Directory, parse_target, place_of


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("/mnt/replica", Directory(Path("/mnt/replica"))),
        ("file:///mnt/a%20b", Directory(Path("/mnt/a b"))),
        ("s3://pier", Bucket("pier")),
        ("s3://pier/", Bucket("pier")),
        ("s3://pier/a/b/", Bucket("pier", "a/b")),
        (
            "s3://pier/a?endpoint=http://127.0.0.1:9000&region=eu-1",
            Bucket("pier", "a", "http://127.0.0.1:9000", "eu-1"),
        ),
    ],
)
def test_a_target_is_read(text, target):
    assert parse_target(text) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mnt",
        "file://host/x",
        "file:x",
        "http://x",
        "s3://",
        "s3://-x/y",
        "s3://b?endpoint=ftp://x",
        "s3://b?endpoint=http://u:p@x",
        "s3://b?endpoint=http://x:y",
        "s3://b?color=red",
        "s3://b?region=a&region=b",
        "s3://b?region",
        "s3://b#x",
        "s3://[b",
        "/a\nb",
        "file:///a%00b",
    ],
)
def test_what_is_no_target_is_refused(text):
    with pytest.raises(OperatorError, match="is no place for a replica"):
        parse_target(text)


def test_keys_in_a_url_are_refused_and_not_repeated():
    with pytest.raises(OperatorError) as caught:
        parse_target("s3://AKIA:secret@pier/x")
    assert "secret" not in str(caught.value)
    assert "environment" in str(caught.value)


def test_keys_are_not_shown():
    bucket = Bucket("pier", "x", access_key="AKIA", secret_access_key="hidden")
    assert "AKIA" not in repr(bucket) + str(bucket)
    assert "hidden" not in repr(bucket) + str(bucket)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1))
def test_a_directory_reads_back(name):
    target = Directory(Path("/") / name.replace("/", "_"))
    assert parse_target(str(target)) == target


@given(st.text(max_size=30))
def test_any_text_is_a_target_or_refused(text):
    with suppress(OperatorError):
        parse_target(text)


def test_every_database_has_a_place_of_its_own():
    assert place_of(Directory(Path("/r")), "own/jobs.db") == "/r/own/jobs"
    assert place_of(Bucket("b"), "main.db") == "main"
    assert place_of(Bucket("b", "a/b"), "main.db") == "a/b/main"


def test_a_bucket_is_completed():
    other = Bucket("pier", "x", "http://e", "r", "k", "s")
    assert Bucket("pier", "y", region="q").with_keys_of(other) == Bucket(
        "pier", "y", "http://e", "q", "k", "s"
    )
