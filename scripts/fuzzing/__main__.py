"""Run a campaign from the command line."""

import argparse
import json
import secrets
import sys
import tempfile
import time
from pathlib import Path

from scripts.reference.routes import route_tables
from tests.security.conftest import make_depot
from tests.serving import Server

from .campaign import Campaign, UnsoundAnswerError
from .hostile import Place

DEFAULT_SECONDS = 600
STREAMS = "/subscribe/"  # their answers do not end


def all_places() -> list[Place]:
    """Every operation of the server whose answer ends."""
    return [
        Place(route.method, route.path)
        for routes, _ in route_tables()
        for route in routes
        if STREAMS not in route.path
    ]


def main() -> None:
    """Serve a new depot, send requests, print what came back; exit with 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=DEFAULT_SECONDS)
    parser.add_argument("--seed", type=int, default=None, help="of the first round")
    parser.add_argument("--out", type=Path, default=None, help="file for the figures, JSON")
    given = parser.parse_args()
    first_seed = secrets.randbelow(2**31) if given.seed is None else given.seed
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / "depot"
        make_depot(root)
        started = time.monotonic()
        with Server(root) as server:
            campaign = Campaign(server, all_places())
            try:
                campaign.run(seconds=given.seconds, first_seed=first_seed)
            except UnsoundAnswerError as exc:
                print(exc, file=sys.stderr)
                print(f"seed {first_seed}", file=sys.stderr)
                sys.exit(1)
    figures = {
        "date": time.strftime("%Y-%m-%d"),
        "seed": first_seed,
        "seconds": round(time.monotonic() - started),
        **campaign.tally.summary(),
    }
    text = json.dumps(figures, indent=1) + "\n"
    print(text, end="")
    if given.out is not None:
        given.out.write_text(text)


if __name__ == "__main__":
    main()
