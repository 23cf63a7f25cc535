"""
Give a depot another key pair.

.. code-block:: text

    1. what secrets are derived from   stays as it was: recovery codes go on
    2. the public key, as a retired one
    3. the new private key             from here on it signs
    4. the new public key              load_keys does it if this is as far as we get

Each step is one replaced file, so that a start in between finds keys that verify everything. After
a leak nothing is kept: all tokens, mailed links and recovery codes are void.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from trailbase_server.auth.accounts import MINT_TTL_S
from trailbase_server.auth.keys import (
    KEY_BYTES,
    PRIVATE_FILE,
    PUBLIC_FILE,
    SigningKeys,
    load_keys,
    publish_public,
    render_private,
    write_beside,
)
from trailbase_server.auth.letters import CHANGE_EMAIL_TTL_S, VERIFY_TTL_S
from trailbase_server.auth.options import compile_options
from trailbase_server.auth.retired_keys import (
    DERIVATION_FILE,
    MAX_RETIRED,
    RETIRED_FILE,
    RetiredKey,
    read_retired,
    render_derivation,
    render_retired,
)
from trailbase_server.auth.tokens import LEEWAY_S
from trailbase_server.crypto import random_bytes
from trailbase_server.errors import OperatorError

if TYPE_CHECKING:
    from trailbase_server.config.proto.config_pb2 import AuthConfig


def keep_time(config: "AuthConfig") -> int:
    """Seconds for which an old key has to verify: as long as the longest-lived token."""
    lives = (compile_options(config).auth_ttl_s, MINT_TTL_S, VERIFY_TTL_S, CHANGE_EMAIL_TTL_S)
    return max(lives) + LEEWAY_S


def rotate_keys(directory: Path, now_s: int, keep_s: int) -> SigningKeys:
    """
    Make a new key pair the depot's.

    Args:
        directory: ``secrets/keys`` of the depot.
        now_s: Unix seconds.
        keep_s: How long the old key verifies; 0 for not at all, after a leak.

    Returns:
        The new pair.

    Raises:
        OperatorError: The keys are malformed, cannot be written, or too many old ones still count.

    Spec:
        auth/missing-features-users-compare
    """
    current = load_keys(directory)
    seed = random_bytes(KEY_BYTES)
    new = SigningKeys.of_seed(seed)
    retired: list[RetiredKey] = []
    if keep_s:
        retired = [key for key in read_retired(directory) if key.until >= now_s]
        if len(retired) >= MAX_RETIRED:
            raise OperatorError(
                f"{len(retired)} retired keys still verify tokens: wait until one has expired, or "
                "end all sessions with --compromised"
            )
        retired.append(RetiredKey(current.public_bytes, now_s + keep_s))
    secret = current.derivation if keep_s else random_bytes(KEY_BYTES)
    try:
        _replace(directory / DERIVATION_FILE, render_derivation(secret))
        # After a leak the old key has to be known for step 4 until that is done.
        interim = retired or [RetiredKey(current.public_bytes, 0)]
        _replace(directory / RETIRED_FILE, render_retired(interim))
        _replace(directory / PRIVATE_FILE, render_private(seed, new.public_bytes))
        publish_public(directory / PUBLIC_FILE, new.public_bytes)
    except OSError as exc:
        raise OperatorError(f"cannot write the keys in {directory}: {exc}") from exc
    return load_keys(directory)


def _replace(path: Path, text: str) -> None:
    finished = write_beside(path, text)
    try:
        finished.replace(path)
    finally:
        finished.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
