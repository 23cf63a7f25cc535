"""
The services that people can log in with, as data.

Numbers and names are on the wire and in configurations: the number is stored with every user who
came from there, the name is the key of the configuration and a segment of URLs.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trailbase_server.config.proto.config_pb2 import AuthConfig


@dataclass(frozen=True, slots=True)
class Provider:
    """
    One service.

    Attributes:
        id: Number of the configuration's enum.
        name: Segment of URLs.
        display_name: On buttons.
    """

    id: int
    name: str
    display_name: str


OIDC = Provider(2, "oidc0", "OpenID Connect")
PROVIDERS = (
    OIDC,
    Provider(9, "apple", "Apple"),
    Provider(10, "discord", "Discord"),
    Provider(11, "gitlab", "GitLab"),
    Provider(17, "github", "Github"),
    Provider(12, "google", "Google"),
    Provider(13, "facebook", "Facebook"),
    Provider(14, "microsoft", "Microsoft"),
    Provider(15, "twitch", "Twitch"),
    Provider(16, "yandex", "Yandex"),
)
"""In the order in which administrators see them."""

_BY_ID = {provider.id: provider for provider in PROVIDERS}


def configured_providers(config: "AuthConfig") -> tuple[Provider, ...]:
    """
    Which services a configuration can use.

    Args:
        config: The ``auth`` message.

    Returns:
        Those that have a client id and a secret, sorted by name, with the display name of the
        configuration where the service has none of its own.

    Spec:
        auth/configuration
    """
    found = []
    for entry in config.oauth_providers.values():
        provider = _BY_ID.get(entry.provider_id)
        if provider is None or not entry.client_id or not entry.client_secret:
            continue
        if provider is OIDC and entry.display_name:
            provider = Provider(OIDC.id, OIDC.name, entry.display_name)
        found.append(provider)
    return tuple(sorted(found, key=lambda provider: provider.name))
