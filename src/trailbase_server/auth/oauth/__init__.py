"""
Logging in with an account of somebody else's service: OAuth 2 and OpenID Connect.

Reading order: ``provider`` (what a service is to us, as data), ``profiles`` (how each describes its
users), ``providers`` (the table, and which of them are configured), ``discovery`` (addresses that
a service publishes), ``apple`` (its secrets). Then the way of a browser: ``start``, ``pending``
(the cookie), ``callback``; behind that ``exchange`` (code → profile) with ``outgoing`` (requests)
and ``id_token``; ``enrol`` (profile → account).
``link`` adds a service to an account that is there, ``listing`` is for log-in pages. Spec:
auth/oauth-openid-connect.
"""
