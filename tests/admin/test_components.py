"""Components through the admin API."""

import pytest

from tests.wasm.binary import component

WASM = "/api/_admin/wasm"


@pytest.fixture
async def admin(pier):
    pier.write("precious.wasm", "keep me")
    (pier.root / "wasm").mkdir()
    (pier.root / "wasm" / "boat.wasm").write_bytes(component(["a:b/c"]))
    async with pier.opened() as (depot, web):
        web.headers.update(await pier.boss(depot))
        yield web


async def listed(admin):
    found = (await admin.get(WASM)).json()["components"]
    return [(one["path"], one["repo_id"], one["installed"], one["loaded"]) for one in found]


async def test_what_is_there_comes_before_what_could_be(admin, pier):
    (pier.root / "wasm" / "auth_ui_component.wasm").write_bytes(component())
    assert await listed(admin) == [
        ("wasm/auth_ui_component.wasm", "trailbase/auth_ui", True, False),
        ("wasm/boat.wasm", None, True, False),
        ("wasm/trailbase_tetris_component.wasm", "trailbase/tetris", False, False),
    ]


async def test_a_component_is_removed(admin):
    answer = await admin.post(f"{WASM}/uninstall", json={"Path": "wasm/boat.wasm"})
    assert (answer.status_code, answer.text) == (200, "")
    assert all(path != "wasm/boat.wasm" for path, *_ in await listed(admin))


@pytest.mark.parametrize(
    ("action", "body", "status"),
    [
        ("install", {"RepoId": "trailbase/auth_ui"}, 412),
        ("install", {"RepoId": "nobody/nothing"}, 412),
        ("install", {"Path": "wasm/x.wasm"}, 412),
        ("install", {"Path": 5}, 422),
        ("install", [], 422),
        ("uninstall", {"Path": "precious.wasm"}, 412),
        ("uninstall", {"Path": "../depot/precious.wasm"}, 412),
        ("uninstall", {"RepoId": "nobody/nothing"}, 412),
        ("uninstall", {"RepoId": "trailbase/tetris"}, 412),
        ("uninstall", {}, 422),
        ("uninstall", {"RepoId": "x", "Path": "y"}, 422),
    ],
)
async def test_everything_else_is_refused(admin, pier, action, body, status):
    assert (await admin.post(f"{WASM}/{action}", json=body)).status_code == status
    assert (pier.root / "precious.wasm").exists()
