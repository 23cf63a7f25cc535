"""
Continuous replication of all databases by Litestream, and the way back.

Litestream is a program of its own (extra ``litestream``). It reads what is appended to the
write-ahead logs and ships it about once a second, to a directory or a bucket; it owns their
checkpoints while it runs (``sqlite/checkpoint`` stands back).

Read in this order: ``target`` (where to), ``settings`` (what the configuration says), ``render``
(Litestream's own configuration), ``program`` (where the program is, and what it may know),
``supervisor`` (it runs, is started again, and ends after the last write), ``lines`` (its log in
ours), ``control`` (what it says of itself), ``lag`` (how far behind the replica is), ``fetch``
(databases as they were at a moment). Which databases there are, and when all of this begins and
ends, is the server's business: ``server/replication``, ``server/replica``.

Spec: server/dr, server/backups-pitr-dr-p1-p2-roadmap-names-point-in-time-recovery.
"""
