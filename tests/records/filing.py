"""Record APIs with file columns, and what is in the store behind them."""

import base64
import json
from pathlib import Path

from tests.records.conftest import api
from tests.records.writing import MULTIPART, QUEUE, open_site
from trailbase_server.errors import AppError
from trailbase_server.records.files import download_file, download_listed_file
from trailbase_server.web.errors import error_response
from trailbase_server.web.request import Request

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452") + b"pixels"
PDF = b"%PDF-1.4 pages"
SCHEMA = f"""{QUEUE}
CREATE TABLE exhibit (id INTEGER PRIMARY KEY, title TEXT, owner TEXT,
  cover TEXT CHECK (jsonschema('std.FileUpload', cover)),
  stamp TEXT CHECK (jsonschema('std.FileUpload', stamp, 'image/png, image/jpeg')),
  gallery TEXT CHECK (jsonschema('std.FileUploads', gallery)),
  _draft TEXT CHECK (jsonschema('std.FileUpload', _draft))) STRICT;
CREATE TABLE poster (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  sheet TEXT CHECK (jsonschema('std.FileUpload', sheet))) STRICT;
CREATE TABLE card (id INTEGER PRIMARY KEY NOT NULL, scan TEXT
  CHECK (jsonschema('std.FileUpload', scan))) STRICT, WITHOUT ROWID;
CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT) STRICT;
CREATE VIEW exhibit_list AS SELECT id, cover, gallery FROM exhibit;
"""
ALL = "acl_world: [CREATE, READ, UPDATE, DELETE]"
CONFIG = "\n".join(
    (
        api("exhibit", "exhibit", ALL),
        api("exhibit_list", "exhibit_list", ALL),
        api("hidden", "exhibit", ALL, 'excluded_columns: ["cover"]'),
        api(
            "ruled",
            "exhibit",
            ALL,
            "create_access_rule: \"_REQ_.owner = 'me'\"",
            "read_access_rule: \"_ROW_.owner = 'me'\"",
            "update_access_rule: \"_ROW_.owner = 'me'\"",
            "delete_access_rule: \"_ROW_.owner = 'me'\"",
        ),
        api("shut", "exhibit"),
        api("same", "exhibit", ALL, 'update_access_rule: "_REQ_.cover = _ROW_.cover"'),
        api("poster", "poster", ALL),
        api("upsert", "poster", ALL, "conflict_resolution: REPLACE"),
        api("ignore", "poster", ALL, "conflict_resolution: IGNORE"),
        api("card", "card", ALL),
        api("note", "note", ALL),
    )
)


def file(data, name=None, kind=None):
    entry = {"data": base64.b64encode(data).decode()}
    if name is not None:
        entry["filename"] = name
    if kind is not None:
        entry["content_type"] = kind
    return entry


def form(*parts):
    """Render texts as pairs, files as (name, content, filename, type)."""
    body = b""
    for name, content, *more in parts:
        filename = f'; filename="{more[0]}"' if more else ""
        typed = f"Content-Type: {more[1]}\r\n" if len(more) > 1 else ""
        body += f'--b\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n'.encode()
        body += typed.encode() + b"\r\n"
        body += (content if isinstance(content, bytes) else content.encode()) + b"\r\n"
    return body + b"--b--\r\n"


class Files:
    """A site with files."""

    def __init__(self, site):
        self.site = site
        self.state = site.state

    def __getattr__(self, name):
        return getattr(self.site, name)

    def objects(self):
        """Keys of all stored objects."""
        return sorted(p.name for p in self.uploads.iterdir() if p.is_file())

    def spooled(self):
        directory = self.uploads / ".incoming"
        return list(directory.iterdir()) if directory.is_dir() else []

    def referred(self):
        """Keys that some row refers to."""
        columns = ("cover", "stamp", "gallery", "_draft")
        texts = [t for c in columns for (t,) in self.rows(f"SELECT {c} FROM exhibit")]
        texts += [t for (t,) in self.rows("SELECT sheet FROM poster")]
        texts += [t for (t,) in self.rows("SELECT scan FROM card")]
        values = [json.loads(t) for t in texts if t is not None]
        entries = [e for v in values for e in (v if isinstance(v, list) else [v])]
        return sorted(entry["id"] for entry in entries)

    def queue(self):
        return self.rows("SELECT table_name, column_name, attempts, errors FROM _file_deletions")

    def check_tidy(self):
        """Every object has its row, every row its objects, and nothing is left to do."""
        assert self.objects() == self.referred()
        assert self.queue() == []
        assert self.spooled() == []

    def stored(self, column, table="exhibit", key=1):
        ((text,),) = self.rows(f"SELECT {column} FROM {table} WHERE id = ?1", key)
        return None if text is None else json.loads(text)

    def shown(self, column, **more):
        """Metadata as clients see it."""
        value = self.stored(column, **more)
        for entry in value if isinstance(value, list) else [value]:
            entry.pop("id")
        return value

    async def create_form(self, api, *parts):
        return await self.create(api, form(*parts), content_type=MULTIPART)

    async def create_stream(self, api, *parts, size=50_000):
        """The same, arriving in pieces."""
        body = form(*parts)

        async def pieces():
            for at in range(0, len(body), size):
                yield body[at : at + size]

        return await self.stream("POST", {"api": api}, pieces())

    async def stream(self, method, params, pieces):
        from trailbase_server.records.create import create_records
        from trailbase_server.records.update import update_record

        request = Request(method, "/", headers=[(b"content-type", MULTIPART)], params=params)
        request.stream = pieces
        handler = create_records if method == "POST" else update_record
        try:
            response = await handler(self.state, request)
        except AppError as exc:
            response = error_response(exc)
        return response.status, response.body.decode()

    async def download(self, api, record, column, name=None, **headers):
        """Call a download handler; returns status, headers and content."""
        params = {"api": api, "record": str(record), "column": column}
        if name is not None:
            params["filename"] = name
        lines = [(n.replace("_", "-").encode(), v.encode()) for n, v in headers.items()]
        request = Request("GET", "/", headers=lines, params=params)
        handler = download_file if name is None else download_listed_file
        try:
            response = await handler(self.state, request)
        except AppError as exc:
            response = error_response(exc)
        body = response.body
        if response.stream is not None:
            body = b"".join([chunk async for chunk in response.stream])
        return response.status, dict(response.headers), body


def open_files(tmp_path: Path):
    return open_site(tmp_path, SCHEMA, CONFIG)
