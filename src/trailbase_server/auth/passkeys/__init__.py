"""
Passkeys (WebAuthn): logging in with a key that a device or password manager keeps.

Off unless ``auth.passkeys.enabled``. A ceremony has two requests: ``begin`` hands out a challenge,
``finish`` takes what the device has signed.

In reading order: ``options`` (the configuration), ``relying_party`` (who we are to a browser),
``challenge`` (what is signed), ``credential`` (what a browser sends), ``verify`` (whether it is
true), ``store`` (rows of ``own/accounts.db``), ``fresh`` (who may add and remove keys),
``enrol`` (adding one), ``sign_in`` (logging in), ``own`` (listing, naming, removing),
``routes``. Spec: auth/missing-features-users-compare; docs/guide/passkeys.md.
"""
