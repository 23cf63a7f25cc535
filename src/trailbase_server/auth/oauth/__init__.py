"""
Logging in with an account of somebody else's service: OAuth 2 and OpenID Connect.

``providers`` (who there is), ``listing`` (which of them are configured). Spec:
auth/oauth-openid-connect.
"""
