"""
The configuration of a depot: files, environment and secrets in, one checked message out.

``proto`` (generated message classes) and ``textproto`` (their text form, with ``outline`` for the
lines of fields); ``load`` (from files to what runs: ``environment``, ``vault``, ``defaults``);
``check`` (what must be true of it, with ``schedule`` and ``address``); ``store`` (back to the
files, atomically: ``files``); ``holder`` (what runs now, updates and reloads). Requests enter in
``admin.config``. Spec: server/configuration.
"""
