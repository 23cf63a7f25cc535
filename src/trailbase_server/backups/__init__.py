"""
Backups: everything a depot needs, copied at one point in time, and put back.

A backup is a directory ``<unix seconds>/`` on a *shelf* (``backups/`` of the depot, or wherever
the configuration says): databases, uploads, files of the depot, and a manifest that tells what is
in it.

Read in this order: ``settings`` (what the operator wants), ``manifest`` (what a backup says of
itself), ``shelf`` (the directory: names, listing, half-made ones), ``sources`` (the databases of a
depot), ``create`` (one run), ``uploads`` and ``packing`` (files), ``retention`` (which ones go),
``verify`` (is it good?), ``restore`` (back into a depot, and what happens after a crash in the
middle), ``bucket`` (a second copy elsewhere), ``service`` (all of it for a running server).

Spec: server/backups, admin-api/backups.
"""
