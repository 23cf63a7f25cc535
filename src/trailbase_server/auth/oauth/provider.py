"""
What a service is to us, as data: addresses, what is asked for, and how its answers are read.

A service differs from the others in nothing but the values of a ``Provider``; the flow is one.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from trailbase_server.errors import DependencyError


class Profile(Struct, frozen=True):
    """
    What a service says about one of its users.

    Attributes:
        subject: Its id of the user, for ever the same; not empty.
        email: A well-formed address.
        is_verified: The service vouches for the address.
        username: As it is there; may be anything.
        avatar_url: An http(s) URL.
    """

    subject: str
    email: str | None = None
    is_verified: bool = True
    username: str | None = None
    avatar_url: str | None = None


class ProfileError(DependencyError):
    """A service describes its user in an unexpected shape."""


class Provider(Struct, frozen=True):
    """
    One service.

    Attributes:
        id: Number of the configuration's enum; stored with users.
        name: Key of the configuration and segment of URLs.
        display_name: On buttons.
        authorize_url: Where browsers are sent; may have a query.
        token_url: Where codes become access tokens.
        profile_url: Where the user is described; empty if that is done by the ``id_token``.
        scopes: What is asked for.
        read_profile: From the description to a profile; raises ``ProfileError``.
        emails_url: Where addresses are listed when the description has none; empty for nowhere.
        client_header: Name of the header that repeats the client id; empty for none.
        has_secret_in_body: Credentials go in the form, not in the ``Authorization`` header.
        posts_back: Browsers come back with a form (``response_mode=form_post``).
        keys_url: Keys that sign the ``id_token``; empty if it comes over TLS and that is enough.
        issuer: Who must have signed it; empty if unknown.
        sends_nonce: The ``id_token`` repeats a number of ours.
    """

    id: int
    name: str
    display_name: str
    authorize_url: str
    token_url: str
    profile_url: str
    scopes: tuple[str, ...]
    read_profile: Callable[[Mapping[str, Any]], Profile]
    emails_url: str = ""
    client_header: str = ""
    has_secret_in_body: bool = False
    posts_back: bool = False
    keys_url: str = ""
    issuer: str = ""
    sends_nonce: bool = False


class Application(Struct, frozen=True):
    """
    This server as a client of a service, registered there by the operator.

    Attributes:
        provider: The service; complete with what the configuration adds.
        client_id: Public.
        client_secret: Of ``apple`` it may be a key that secrets are signed with.
    """

    provider: Provider
    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Application({self.name!r}, {self.client_id!r})"  # never the secret

    @property
    def name(self) -> str:
        """Segment of URLs."""
        return self.provider.name

    @property
    def display_name(self) -> str:
        """On buttons."""
        return self.provider.display_name
