"""
The mails that accounts need: their texts and the values that stand in them.

Subject, HTML and text of a letter are three templates, and each comes from the first place that has
it: the configuration (subject and HTML), a file ``mail/<letter>.{subject,html,txt}`` of the depot,
the file of the same name in ``letters/`` here. A letter whose HTML is the operator's own and whose
text is not gets its text from its HTML.
"""

import logging
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args
from urllib.parse import quote

from msgspec import Struct

from trailbase_server.config.problem import Problem
from trailbase_server.mail.templates import (
    MAX_TEMPLATE_CHARS,
    Render,
    TemplateError,
    Values,
    compile_template,
)

if TYPE_CHECKING:
    from trailbase_server.config.proto.config_pb2 import EmailConfig, EmailTemplate

log = logging.getLogger(__name__)

Letter = Literal["verify_email", "reset_password", "change_email", "otp", "email_changed"]
LETTERS: tuple[Letter, ...] = get_args(Letter)
Part = Literal["subject", "html", "txt"]
PARTS: tuple[Part, ...] = ("subject", "html", "txt")
CONFIG_FIELDS: Mapping[Letter, str] = {
    "verify_email": "user_verification_template",
    "reset_password": "password_reset_template",
    "change_email": "change_email_template",
    "otp": "otp_template",
}
DEPOT_DIRECTORY = "mail"
_BUILT_IN = Path(__file__).parent / "letters"
# Paths of the pages that the links open; spec auth/8.2.
_VERIFY = "/api/auth/v1/verify_email/confirm/"
_CHANGE = "/api/auth/v1/change_email/confirm/"
_RESET = "/_/auth/reset_password/update/"
_LOGIN = "/_/auth/otp/login"


class Rendered(Struct, frozen=True):
    """
    A letter to somebody.

    Attributes:
        subject: One line.
        html: Body.
        text: Body for readers without HTML; None: to be made from ``html``.
    """

    subject: str
    html: str
    text: str | None


class Letters:
    """
    The letters of one configuration. Templates are compiled when they are first needed.

    Args:
        config: The ``email`` message.
        depot: Where files of one's own may be; None: nowhere.
    """

    def __init__(self, config: "EmailConfig", depot: Path | None) -> None:
        self._sources: dict[tuple[Letter, Part], str] = {}
        if depot is not None:
            for letter in LETTERS:
                self._read_files(depot / DEPOT_DIRECTORY, letter)
        for letter, field in CONFIG_FIELDS.items():
            template: EmailTemplate = getattr(config, field)
            if template.HasField("subject"):
                self._sources[letter, "subject"] = template.subject
            if template.HasField("body"):
                self._sources[letter, "html"] = template.body
        self._ready: dict[tuple[Letter, Part], Render] = {}

    def render(self, letter: Letter, values: Values) -> Rendered:
        """
        Write a letter.

        Args:
            letter: Which.
            values: See ``letter_values``.

        Spec:
            auth/templates
        """
        shown = {name: values.get(name) for name in ("APP_NAME", "EMAIL")}
        subject = self._template(letter, "subject")(shown)
        html = self._template(letter, "html")(values)
        is_own = (letter, "html") in self._sources and (letter, "txt") not in self._sources
        text = None if is_own else self._template(letter, "txt")(values)
        return Rendered(subject, html, text)

    def _template(self, letter: Letter, part: Part) -> Render:
        ready = self._ready.get((letter, part))
        if ready is None:
            ready = self._ready[letter, part] = self._compile(letter, part)
        return ready

    def _compile(self, letter: Letter, part: Part) -> Render:
        source = self._sources.get((letter, part))
        if source is not None:
            try:
                return compile_template(source, escape=part == "html")
            except TemplateError as exc:
                # A mail in other words serves its reader; no mail does not.
                log.error("the %s of the mail %s: %s; using ours", part, letter, exc)  # noqa: TRY400
                self._sources.pop((letter, part), None)
        return compile_template(read_built_in(letter, part), escape=part == "html")

    def _read_files(self, directory: Path, letter: Letter) -> None:
        for part in PARTS:
            path = directory / f"{letter}.{part}"
            try:
                with path.open(encoding="utf-8") as file:
                    self._sources[letter, part] = file.read(MAX_TEMPLATE_CHARS + 1)
            except FileNotFoundError:
                continue
            except (OSError, UnicodeDecodeError) as exc:
                log.error("cannot read %s: %s; using our own text", path, exc)  # noqa: TRY400


@lru_cache(maxsize=16)
def read_built_in(letter: Letter, part: Part) -> str:
    """Read one of our own templates."""
    return (_BUILT_IN / f"{letter}.{part}").read_text("utf-8")


def find_template_problems(config: "EmailConfig") -> list[Problem]:
    """
    Find templates of a configuration that could not be used, for whoever wants to store it.

    Spec:
        server/validation
    """
    problems = []
    for field in CONFIG_FIELDS.values():
        template: EmailTemplate = getattr(config, field)
        for part in ("subject", "body"):
            if not template.HasField(part):
                continue
            try:
                compile_template(getattr(template, part), escape=part == "body")
            except TemplateError as exc:
                problems.append(Problem(f"email.{field}.{part}", f"Invalid template: {exc}"))
    return problems


def letter_values(
    letter: Letter, *, to: str, app_name: str, site: str, given: Mapping[str, str | None]
) -> Values:
    """
    Everything that can stand in a body.

    Args:
        letter: Which.
        to: Recipient.
        app_name: What users know the site by.
        site: Origin of the site.
        given: ``token`` or ``code``, and ``redirect_uri``: a checked target as it is;
            ``new_email`` for the note to the address that an account had before.

    Returns:
        ``VERIFICATION_URL``, ``RESET_URL`` and ``LOGIN_URL`` are complete and encoded; so is
        ``REDIRECT_URI``, to be put behind ``redirect_uri=`` in a link of one's own.

    Spec:
        auth/templates
    """
    token, code = given.get("token") or "", given.get("code")
    target = given.get("redirect_uri")
    encoded = None if target is None else encode_query(target)
    values: dict[str, str | None] = {
        "APP_NAME": app_name,
        "EMAIL": to,
        "SITE_URL": site,
        "CODE": code or token,
        "TOKEN": token or None,
    }
    if letter == "email_changed":
        del values["CODE"], values["TOKEN"]
        values["NEW_EMAIL"] = given.get("new_email")
        return values
    if letter == "reset_password":
        values["RESET_URL"] = f"{site}{_RESET}{encode_query(token)}"
        return values
    values["REDIRECT_URI"] = encoded
    if letter == "otp":
        del values["TOKEN"]
        values["LOGIN_URL"] = (
            f"{site}{_LOGIN}?email={encode_query(to)}&code={encode_query(code or '')}"
            + (f"&redirect_uri={encoded}" if encoded else "")
        )
        return values
    path = _VERIFY if letter == "verify_email" else _CHANGE
    values["VERIFICATION_URL"] = f"{site}{path}{encode_query(token)}" + (
        f"?redirect_uri={encoded}" if encoded else ""
    )
    return values


def encode_query(text: str) -> str:
    """Percent-encode a value of a link; ``/`` and ``:`` stay, so that targets remain readable."""
    return quote(text.encode("utf-8", "replace"), safe="/:")
