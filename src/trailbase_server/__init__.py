"""
trailbase-server: a directory with migrations and one config file becomes a production back end.

Reading order: ``errors`` and ``ids`` (what everybody uses), ``db`` (what any engine promises),
``schema`` and ``config`` (what a depot says), ``web`` (what a request is), ``records`` and ``auth``
(what it does), ``server`` (where all of it meets), ``cli`` (the ``trail`` command).
"""

__version__ = "0.1.0"
# The release of the reference server whose wire protocol this version was tested against.
WIRE_VERSION = "v0.33.2"
