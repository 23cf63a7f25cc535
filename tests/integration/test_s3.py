"""A depot whose files are in a bucket: a real S3 server, taken down in the middle."""

import json

import apsw
import httpx
import pytest

from tests.integration.test_upload_crash import API, form, make_depot
from tests.serving import Server
from tests.storage.conftest import make_bucket, serve_s3

SETTINGS = """
server {{ application_name: "posters" s3_storage_config {{
  endpoint: "{}" region: "us-east-1" bucket_name: "posters" access_key: "k" secret_access_key: "s"
}} }}
"""
FORM = {"content-type": "multipart/form-data; boundary=b"}


def queue(depot):
    path = str(depot / "data" / "main.db")
    connection = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE)
    rows = connection.execute("SELECT attempts FROM _file_deletions").fetchall()
    connection.close()
    return rows


@pytest.mark.timeout(120)
def test_files_live_in_a_bucket_and_survive_its_absence(tmp_path):
    depot = make_depot(tmp_path / "depot")
    content = bytes(range(256)) * 25_000  # more than one part
    with serve_s3() as s3:
        make_bucket(s3.url, "posters")
        config = depot / "config.textproto"
        plain = config.read_text().replace('server { application_name: "posters" }', "")
        config.write_text(plain + SETTINGS.format(s3.url))
        with Server(depot) as server, httpx.Client(base_url=server.url, timeout=60) as client:
            answer = client.post(API, content=form("one", content[:300_000]), headers=FORM)
            assert answer.json() == {"ids": ["1"]}
            assert [p for p in (depot / "uploads").rglob("*") if p.is_file()] == []
            assert client.get(f"{API}/1/file/sheet").content == content[:300_000]
            part = client.get(f"{API}/1/file/sheet", headers={"range": "bytes=1000-1999"})
            assert (part.status_code, part.content) == (206, content[1000:2000])
            answer = client.patch(
                f"{API}/1", content=form("two", content[:3_000_000]), headers=FORM
            )
            assert answer.status_code == 200
            assert client.get(f"{API}/1/file/sheet").content == content[:3_000_000]
            assert queue(depot) == []
            before = client.get(f"{API}/1").json()

            s3.stop()
            answer = client.patch(f"{API}/1", content=form("lost", b"x"), headers=FORM)
            assert answer.status_code == 503
            entry = {"sheet": {"data": "AAAA"}}
            answer = client.post(API, content=json.dumps({"name": "lost", **entry}))
            assert answer.status_code == 503
            assert client.get(f"{API}/1/file/sheet").status_code == 503
            assert client.get(f"{API}/1").json() == before
            assert client.get(API).json()["records"] == [before]
            # What may be in the bucket is deleted when it is back.
            assert len(queue(depot)) == 2
            assert client.delete(f"{API}/1").text == "deleted"
            assert sorted(queue(depot)) == [(0,), (0,), (1,), (1,)]
