"""
The ``auth`` section of the configuration, read once per change.

Handlers look at this, never at the message itself. Spec:
auth/auth-related-configuration-reference.
"""

from enum import IntEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from trailbase_server.auth.oauth.provider import Application
from trailbase_server.auth.oauth.providers import configured_providers
from trailbase_server.auth.passkeys.options import NO_PASSKEYS, PasskeyOptions, compile_passkeys

if TYPE_CHECKING:
    from trailbase_server.config.proto.config_pb2 import AuthConfig

DEFAULT_AUTH_TTL_S = 3600  # an hour: how long a revoked session may go on
DEFAULT_REFRESH_TTL_S = 30 * 24 * 3600  # a month
DEFAULT_ANONYMOUS_REFRESH_TTL_S = 90 * 24 * 3600  # three months: there is no way to log in again
DEFAULT_PASSWORD_LENGTH = 8  # bytes


class IdentifierPolicy(IntEnum):
    """What an account is known by; the values of the configuration's enum."""

    UNDEFINED = 0
    ONLY_EMAIL = 1
    ONLY_USERNAME = 2
    REQUIRE_EMAIL = 3
    REQUIRE_USERNAME = 4
    REQUIRE_EMAIL_AND_USERNAME = 5


class PasswordRules(Struct, frozen=True):
    """
    What a new password must be like.

    Attributes:
        minimal_length: In bytes of UTF-8.
        digits, mixed_case, special: What it must contain.
    """

    minimal_length: int = DEFAULT_PASSWORD_LENGTH
    digits: bool = False
    mixed_case: bool = False
    special: bool = False


class AuthOptions(Struct, frozen=True):
    """
    Settings of one configuration.

    Attributes:
        auth_ttl_s: Life of an auth token in seconds.
        refresh_ttl_s, anonymous_refresh_ttl_s: Life of a session in seconds; 0 disables refreshing,
            negative means for ever.
        unconfirmed_ttl_s: Seconds until a new account goes that nobody has confirmed; 0 for never.
        disable_password_auth: Nobody may register with a password.
        enable_otp, enable_anonymous: Whether these ways to log in are offered.
        identifier_policy: What new accounts need.
        password_rules: What new passwords need.
        redirect_schemes: Schemes of apps that may be redirected to, lower case.
        redirect_allowlist: Exact targets that may be redirected to.
        providers: Services that people can log in with, sorted by name.
        passkeys: Keys of devices and password managers.
    """

    auth_ttl_s: int = DEFAULT_AUTH_TTL_S
    refresh_ttl_s: int = DEFAULT_REFRESH_TTL_S
    anonymous_refresh_ttl_s: int = DEFAULT_ANONYMOUS_REFRESH_TTL_S
    disable_password_auth: bool = False
    unconfirmed_ttl_s: int = 0
    enable_otp: bool = False
    enable_anonymous: bool = False
    identifier_policy: IdentifierPolicy = IdentifierPolicy.UNDEFINED
    password_rules: PasswordRules = PasswordRules()
    redirect_schemes: frozenset[str] = frozenset()
    redirect_allowlist: frozenset[str] = frozenset()
    providers: tuple[Application, ...] = ()
    passkeys: PasskeyOptions = NO_PASSKEYS


def compile_options(config: "AuthConfig") -> AuthOptions:
    """Read the ``auth`` message; what it leaves out has its default."""

    def number(name: str, default: int) -> int:
        return int(getattr(config, name)) if config.HasField(name) else default

    return AuthOptions(
        auth_ttl_s=number("auth_token_ttl_sec", DEFAULT_AUTH_TTL_S),
        refresh_ttl_s=number("refresh_token_ttl_sec", DEFAULT_REFRESH_TTL_S),
        anonymous_refresh_ttl_s=number(
            "anonymous_refresh_token_ttl_sec", DEFAULT_ANONYMOUS_REFRESH_TTL_S
        ),
        disable_password_auth=config.disable_password_auth,
        unconfirmed_ttl_s=number("unconfirmed_account_ttl_sec", 0),
        enable_otp=config.enable_otp_signin,
        enable_anonymous=config.enable_anonymous_signin,
        identifier_policy=IdentifierPolicy(config.user_identifier),
        password_rules=PasswordRules(
            minimal_length=number("password_minimal_length", DEFAULT_PASSWORD_LENGTH),
            digits=config.password_must_contain_digits,
            mixed_case=config.password_must_contain_upper_and_lower_case,
            special=config.password_must_contain_special_characters,
        ),
        redirect_schemes=frozenset(scheme.lower() for scheme in config.custom_uri_schemes),
        redirect_allowlist=frozenset(config.redirect_uri_allowlist),
        providers=configured_providers(config),
        passkeys=compile_passkeys(config.passkeys),
    )
