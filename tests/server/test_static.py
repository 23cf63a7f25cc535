import httpx
import pytest

from trailbase_server.server.static import PublicDirectory


@pytest.fixture
def files(tmp_path):
    for name, text in {
        "index.html": "front",
        "app.js": "let a;",
        "sub/index.html": "sub",
        "sub/page.html": "page",
    }.items():
        path = tmp_path / "public" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "secret.txt").write_text("secret")
    return tmp_path / "public"


def client(files, *, spa=False):
    transport = httpx.ASGITransport(PublicDirectory(files, spa=spa))
    return httpx.AsyncClient(transport=transport, base_url="http://static.test")


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/", 200, "front"),
        ("/app.js", 200, "let a;"),
        ("/sub/", 200, "sub"),
        ("/sub/page.html", 200, "page"),
        ("/missing.html", 404, "Not found"),
        ("/app.js/", 404, "Not found"),
        ("/..%2fsecret.txt", 404, "Not found"),
        ("/%2e%2e/secret.txt", 404, "Not found"),
        ("/..%5csecret.txt", 404, "Not found"),
        ("/app.js%00", 404, "Not found"),
        ("/api/nothing", 404, ""),
        ("/_/nothing", 404, ""),
    ],
)
async def test_what_a_path_leads_to(files, path, status, body):
    async with client(files) as web:
        answer = await web.get(path)
        assert (answer.status_code, answer.text) == (status, body)


async def test_a_directory_without_slash_is_redirected_with_its_query(files):
    async with client(files) as web:
        answer = await web.get("/sub?a=1")
        assert (answer.status_code, answer.headers["location"]) == (307, "/sub/?a=1")


async def test_other_methods_are_refused(files):
    async with client(files) as web:
        answer = await web.post("/app.js")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET,HEAD")


async def test_a_file_that_has_not_changed_is_304(files):
    async with client(files) as web:
        tag = (await web.get("/app.js")).headers["etag"]
        assert (await web.get("/app.js", headers={"if-none-match": tag})).status_code == 304


async def test_the_fallback_is_for_pages_only(files):
    async with client(files, spa=True) as web:
        assert (await web.get("/some/view")).text == "front"
        assert (await web.get("/missing.js")).status_code == 404
        assert (await web.get("/api/nothing")).status_code == 404


BR = {"accept-encoding": "gzip;q=0.5, br"}


async def test_packed_neighbours_are_sent_to_whoever_takes_them(files):
    (files / "app.js.br").write_bytes(b"as br")
    (files / "app.js.gz").write_bytes(b"as gzip")
    async with client(files) as web:
        for accepted, encoding, size in (
            ("br, gzip", "br", 5),
            ("gzip", "gzip", 7),
            ("br;q=0, GZIP;q=0.1", "gzip", 7),
            ("identity", None, 6),
            ("", None, 6),
        ):
            answer = await web.head("/app.js", headers={"accept-encoding": accepted})
            assert answer.headers.get("content-encoding") == encoding
            assert answer.headers["content-length"] == str(size)
            assert answer.headers["content-type"].startswith("text/javascript")
            assert answer.headers["vary"] == "accept-encoding"


async def test_a_packed_form_is_fresh_by_its_own_mark(files):
    (files / "app.js.br").write_bytes(b"as br")
    async with client(files) as web:
        packed = (await web.head("/app.js", headers=BR)).headers["etag"]
        assert (
            packed != (await web.head("/app.js", headers={"accept-encoding": ""})).headers["etag"]
        )
        again = await web.get("/app.js", headers={**BR, "if-none-match": packed})
        assert (again.status_code, again.headers["vary"]) == (304, "accept-encoding")


async def test_what_is_only_there_packed_is_not_there(files):
    (files / "lost.css.br").write_bytes(b"as br")
    async with client(files) as web:
        assert (await web.get("/lost.css", headers=BR)).status_code == 404
        assert "vary" not in (await web.get("/app.js", headers=BR)).headers


async def test_browsers_do_not_guess_types(files):
    async with client(files) as web:
        for path in ("/", "/app.js", "/missing"):
            assert (await web.get(path)).headers["x-content-type-options"] == "nosniff"
