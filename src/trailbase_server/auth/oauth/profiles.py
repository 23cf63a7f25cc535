"""
How each service describes its users: from its JSON to a ``Profile``.

Members that we need and that are missing or of another type are an error of the service. What we
can do without (names, pictures) is dropped when it is odd.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from trailbase_server.auth.oauth.provider import Profile, ProfileError
from trailbase_server.schema.email import is_email

MAX_SUBJECT = 255  # characters: what OpenID Connect allows
MAX_URL = 2048  # characters: what browsers and proxies take

Description = Mapping[str, Any]


def read_oidc(claims: Description, *, assumes_verified: bool = True) -> Profile:
    """
    Claims of OpenID Connect.

    Args:
        claims: What the service says.
        assumes_verified: An address is verified unless they say that it is not, as the reference
            has it. Else one that they say nothing about is as good as none: it does not get into
            a new account (spec auth, S13).

    Spec:
        auth/providers
    """
    verified, email = claims.get("email_verified"), _optional_email(claims, "email")
    if verified is None and not assumes_verified:
        email = None
    return Profile(
        _subject(claims, "sub"),
        email,
        True if verified is None else _flag(verified, "email_verified"),
        _text(claims, "preferred_username"),
        _picture(claims.get("picture")),
    )


def read_apple(claims: Description) -> Profile:
    """
    Claims of Apple's ``id_token``: flags are texts there, or booleans.

    Apple may leave the address out, which matters to new accounts only.
    """
    subject, email = _subject(claims, "sub"), _optional_email(claims, "email")
    if email is None:
        return Profile(subject)
    return Profile(subject, email, _flag(claims.get("email_verified", False), "email_verified"))


def read_discord(user: Description) -> Profile:
    """Discord's ``/users/@me``."""
    subject, avatar = _subject(user, "id"), _text(user, "avatar")
    picture = f"https://cdn.discordapp.com/avatars/{_escaped(subject)}/{_escaped(avatar or '')}.png"
    return Profile(
        subject,
        _email(user, "email"),
        _flag(user.get("verified"), "verified"),
        _text(user, "username"),
        _picture(picture) if avatar else None,
    )


def read_gitlab(user: Description) -> Profile:
    """GitLab's ``/api/v4/user``: who is not active has not confirmed the address, or is blocked."""
    return Profile(
        _number(user, "id"),
        _email(user, "email"),
        user.get("state") == "active",
        _text(user, "username"),
        _picture(user.get("avatar_url")),
    )


def read_github(user: Description) -> Profile:
    """GitHub's ``/user``; whoever hides the address has none in it."""
    return Profile(
        _number(user, "id"),
        _optional_email(user, "email"),
        True,
        _text(user, "login"),
        _picture(user.get("avatar_url")),
    )


def read_google(user: Description) -> Profile:
    """Google's ``/oauth2/v1/userinfo``."""
    return Profile(
        _subject(user, "id"),
        _email(user, "email"),
        _flag(user.get("verified_email"), "verified_email"),
        None,
        _picture(user.get("picture")),
    )


def read_facebook(user: Description) -> Profile:
    """Facebook's ``/me``."""
    picture = user.get("picture")
    data = picture.get("data") if isinstance(picture, dict) else None
    url = data.get("url") if isinstance(data, dict) else None
    return Profile(_subject(user, "id"), _email(user, "email"), avatar_url=_picture(url))


def read_microsoft(user: Description) -> Profile:
    """Microsoft Graph's ``/me``."""
    return Profile(_subject(user, "id"), _email(user, "mail"))


def read_twitch(answer: Description) -> Profile:
    """Twitch's ``/helix/users``: a list of one."""
    users = answer.get("data")
    if not isinstance(users, list) or len(users) != 1 or not isinstance(users[0], dict):
        raise ProfileError(detail="data: expected one user")
    user = users[0]
    return Profile(
        _subject(user, "id"),
        _email(user, "email"),
        True,
        _text(user, "login"),
        _picture(user.get("profile_image_url")),
    )


def read_yandex(user: Description) -> Profile:
    """Yandex's ``/info``."""
    avatar = None if user.get("is_avatar_empty") else _text(user, "default_avatar_id")
    picture = f"https://avatars.yandex.net/get-yapic/{_escaped(avatar or '')}/islands-200"
    return Profile(
        _subject(user, "id"),
        _email(user, "default_email"),
        True,
        _text(user, "login"),
        _picture(picture) if avatar else None,
    )


def read_primary_email(entries: object) -> str:
    """
    The address that matters in GitHub's ``/user/emails``.

    Raises:
        ProfileError: None is primary and verified.
    """
    for entry in entries if isinstance(entries, list) else ():
        if (
            isinstance(entry, dict)
            and entry.get("primary") is True
            and entry.get("verified") is True
        ):
            return _email(entry, "email")
    raise ProfileError(detail="no address is primary and verified")


def _subject(user: Description, name: str) -> str:
    value = user.get(name)
    if isinstance(value, str) and 0 < len(value) <= MAX_SUBJECT and value.isprintable():
        return value
    raise ProfileError(detail=f"{name}: expected an id")


def _number(user: Description, name: str) -> str:
    value = user.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ProfileError(detail=f"{name}: expected a number")


def _optional_email(user: Description, name: str) -> str | None:
    return None if user.get(name) in (None, "") else _email(user, name)


def _email(user: Description, name: str) -> str:
    value = user.get(name)
    if isinstance(value, str) and is_email(value):
        return value
    raise ProfileError(detail=f"{name}: expected an address")


def _flag(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise ProfileError(detail=f"{name}: expected a flag")


def _text(user: Description, name: str) -> str | None:
    value = user.get(name)
    return value if isinstance(value, str) and value else None


def _picture(value: object) -> str | None:
    if not isinstance(value, str) or not value.isprintable() or len(value) > MAX_URL:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    return value if parts.scheme in ("http", "https") and parts.hostname else None


def _escaped(segment: str) -> str:
    return quote(segment, safe="/")
