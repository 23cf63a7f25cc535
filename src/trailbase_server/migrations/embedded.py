"""
The system's own migrations (``system/``).

Their numbers, names and checksums are those of the reference server, so that a depot can move from
one to the other without a warning; the SQL is ours and leads to the same tables. Checksums are
therefore recorded as fixed values and not computed.

Do not merge them into one: on a new depot the user's files run between them, in the order of all
numbers, and older files expect the older tables.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from trailbase_server.errors import OperatorError
from trailbase_server.migrations.migration import Migration, parse_file_name

Kind = Literal["main", "attached", "session", "logs", "accounts", "outbox", "jobs", "audit"]
_DIRECTORY = Path(__file__).parent / "system"
_FILES: Mapping[Kind, Mapping[str, int]] = MappingProxyType(
    {
        "main": {
            "main/V1__initial.sql": 11166444817860960262,
            "base/U2__file_deletions.sql": 5089486392068093320,
            "main/U3__user_id.sql": 6379452306612288126,
            "main/U4__totp.sql": 16422335522934915082,
            "main/U5__drop_session.sql": 10108867112358597108,
            "base/U6__file_deletions_update.sql": 91302936854578050,
            "main/U7__username.sql": 7978211884463302389,
            "main/U8__wasm_shared_preferences.sql": 15966503425608682965,
            "main/U1785764695__unverified_email.sql": 3650486142782437694,
        },
        "attached": {
            "base/U2__file_deletions.sql": 5089486392068093320,
            "base/U6__file_deletions_update.sql": 91302936854578050,
        },
        "session": {
            "session/V1__initial.sql": 3434197100626731720,
            "session/V2__no_case_email.sql": 7553296780371862303,
        },
        "logs": {
            "logs/V1__initial.sql": 8716250007448944203,
            "logs/V2__user_id.sql": 8677635296679629072,
        },
        # Ours alone: files that the reference server does not know.
        "accounts": {
            "accounts/V1__initial.sql": 7066004202778417723,
            "accounts/V2__rotated_tokens.sql": 13386637638267280620,
            "accounts/V3__passkeys.sql": 11259548454960329692,
        },
        "outbox": {
            "outbox/V1__initial.sql": 2501179128110152943,
        },
        "jobs": {
            "jobs/V1__initial.sql": 12714173251344893600,
        },
        "audit": {
            "audit/V1__initial.sql": 4331187705696314755,
        },
    }
)


@lru_cache(maxsize=8)
def system_migrations(kind: Kind) -> tuple[Migration, ...]:
    """
    Load the migrations that every database of a kind gets.

    Args:
        kind: ``attached`` is any configured database besides main.

    Spec:
        server/history-table
    """
    return tuple(_load(path, checksum) for path, checksum in _FILES[kind].items())


def _load(path: str, checksum: int) -> Migration:
    file = _DIRECTORY / path
    name = parse_file_name(file.name)
    if name is None:
        raise OperatorError(f"broken installation: {file}")
    return Migration(*name, file.read_text("utf-8"), str(checksum), f"(built in) {file.name}")
