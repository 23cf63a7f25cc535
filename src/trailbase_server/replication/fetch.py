"""
Databases as they were at a moment, out of a replica.

Each database has a replica of its own. Restored to one moment they agree to within about a second:
what one of them shipped last before it.
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from trailbase_server.config.files import OWNER_ONLY, replace_file
from trailbase_server.errors import OperatorError
from trailbase_server.replication.moment import render_moment
from trailbase_server.replication.program import build_environment, find_program, find_secrets
from trailbase_server.replication.render import CONFIG_FILE, render_config
from trailbase_server.replication.settings import ReplicationSettings

NOTHING = "no matching backup"  # its words for a moment before the first copy
MAX_WORDS = 500  # of its complaint


class ReplicaReader:
    """
    Reads one replica.

    Args:
        settings: Which one.
        directory: For its configuration; private, and removed by whoever made it.
        environ: Keys of the bucket.

    Raises:
        OperatorError: Litestream is not installed.
    """

    def __init__(
        self, settings: ReplicationSettings, directory: Path, environ: Mapping[str, str]
    ) -> None:
        self._settings = settings
        self._directory = directory
        self._program = find_program(environ)
        self._environment = build_environment(settings.target, environ)

    def fetch(self, home: str, target: Path, moment: float | None) -> bool:
        """
        Restore one database; blocks.

        Args:
            home: Its place below ``data/``.
            target: Does not exist; its directory does.
            moment: Unix seconds; None: the latest there is.

        Returns:
            False if the replica holds nothing of it, or not from before the moment.

        Raises:
            OperatorError: The replica cannot be read or is broken.
        """
        config = self._directory / CONFIG_FILE
        text = render_config(self._settings, self._directory, [home], None)
        replace_file(config, text.encode(), OWNER_ONLY)
        arguments = ["restore", "-config", str(config), "-no-expand-env", "-if-replica-exists"]
        if moment is not None:
            arguments += ["-timestamp", render_moment(moment)]
        arguments += ["-o", str(target), str(self._directory / home)]
        done = subprocess.run(  # noqa: S603  # our own arguments
            [str(self._program), *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        said = done.stdout.decode(errors="replace")
        if done.returncode != 0:
            if NOTHING in said:
                return False
            raise OperatorError(f"cannot read the replica of {home}: {self._explain(said)}")
        if not target.exists():
            return False
        os.chmod(target, OWNER_ONLY)
        return True

    def _explain(self, said: str) -> str:
        lines = [line for line in said.splitlines() if line.strip()]
        told = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")]
        text = (told or lines or ["no reason given"])[-1]
        for secret in find_secrets(self._environment):
            text = text.replace(secret, "…")
        return text if len(text) <= MAX_WORDS else text[:MAX_WORDS] + "…"
