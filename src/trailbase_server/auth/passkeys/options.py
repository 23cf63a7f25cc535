"""The ``auth.passkeys`` section of the configuration, read once per change."""

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from trailbase_server.config.proto.config_pb2 import PasskeyConfig

UserVerification = Literal["required", "preferred", "discouraged"]
_BY_NUMBER: tuple[UserVerification, ...] = ("required", "required", "preferred", "discouraged")
"""In the order of the configuration's enum, whose 0 is the default."""


class PasskeyOptions(Struct, frozen=True):
    """
    Settings of one configuration.

    Attributes:
        enabled: Whether passkeys are offered.
        rp_id: Domain that keys belong to; empty for the host of the site.
        rp_name: What devices show; empty for the name of the application.
        user_verification: Whether devices must make sure of who uses them.
        origins: From where keys may be used; empty for the site.
    """

    enabled: bool = False
    rp_id: str = ""
    rp_name: str = ""
    user_verification: UserVerification = "required"
    origins: tuple[str, ...] = ()


NO_PASSKEYS = PasskeyOptions()


def compile_passkeys(config: "PasskeyConfig") -> PasskeyOptions:
    """Read the ``auth.passkeys`` message; what it leaves out has its default."""
    return PasskeyOptions(
        enabled=config.enabled,
        rp_id=config.rp_id.lower(),
        rp_name=config.rp_name,
        user_verification=_BY_NUMBER[config.user_verification],
        origins=tuple(config.origins),
    )
