"""The files of the operations page."""

import re

import pytest

from trailbase_server.admin.pages import FILES

PAGE = "/_/admin"


@pytest.fixture
async def web(pier):
    async with pier.opened() as (_, web):
        yield web


async def assets(web):
    text = (await web.get(PAGE)).text
    return re.findall(r'(?:href|src)="(/_/admin/assets/[0-9a-f]{16}/[\w.]+)"', text)


@pytest.mark.parametrize(
    "path", ["", "/", "/tables", "/a/b/c", "/nothing.js", "/%2e%2e/etc", "/%00"]
)
async def test_every_path_is_the_page(web, path):
    answer = await web.get(PAGE + path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "cache-control" not in answer.headers
    assert "<h1" in answer.text


async def test_what_it_refers_to_is_kept_for_good(web):
    found = await assets(web)
    assert {url.rpartition("/")[2] for url in found} == {"admin.css", "icon.svg", "main.js"}
    for url in found:
        answer = await web.get(url)
        assert answer.status_code == 200
        assert "html" not in answer.headers["content-type"]
        assert answer.headers.get_list("cache-control") == ["public", "max-age=604800", "immutable"]


async def test_the_scripts_import_each_other(web):
    base = (await assets(web))[0].rpartition("/")[0]
    for name in re.findall(r'from "\./(\w+\.js)"', (FILES / "main.js").read_text()):
        answer = await web.get(f"{base}/{name}")
        assert answer.headers["content-type"] == "text/javascript; charset=utf-8"


async def test_another_hash_is_another_file(web):
    url = (await assets(web))[0]
    answer = await web.get(re.sub("[0-9a-f]{16}", "0" * 16, url))
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_nothing_foreign_runs_on_it(web):
    headers = (await web.get(PAGE)).headers
    policy = dict(
        part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["form-action"] == "'none'"
    page = (FILES / "index.html").read_text()
    assert not re.search(r"<script[^>]*>[^<]|<style| on\w+=| style=|https?://", page)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_it_is_only_for_reading(web, method):
    answer = await web.request(method, f"{PAGE}/")
    assert (answer.status_code, answer.text) == (405, "Method not allowed")


async def test_head_answers_like_get(web):
    answer = await web.head(f"{PAGE}/")
    assert (answer.status_code, answer.content) == (200, b"")


async def test_it_goes_with_administration(pier):
    async with pier.opened(no_admin=True) as (_, web):
        assert (await web.get(PAGE)).status_code == 404
