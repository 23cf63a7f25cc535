"""
The services that people can log in with, as data.

Numbers and names are on the wire and in configurations: the number is stored with every user who
came from there, the name is the key of the configuration and a segment of URLs.
"""

import logging
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from trailbase_server.auth.oauth import profiles
from trailbase_server.auth.oauth.apple import is_usable_secret
from trailbase_server.auth.oauth.provider import Application, Provider
from trailbase_server.config.proto.config_pb2 import OAuthProviderConfig, UserIdentifier

if TYPE_CHECKING:
    from trailbase_server.config.proto.config_pb2 import AuthConfig

log = logging.getLogger(__name__)

OIDC = Provider(
    2, "oidc0", "OpenID Connect", "", "", "", ("openid", "email", "profile"), profiles.read_oidc
)
APPLE = Provider(
    9,
    "apple",
    "Apple",
    "https://appleid.apple.com/auth/authorize",
    "https://appleid.apple.com/auth/token",
    "",
    ("name", "email"),
    profiles.read_apple,
    has_secret_in_body=True,  # it documents no other way; the reference sends a header
    posts_back=True,
    keys_url="https://appleid.apple.com/auth/keys",
    issuer="https://appleid.apple.com",
    sends_nonce=True,
)
PROVIDERS = (
    OIDC,
    APPLE,
    Provider(
        10,
        "discord",
        "Discord",
        "https://discord.com/oauth2/authorize",
        "https://discord.com/api/oauth2/token",
        "https://discord.com/api/users/@me",
        ("identify", "email"),
        profiles.read_discord,
    ),
    Provider(
        11,
        "gitlab",
        "GitLab",
        "https://gitlab.com/oauth/authorize",
        "https://gitlab.com/oauth/token",
        "https://gitlab.com/api/v4/user",
        ("read_user",),
        profiles.read_gitlab,
    ),
    Provider(
        17,
        "github",
        "Github",
        "https://github.com/login/oauth/authorize",
        "https://github.com/login/oauth/access_token",
        "https://api.github.com/user",
        ("read:user", "user:email"),
        profiles.read_github,
        emails_url="https://api.github.com/user/emails",
    ),
    Provider(
        12,
        "google",
        "Google",
        "https://accounts.google.com/o/oauth2/auth",
        "https://accounts.google.com/o/oauth2/token",
        "https://www.googleapis.com/oauth2/v1/userinfo",
        (
            "https://www.googleapis.com/auth/userinfo.profile",
            "https://www.googleapis.com/auth/userinfo.email",
        ),
        profiles.read_google,
    ),
    Provider(
        13,
        "facebook",
        "Facebook",
        "https://www.facebook.com/v3.2/dialog/oauth",
        "https://graph.facebook.com/v3.2/oauth/access_token",
        "https://graph.facebook.com/me?fields=name,email,picture.type(large)",
        ("email",),
        profiles.read_facebook,
        has_secret_in_body=True,  # it misses the client id otherwise; the reference sends a header
    ),
    Provider(
        14,
        "microsoft",
        "Microsoft",
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "https://login.microsoftonline.com/common/oauth2/v2.0/token",
        "https://graph.microsoft.com/v1.0/me",
        ("User.Read",),
        profiles.read_microsoft,
    ),
    Provider(
        15,
        "twitch",
        "Twitch",
        "https://id.twitch.tv/oauth2/authorize",
        "https://id.twitch.tv/oauth2/token",
        "https://api.twitch.tv/helix/users",
        ("user:read:email",),
        profiles.read_twitch,
        client_header="Client-Id",
        has_secret_in_body=True,
    ),
    Provider(
        16,
        "yandex",
        "Yandex",
        "https://oauth.yandex.com/authorize",
        "https://oauth.yandex.com/token",
        "https://login.yandex.ru/info",
        ("login:email", "login:avatar", "login:info"),
        profiles.read_yandex,
    ),
)
"""In the order in which administrators see them."""

_BY_ID = {provider.id: provider for provider in PROVIDERS}
_SCOPES_WITHOUT_EMAIL = ("openid", "profile")


def configured_providers(config: "AuthConfig") -> tuple[Application, ...]:
    """
    Which services a configuration can use.

    Args:
        config: The ``auth`` message.

    Returns:
        Those that have a client id and a secret, sorted by name; the generic one with name,
        addresses and scopes of the configuration. What cannot be used is logged and left out.

    Spec:
        auth/configuration
    """
    found = []
    for entry in config.oauth_providers.values():
        provider = _BY_ID.get(entry.provider_id)
        if provider is None:
            continue
        if not entry.client_id or not entry.client_secret:
            log.error("nobody can log in with %s: it has no client id or secret", provider.name)
            continue
        if provider is APPLE and not is_usable_secret(entry.client_secret):
            log.error("nobody can log in with apple: its secret is no signing key")
            continue
        if provider is OIDC:
            has_emails = config.user_identifier != UserIdentifier.ONLY_USERNAME
            provider = _complete(entry, has_emails=has_emails)
        found.append(Application(provider, entry.client_id, entry.client_secret))
    return tuple(sorted(found, key=lambda application: application.name))


def _complete(entry: OAuthProviderConfig, *, has_emails: bool) -> Provider:
    # Whoever writes an issuer has no configuration of the reference that must go on working.
    is_strict = bool(entry.issuer)
    if entry.HasField("require_email_verified"):
        is_strict = entry.require_email_verified
    return replace(
        OIDC,
        display_name=entry.display_name or OIDC.display_name,
        # One that publishes its addresses is completed when somebody logs in.
        authorize_url="" if entry.issuer else entry.auth_url,
        token_url="" if entry.issuer else entry.token_url,
        profile_url="" if entry.issuer else entry.user_api_url,
        issuer=entry.issuer,
        sends_nonce=bool(entry.issuer),
        read_profile=partial(profiles.read_oidc, assumes_verified=not is_strict),
        scopes=tuple(entry.scopes) or (OIDC.scopes if has_emails else _SCOPES_WITHOUT_EMAIL),
    )
