"""What the handlers of this package need, made once at start-up; and the seam to the mailer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Protocol

from trailbase_server.auth.address_limit import AddressLimit
from trailbase_server.auth.background import Background
from trailbase_server.auth.events import AuthEvents
from trailbase_server.auth.keys import SigningKeys
from trailbase_server.auth.limits import FlowLimits
from trailbase_server.auth.lockout import Lockout
from trailbase_server.auth.oauth.discovery import Discovery
from trailbase_server.auth.oauth.id_token import ProviderKeys
from trailbase_server.auth.oauth.outgoing import Outgoing
from trailbase_server.auth.options import AuthOptions, compile_options
from trailbase_server.auth.pages.site import Pages
from trailbase_server.auth.password import PasswordWorkers
from trailbase_server.auth.redirects import Origin, check_redirect, parse_origin
from trailbase_server.auth.used_codes import UsedCodes
from trailbase_server.auth.verified import VerifiedTokens
from trailbase_server.clock import SYSTEM_CLOCK, Clock
from trailbase_server.db.base import Database

if TYPE_CHECKING:
    from trailbase_server.config.proto.config_pb2 import AuthConfig
    from trailbase_server.storage.base import Storage

DEFAULT_APPLICATION_NAME = "TrailBase"
Letter = Literal["verify_email", "reset_password", "change_email", "otp", "email_changed"]


class Mailer(Protocol):
    """Sends one of the mails that accounts need."""

    async def __call__(self, letter: Letter, to: str, values: Mapping[str, str | None]) -> None:
        """
        Send a mail.

        Args:
            letter: Which template.
            to: Address; valid by our own rules.
            values: ``token`` or ``code``, and ``redirect_uri``; for ``email_changed``, which goes
                to the old address, ``new_email`` or None.

        Raises:
            DependencyError: It could not be handed over.
        """
        ...


class AuthState:
    """
    What handlers work with.

    Args:
        database: ``main.db``.
        session_database: ``session.db``.
        keys: The depot's signing keys.
        clock: Time of tokens, sessions and limits.
        dev: Developer mode: cookies without ``Secure``, redirects to loopback hosts.
        demo: Accounts that anybody may use: no lock-out, and no changes that would lock others out.
        has_public_dir: Static files are served, so ``/`` is a page.
        mailer: None while there is no transport: mails are logged and count as sent.

    Attributes:
        is_encrypted: The server itself speaks TLS.
        options: Settings of the current configuration.
        site: Origin of the effective site URL, if there is one.
        callback_site: Origin that services send browsers back to, if there is one.
        application_name: What users know the site by.
        verified: Cache of verified tokens.
        passwords: Threads for hashing.
        lockout: Wrong passwords by account.
        stranger_lockout: The same of names that no account with a password has, by what was typed.
        address_limit: Requests by client address.
        limits: Attempts of the other flows.
        used_codes: Authorization codes that were exchanged.
        storage: Pictures of users; None until somebody gives one.
        background: Work whose duration must not show.
        events: How often what has happened.
        discovery: Addresses of services that publish them.
        outgoing: Requests to services that people log in with.
        provider_keys: What those services sign with.
        pages: What account pages are made from.
    """

    def __init__(
        self,
        database: Database,
        session_database: Database,
        keys: SigningKeys,
        clock: Clock = SYSTEM_CLOCK,
        *,
        dev: bool = False,
        demo: bool = False,
        has_public_dir: bool = False,
        mailer: Mailer | None = None,
    ) -> None:
        self.database = database
        self.session_database = session_database
        self.keys = keys
        self.clock = clock
        self.dev = dev
        self.demo = demo
        self.is_encrypted = False
        self.has_public_dir = has_public_dir
        self.mailer = mailer
        self.storage: Storage | None = None
        self.options = AuthOptions()
        self.site: Origin | None = None
        self.callback_site: Origin | None = None
        self.application_name = DEFAULT_APPLICATION_NAME
        self.verified = VerifiedTokens(keys, clock)
        self.passwords = PasswordWorkers()
        self.lockout = Lockout(clock, enabled=not demo)
        self.stranger_lockout = Lockout(clock, enabled=not demo)
        self.address_limit = AddressLimit(clock)
        self.limits = FlowLimits(clock)
        self.used_codes = UsedCodes(clock)
        self.background = Background()
        self.events = AuthEvents()
        self.outgoing = Outgoing()
        self.discovery = Discovery(self.outgoing, clock)
        self.provider_keys = ProviderKeys(clock)
        self.pages = Pages()

    def configure(
        self,
        config: "AuthConfig",
        site_url: str | None,
        address_burst: int = 0,
        application_name: str = "",
        callback_url: str | None = None,
    ) -> None:
        """
        Take over a configuration, at start-up and after each change.

        Args:
            config: The ``auth`` message.
            site_url: The effective one: of the command line, else of the configuration.
            address_burst: ``server.auth_ip_rate_limit``: requests one client may make at once;
                0 does not limit them, nor does developer mode.
            application_name: What users know the site by; empty for the default.
            callback_url: What services know the site by: of the configuration, else of the command
                line. None for ``site_url``.
        """
        self.options = compile_options(config)
        self.site = parse_origin(site_url) if site_url else None
        self.callback_site = parse_origin(callback_url) if callback_url else self.site
        self.address_limit.burst = 0 if self.dev else address_burst
        self.application_name = application_name or DEFAULT_APPLICATION_NAME

    @property
    def secure_cookies(self) -> bool:
        """Are cookies for TLS only?"""
        if self.dev:
            return False
        return self.is_encrypted or (self.site is not None and self.site[0] == "https")

    def check_redirect(self, target: str | None) -> str | None:
        """See ``redirects.check_redirect``."""
        return check_redirect(target, self.options, self.site, dev=self.dev)

    def close(self) -> None:
        """Stop the threads."""
        self.passwords.close()
