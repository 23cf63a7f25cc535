"""
The words of the pages, in one or more languages.

Built in is English. ``texts.toml`` of the depot's directory replaces any of its words, and ``lang``
says what language that is; ``texts.<language>.toml`` adds another one, and words it lacks are those
of the first. A visitor gets the language that the browser prefers among them.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

MAX_TEXT_BYTES = 200_000  # of a file; ours has 7,000
MAX_LANGUAGES = 50  # more files than that are a mistake
MAX_ACCEPTED = 1000  # characters of a header that is looked at

Words = Mapping[str, str]
"""By ``section.name``; ``lang`` is the language's tag."""

_BUILT_IN = Path(__file__).parent / "texts.toml"
_LANGUAGE = re.compile(r"[a-zA-Z]{2,8}(?:-[a-zA-Z0-9]{1,8})*")
_FILE = re.compile(rf"texts\.({_LANGUAGE.pattern})\.toml")


class Texts:
    """
    Words by language.

    Args:
        directory: Where files of one's own may be; None: nowhere.

    Attributes:
        problems: What is wrong with those files, one line each.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self.problems: list[str] = []
        words = dict(built_in_words())
        if directory is not None:
            words |= self._read(directory / "texts.toml")
        self.default: Words = words
        self._languages: dict[str, Words] = {words["lang"].lower(): words}
        for path in sorted(directory.glob("texts.*.toml"))[:MAX_LANGUAGES] if directory else ():
            named = _FILE.fullmatch(path.name)
            if named is None:
                self.problems.append(f"{path}: not texts.<language>.toml")
                continue
            own = {**words, **self._read(path), "lang": named[1]}
            self._languages[named[1].lower()] = own

    def choose(self, accepted: str | None) -> Words:
        """
        Find the words for a visitor.

        Args:
            accepted: ``Accept-Language``, None if there is none.
        """
        for tag in _preferences((accepted or "")[:MAX_ACCEPTED]):
            found = self._languages.get(tag) or self._languages.get(tag.partition("-")[0])
            if found is not None:
                return found
        return self.default

    def _read(self, path: Path) -> dict[str, str]:
        import tomllib  # noqa: PLC0415  # imported when first needed: start-up time

        try:
            with path.open("rb") as file:
                data = file.read(MAX_TEXT_BYTES + 1)
        except FileNotFoundError:
            return {}
        except OSError as exc:
            self.problems.append(f"{path}: {exc.strerror}")
            return {}
        if len(data) > MAX_TEXT_BYTES:
            self.problems.append(f"{path}: larger than {MAX_TEXT_BYTES} bytes")
            return {}
        try:
            source = data.decode()
            found = flatten(tomllib.loads(source))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as exc:
            self.problems.append(f"{path}: {exc}")
            return {}
        return self._known(path, source, found)

    def _known(self, path: Path, source: str, found: dict[str, Any]) -> dict[str, str]:
        words: dict[str, str] = {}
        for name, value in found.items():
            is_known = name in built_in_words() and isinstance(value, str)
            if is_known and (name != "lang" or _LANGUAGE.fullmatch(value)):
                words[name] = value
            else:
                line = _line_of(source, name.rpartition(".")[2])
                self.problems.append(f"{path}:{line}: {name}: no such text, or not a text")
        return words


@lru_cache(maxsize=1)
def built_in_words() -> Words:
    """Our own words."""
    import tomllib  # noqa: PLC0415  # as above

    return flatten(tomllib.loads(_BUILT_IN.read_text("utf-8")))


def flatten(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Values of tables by ``table.name``."""
    words: dict[str, Any] = {}
    for name, value in tables.items():
        if isinstance(value, dict):
            words |= {f"{name}.{inner}": text for inner, text in value.items()}
        else:
            words[name] = value
    return words


def fill(text: str, **values: object) -> str:
    """Put values into a text: ``{name}`` for each of them, and nothing else."""
    # In one pass: what a value says is not looked at again.
    return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), text)


def _preferences(accepted: str) -> list[str]:
    weighed: list[tuple[float, str]] = []
    for part in accepted.split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight or 1)
        except ValueError:
            continue
        if quality > 0 and _LANGUAGE.fullmatch(tag):
            weighed.append((-quality, tag.lower()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: pair[0])]


def _line_of(source: str, name: str) -> int:
    found = re.search(rf"^\s*\"?{re.escape(name)}\b", source, re.MULTILINE)
    return source.count("\n", 0, found.end()) + 1 if found else 1
