"""
Components, as administrators see them: files that wait for something to run them.

Nothing is fetched from anywhere, and no path of a request leads out of ``wasm/``.
"""

from pathlib import Path
from typing import Any

from trailbase_server.errors import PreconditionError, UnprocessableError
from trailbase_server.wasm.files import DIRECTORY, FIRST_PARTY, ComponentFiles
from trailbase_server.web.audit import annotate
from trailbase_server.web.body import decode_json_only
from trailbase_server.web.request import Request
from trailbase_server.web.response import Response, empty, json_value


def list_components(state: ComponentFiles, _request: Request) -> Response:
    """
    Answer with the installed ones, then with those of the reference that are not.

    Spec:
        admin-api/wasm-components
    """
    installed = {path.name for path in state.installed()}
    components = [_render(name, is_installed=True) for name in sorted(installed)]
    components += [
        _render(names[0], is_installed=False)
        for names in FIRST_PARTY.values()
        if not installed.intersection(names)
    ]
    return json_value({"components": components})


def install_component(_state: ComponentFiles, request: Request) -> Response:
    """
    Refuse: the reference's components are not for this server, and others have no place to be
    fetched from. ``trail components add`` takes files.

    Raises:
        PreconditionError: Always; it says why.

    Spec:
        admin-api/wasm-components
    """
    kind, name = _reference(request)
    if kind == "Path":
        raise PreconditionError("precondition failed: repo id required")
    if name not in FIRST_PARTY:
        raise PreconditionError("precondition failed: component not found")
    raise PreconditionError(
        f"precondition failed: {name} is a component of another server and is not fetched; "
        "add files with `trail components add`"
    )


def uninstall_component(state: ComponentFiles, request: Request) -> Response:
    """
    Remove a file of ``wasm/``.

    Raises:
        ComponentError: There is none, or it is elsewhere.

    Spec:
        admin-api/wasm-components
    """
    _, name = _reference(request)
    annotate(object=name)
    state.remove(name)
    return empty()


def _reference(request: Request) -> tuple[str, str]:
    body = decode_json_only(request)
    if isinstance(body, dict) and len(body) == 1:
        ((kind, name),) = body.items()
        if kind in ("RepoId", "Path") and isinstance(name, str):
            return kind, name
    raise UnprocessableError("expected one member, `RepoId` or `Path`")


def _render(file: str, *, is_installed: bool) -> dict[str, Any]:
    repo_id = next((key for key, names in FIRST_PARTY.items() if file in names), None)
    return {
        "name": Path(file).stem,
        "path": f"{DIRECTORY}/{file}",
        "repo_id": repo_id,
        "loaded": False,
        "installed": is_installed,
        "display_name": None,
        "description": None,
        "icon": None,
        "guest_runtime": None,
        "version": None,
        "admin_ui_path": None,
    }
