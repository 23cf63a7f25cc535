"""
Fields that come from the environment: ``TRAIL_SERVER_SITE_URL``, or ``TRAIL_SERVER_SITE_URL_FILE``
with the name of a file that holds the value.

They win over the file and over what an administrator sends, and are never written to a file.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from trailbase_server.config.fields import Slot, walk_slots
from trailbase_server.config.problem import Problem
from trailbase_server.config.proto.config_pb2 import Config

FILE_SUFFIX = "_FILE"
MAX_FILE_BYTES = 1 << 20  # a value, not a device that never ends
_BITS = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1),
}


def apply_environment(
    config: Config, environ: Mapping[str, str]
) -> tuple[dict[str, str], list[Problem]]:
    """
    Overwrite fields with what the environment says.

    Args:
        config: Changed in place. Fields inside absent messages are left alone.
        environ: Variables; names that fit no field are ignored.

    Returns:
        Variable by path of the fields that were overwritten, and the values that do not fit.

    Spec:
        server/environment-overrides
        server/secrets-p1-p2
    """
    overrides: dict[str, str] = {}
    problems: list[Problem] = []
    if not any(name.startswith("TRAIL_") for name in environ):
        return overrides, problems
    for slot in list(walk_slots(config)):
        if slot.field.is_repeated and slot.field.cpp_type != FieldDescriptor.CPPTYPE_STRING:
            continue
        try:
            variable, text = _lookup(slot.variable, environ)
            if text is None:
                continue
            value = _parse(text, slot)
        except ValueError as exc:
            problems.append(Problem(slot.path, f"{slot.variable}: {exc}"))
            continue
        slot.set([value] if slot.field.is_repeated else value)
        overrides[slot.path] = variable
    return overrides, problems


def _lookup(variable: str, environ: Mapping[str, str]) -> tuple[str, str | None]:
    """Name of the variable that is set, and the value."""
    text = environ.get(variable)
    path = environ.get(variable + FILE_SUFFIX)
    if path is None:
        return variable, text
    if text is not None:
        raise ValueError(f"{variable}{FILE_SUFFIX} is set too: which of the two?")
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else str(exc)
        raise ValueError(f"cannot read '{path}' of {variable}{FILE_SUFFIX}: {reason}") from exc
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"'{path}' of {variable}{FILE_SUFFIX} is larger than {MAX_FILE_BYTES}")
    # Editors and ``echo`` end a file with a line break that is not meant.
    return variable + FILE_SUFFIX, content.decode().removesuffix("\n").removesuffix("\r")


def _parse(text: str, slot: Slot) -> Any:
    kind = slot.field.cpp_type
    if kind == FieldDescriptor.CPPTYPE_STRING:
        text.encode()  # bytes of the environment that are no UTF-8 arrive as lone surrogates
        return text
    if kind == FieldDescriptor.CPPTYPE_BOOL:
        if text not in ("true", "false"):
            raise ValueError("Parse bool error: expected 'true' or 'false'")
        return text == "true"
    number = _parse_integer(text)
    if kind == FieldDescriptor.CPPTYPE_ENUM:
        if number not in slot.field.enum_type.values_by_number:
            raise ValueError(f"{slot.field.enum_type.name} has no value with number {number}")
        return number
    low, high = _BITS[kind]
    if not low <= number <= high:
        raise ValueError(f"Parse int error: not in {low} to {high}")
    return number


def _parse_integer(text: str) -> int:
    digits = text[1:] if text[:1] in ("-", "+") else text
    if not (digits.isascii() and digits.isdigit() and len(digits) <= len(str(1 << 64))):
        raise ValueError("Parse int error: expected a decimal number")
    return int(text)
