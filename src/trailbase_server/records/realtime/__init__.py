"""
Realtime: committed row changes become events of those who subscribed to them.

Read in this order: ``plan`` (what an API's events are made of: row to bytes, who may see it),
``match`` (filters of subscriptions), ``audience`` (a change is judged once for all who share a
filter and a user), ``subscriber`` (one stream: its numbers, its queue, its losses), ``history``
(what a client that comes back has missed), ``seats`` (how many streams anybody may have),
``delivery`` (from commits to streams), and ``broker``, which ties them together. A subscription
enters in ``records.subscribe``.
Spec: records, section 14.
"""
