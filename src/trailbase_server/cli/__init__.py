"""
The ``trail`` command.

``main`` (global options, the list of commands, exit status), ``logging`` (log lines on standard
error), then a module per command: ``run``, ``schema``, ``migration``, ``user``, ``admin``;
``in_depot`` runs one coroutine with the depot open. Modules import what a command needs inside the
command, so that ``trail --help`` is quick. Spec: server/command-line-trail.
"""
