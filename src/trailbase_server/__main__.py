"""``python -m trailbase_server`` is the ``trail`` command."""

from trailbase_server.cli.main import main

main()
