"""
What a page may say to its visitor, chosen by what ``?alert=`` says.

Anybody can write a link with a text in it, so no text of an address is ever shown: known ones have
a message of ours, all others the general one.
"""

import re
from typing import Literal

from msgspec import Struct

UNKNOWN = "unknown"


class Message(Struct, frozen=True):
    """
    One message.

    Attributes:
        key: Of its text, below ``messages.``.
        kind: ``notice``: something is done; ``error``: something is wrong.
        field: Name of the input that it is about, empty for none.
    """

    key: str
    kind: Literal["notice", "error"] = "error"
    field: str = ""


_NOTICES = {
    "email verified": "email_verified",
    "password updated": "password_updated",
    "password changed": "password_changed",
    "promoted": "promoted",
    "email changed": "email_changed",
    "username changed": "username_changed",
    "registered": "registered_name",
    "logged out": "logged_out",
    "account deleted": "account_deleted",
    "picture changed": "picture_changed",
    "picture deleted": "picture_deleted",
    "session ended": "session_ended",
    "sessions ended": "sessions_ended",
    "TOTP unregistered": "totp_off",
    "If there is such an account, a mail is on its way": "reset_sent",
    "If there is such an account, a code is on its way": "otp_sent",
    "If an account waits for this address, a mail is on its way": "verify_sent",
    "A mail with a link is on its way to the new address": "change_email_sent",
}
_REGISTERED = re.compile(
    r"Registered \S{1,320}\. Please follow the link in the mail we sent to verify the address\Z"
)
# Refusals by the text of the API, behind "Bad request: ".
_REFUSALS = {
    "Passwords don't match": ("passwords_differ", "password_repeat"),
    "Password too short": ("password_short", "password"),
    "Password too long": ("password_long", "password"),
    "Must contain digits": ("password_digits", "password"),
    "Must contain non-digits": ("password_letters", "password"),
    "Must contain lower and upper case": ("password_case", "password"),
    "Must contain special characters": ("password_special", "password"),
    "Invalid email": ("email_invalid", "email"),
    "Missing email": ("email_missing", "email"),
    "Missing username": ("username_missing", "username"),
    "username too short": ("username_short", "username"),
    "username too long": ("username_long", "username"),
    "username contains invalid characters": ("username_invalid", "username"),
    "wrong old password": ("old_password_wrong", "old_password"),
    "too many attempts, try again later": ("too_many", ""),
    "the old address is not the one of this account": ("old_email_wrong", "old_email"),
    "Invalid TOTP code": ("code_wrong", "totp"),
    "there is a second factor already: switch it off first": ("totp_is_on", ""),
    "there is no second factor": ("totp_is_off", ""),
    "invalid CSRF token": ("page_is_old", ""),
    "Invalid CSRF token": ("page_is_old", ""),
    "Disallowed in demo": ("demo", ""),
    "Cannot unset email": ("email_needed", "email"),
    "Cannot change username": ("username_fixed", ""),
    "Cannot unset username": ("username_missing", "username"),
    "Invalid token": ("link_void", ""),
    "invalid token": ("link_void", ""),
    "expected a PNG or a JPEG": ("picture_kind", "file"),
    "expected exactly one file, named `file`": ("picture_missing", "file"),
    "expected a multipart form": ("picture_missing", "file"),
    "the service or its user refused": ("service_refused", ""),
    "not sure": ("not_sure", "sure"),
    "passkey refused": ("passkey_refused", ""),
    "invalid redirect": ("target_invalid", ""),
}
# Refusals by status, where only the page knows what it means.
_BY_STATUS = {
    ("login", 401): ("login_failed", "password"),
    ("login_mfa", 401): ("code_wrong_or_late", "totp"),
    ("login_mfa", 424): ("totp_is_off", ""),
    ("otp_login", 401): ("code_wrong_or_late", "code"),
    ("totp", 401): ("code_wrong", "totp"),
    ("delete", 401): ("old_password_wrong", "password"),
    ("reset_update", 401): ("link_void", ""),
    ("verify_email", 401): ("link_void", ""),
    ("verify_email", 429): ("mail_too_soon", ""),
    ("reset_request", 429): ("mail_too_soon", ""),
    ("otp_request", 429): ("mail_too_soon", ""),
    ("change_email", 429): ("mail_too_soon", ""),
    ("change_username", 409): ("username_taken", "username"),
    ("register", 403): ("registration_closed", ""),
}
_COMMON = {401: "link_void", 409: "conflict", 413: "too_large", 429: "too_many", 503: "busy"}
_STATUS = re.compile(r"(?:Login )?Failed: ([1-5]\d\d)(?: [A-Za-z ]{1,40})?\Z")
_PREFIX = re.compile(r"(?:Bad request|Login Failed): ")
_SERVICE = "the service refused: "  # with a code of the service behind it


def choose_message(page: str, alert: str | None) -> Message | None:
    """
    Find the message for an alert.

    Args:
        page: Name of the page that shows it.
        alert: As it came; None for none.
    """
    if alert is None:
        return None
    notice = _NOTICES.get(alert) or ("registered" if _REGISTERED.match(alert) else None)
    if notice is not None:
        return Message(notice, "notice")
    reason = _PREFIX.sub("", alert, count=1)
    if reason.startswith(_SERVICE):
        return Message("service_refused")
    refusal = _REFUSALS.get(reason)
    if refusal is not None:
        return Message(refusal[0], "error", refusal[1])
    found = _STATUS.match(alert)
    if found is None:
        return Message(UNKNOWN)
    status = int(found[1])
    key, field = _BY_STATUS.get((page, status), (_COMMON.get(status, UNKNOWN), ""))
    return Message(key, "error", field)
