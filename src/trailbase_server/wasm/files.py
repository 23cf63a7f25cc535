"""
The component files of a depot: directly in ``wasm/``, nowhere else.

Names from outside are names of files there, never paths: whoever may add or remove components must
not get at anything else. A file is written beside its place and moved, so nobody sees half of it.
"""

import os
import re
import zipfile
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import IO

from msgspec import Struct

from trailbase_server.errors import PreconditionError
from trailbase_server.wasm.interfaces import Package, read_packages

DIRECTORY = "wasm"
MAX_COMPONENT_BYTES = 256 * 1024 * 1024  # of a file: a whole JavaScript engine has some 20 MiB
MAX_ARCHIVE_MEMBERS = 1024  # of a ZIP file, whatever they are: their list is kept in memory
FIRST_PARTY = {
    "trailbase/auth_ui": ("trailbase_auth_ui_component.wasm", "auth_ui_component.wasm"),
    "trailbase/tetris": ("trailbase_tetris_component.wasm",),
}
"""Components of the reference server by id: the names their files have."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.wasm")
_MAGIC = b"\x00asm"
_COPY_BYTES = 1024 * 1024  # read at once


class ComponentError(PreconditionError):
    """A component cannot be added or removed; the message says why."""


class ComponentFiles(Struct, frozen=True):
    """
    The files.

    Attributes:
        depot: The depot's directory.
    """

    depot: Path

    @property
    def directory(self) -> Path:
        """Where they are."""
        return self.depot / DIRECTORY

    def installed(self) -> list[Path]:
        """All of them, by name."""
        if not self.directory.is_dir():
            return []
        return sorted(
            path
            for path in self.directory.iterdir()
            if path.suffix == ".wasm" and path.is_file() and not path.is_symlink()
        )

    def packages(self, path: Path) -> list[Package]:
        """
        Look into an installed file.

        Raises:
            InvalidComponentError: It is no component.
            ComponentError: It is too large to be one.
        """
        if path.stat().st_size > MAX_COMPONENT_BYTES:
            raise ComponentError(f"{path.name} is larger than {MAX_COMPONENT_BYTES} bytes")
        return read_packages(path.read_bytes())

    def add(self, source: Path) -> list[Path]:
        """
        Add a ``.wasm`` file, or all that a ``.zip`` file holds; those of the same name go.

        Returns:
            Where they are now.

        Raises:
            ComponentError: It cannot be read, is no such file, or holds what is no component; then
                nothing has changed.
        """
        try:
            if source.suffix == ".zip":
                return self._add_archive(source)
            with source.open("rb") as file:
                return self._place([(source.name, file)])
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as exc:
            # The latter two: an archive that is packed or encrypted in a way of its own.
            raise ComponentError(f"cannot add '{source}': {exc}") from exc

    def remove(self, name: str) -> list[Path]:
        """
        Remove a file, or those of a first-party id.

        Args:
            name: ``x.wasm``, ``wasm/x.wasm`` or the id.

        Raises:
            ComponentError: There is none.
        """
        if name in FIRST_PARTY:
            paths = [self.directory / file for file in FIRST_PARTY[name]]
        else:
            paths = [self._path_of(name)]
        there = [path for path in paths if path.is_file() or path.is_symlink()]
        if not there:
            raise ComponentError(f"component not found: '{name}'")
        for path in there:
            path.unlink()
        return there

    def _path_of(self, name: str) -> Path:
        given = PurePosixPath(name)
        is_inside = given.parent in (PurePosixPath(), PurePosixPath(DIRECTORY))
        if not is_inside or not _NAME.fullmatch(given.name):
            raise ComponentError(f"not a file of '{DIRECTORY}/': '{name}'")
        return self.directory / given.name

    def _add_archive(self, source: Path) -> list[Path]:
        with ExitStack() as stack:
            archive = stack.enter_context(zipfile.ZipFile(source))
            if len(archive.infolist()) > MAX_ARCHIVE_MEMBERS:
                raise ComponentError(f"'{source}' has more than {MAX_ARCHIVE_MEMBERS} members")
            members = [one for one in archive.infolist() if one.filename.endswith(".wasm")]
            # By base name alone: directories in an archive lead nowhere.
            named = {re.split(r"[/\\]", one.filename)[-1]: one for one in members}
            if not members or len(named) != len(members):
                raise ComponentError(f"'{source}' must hold .wasm files of different names")
            return self._place(
                [(name, stack.enter_context(archive.open(one))) for name, one in named.items()]
            )

    def _place(self, sources: list[tuple[str, IO[bytes]]]) -> list[Path]:
        """Copy all beside their places, then move them there."""
        self.directory.mkdir(exist_ok=True)
        copied: list[tuple[Path, Path]] = []
        try:
            for name, file in sources:
                if not _NAME.fullmatch(name):
                    raise ComponentError(f"not a name for a component: '{name}'")
                place = self.directory / name
                beside = self.directory / f".{name}.part"
                copied.append((beside, place))
                _copy(name, file, beside)
            for beside, place in copied:
                beside.replace(place)
        finally:
            for beside, _ in copied:
                beside.unlink(missing_ok=True)
        return [place for _, place in copied]


def _copy(name: str, source: IO[bytes], target: Path) -> None:
    head = source.read(len(_MAGIC))
    if head != _MAGIC:
        raise ComponentError(f"'{name}' is no WebAssembly")
    with target.open("wb") as file:
        file.write(head)
        size = len(head)
        while chunk := source.read(_COPY_BYTES):
            size += len(chunk)
            if size > MAX_COMPONENT_BYTES:
                raise ComponentError(f"'{name}' is larger than {MAX_COMPONENT_BYTES} bytes")
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
