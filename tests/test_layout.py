"""The house's rules about files, checked."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "trailbase_server"
MODULES = sorted(
    path.relative_to(SOURCE)
    for path in SOURCE.rglob("*.py")
    if "proto" not in path.parts and path.name not in {"__init__.py", "__main__.py"}
)
# Data without behaviour of its own, or proven by the tests of what is built on it.
WITHOUT_OWN_TEST: dict[str, str] = {
    "db/base.py": "a contract: tests/sqlite runs it",
    "db/values.py": "type aliases",
    "db/dialect.py": "two expressions, tested with odd names in tests/sqlite",
    "db/errors.py": "tests/test_errors.py",
    "schema/model.py": "dataclasses: tests/schema",
    "records/insert_plan.py": "a named tuple: tests/records/test_inserts.py",
    "web/route.py": "a dataclass: tests/web/test_router.py",
    "web/request.py": "a slotted class: tests/web",
    "web/response.py": "a slotted class: tests/web",
    "web/authenticator.py": "a contract: tests/web/test_dispatch.py",
    "web/identity.py": "a dataclass: tests/auth/test_verified.py",
    "web/errors.py": "tests/test_errors.py",
    "server/acme/errors.py": "two classes: tests/server/acme/test_keeper.py",
    "server/options.py": "a dataclass: tests/cli/test_run.py",
    "admin/state.py": "a dataclass: tests/admin",
}
LONG: dict[str, str] = {}
CEILING = 500


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_every_module_has_a_test_file_of_its_own(module):
    own = ROOT / "tests" / module.parent / f"test_{module.name}"
    if str(module) in WITHOUT_OWN_TEST:
        assert not own.exists(), f"{module} has a test now: strike it off the list"
    else:
        assert own.exists(), f"tests/{module.parent}/test_{module.name} is missing"


def test_every_test_file_belongs_to_a_module():
    stray = [
        path.relative_to(ROOT)
        for package in SOURCE.iterdir()
        if package.is_dir()
        for path in (ROOT / "tests" / package.name).glob("test_*.py")
        if not (SOURCE / package.name / path.name.removeprefix("test_")).exists()
    ]
    assert stray == []


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_no_module_is_too_long_and_each_says_what_it_is(module):
    text = (SOURCE / module).read_text()
    if str(module) not in LONG:
        assert text.count("\n") <= CEILING
    assert text.startswith(('"""', 'r"""')), "the first line says which room this is"


def test_no_package_is_a_drawer():
    names = {path.stem for path in SOURCE.rglob("*.py")}
    assert names.isdisjoint({"utils", "helpers", "common", "misc", "manager"})
