"""What each service says about its users; shapes as the services document them, people invented."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trailbase_server.auth.oauth.profiles import read_oidc, read_primary_email
from trailbase_server.auth.oauth.provider import Profile, ProfileError
from trailbase_server.auth.oauth.providers import PROVIDERS

BY_NAME = {provider.name: provider for provider in PROVIDERS}
KIM = "kim@mail.test"

DESCRIPTIONS = {
    "oidc0": (
        {
            "sub": "248",
            "email": KIM,
            "email_verified": True,
            "preferred_username": "kim.k",
            "picture": "https://pictures.test/kim.jpg",
            "name": "Kim K.",
        },
        Profile("248", KIM, True, "kim.k", "https://pictures.test/kim.jpg"),
    ),
    "apple": (
        {
            "iss": "https://appleid.apple.com",
            "sub": "0012.ab.34",
            "email": KIM,
            "email_verified": "true",
            "is_private_email": "false",
        },
        Profile("0012.ab.34", KIM),
    ),
    "discord": (
        {
            "id": "80351110224678912",
            "username": "Kim",
            "discriminator": "1337",
            "avatar": "8342729096ea3675442027381ff50dfe",
            "verified": True,
            "email": KIM,
            "flags": 64,
        },
        Profile(
            "80351110224678912",
            KIM,
            True,
            "Kim",
            "https://cdn.discordapp.com/avatars/80351110224678912/8342729096ea3675442027381ff50dfe.png",
        ),
    ),
    "gitlab": (
        {
            "id": 17,
            "username": "kim",
            "state": "active",
            "avatar_url": "https://gitlab.test/17.png",
            "email": KIM,
        },
        Profile("17", KIM, True, "kim", "https://gitlab.test/17.png"),
    ),
    "github": (
        {"login": "kim", "id": 583, "avatar_url": "https://github.test/583", "email": KIM},
        Profile("583", KIM, True, "kim", "https://github.test/583"),
    ),
    "google": (
        {
            "id": "1123",
            "email": KIM,
            "verified_email": True,
            "name": "Kim K.",
            "picture": "https://google.test/1123=s96-c",
        },
        Profile("1123", KIM, True, None, "https://google.test/1123=s96-c"),
    ),
    "facebook": (
        {
            "name": "Kim K.",
            "email": KIM,
            "picture": {"data": {"height": 200, "url": "https://facebook.test/kim?x=1"}},
            "id": "1022",
        },
        Profile("1022", KIM, True, None, "https://facebook.test/kim?x=1"),
    ),
    "microsoft": (
        {"id": "48d3-88", "mail": KIM, "userPrincipalName": "kim@tenant.test"},
        Profile("48d3-88", KIM),
    ),
    "twitch": (
        {
            "data": [
                {
                    "id": "1410",
                    "login": "kim",
                    "display_name": "Kim",
                    "profile_image_url": "https://twitch.test/1410.png",
                    "email": KIM,
                }
            ]
        },
        Profile("1410", KIM, True, "kim", "https://twitch.test/1410.png"),
    ),
    "yandex": (
        {
            "login": "kim",
            "id": "1000034426",
            "default_email": KIM,
            "is_avatar_empty": False,
            "default_avatar_id": "131652443",
        },
        Profile(
            "1000034426",
            KIM,
            True,
            "kim",
            "https://avatars.yandex.net/get-yapic/131652443/islands-200",
        ),
    ),
}
NEEDED = {
    "oidc0": ["sub"],
    "apple": ["sub"],
    "discord": ["id", "email", "verified"],
    "gitlab": ["id", "email"],
    "github": ["id"],
    "google": ["id", "email", "verified_email"],
    "facebook": ["id", "email"],
    "microsoft": ["id", "mail"],
    "twitch": ["data"],
    "yandex": ["id", "default_email"],
}
ODD = [None, "", [], {}, True, 1.5, "x" * 300, "line\nbreak"]


def read(name, /, **changes):
    description = {**DESCRIPTIONS[name][0], **changes}
    return BY_NAME[name].read_profile(description)


def test_every_service_is_here():
    assert set(DESCRIPTIONS) == set(BY_NAME) == set(NEEDED)


@pytest.mark.parametrize("name", DESCRIPTIONS)
def test_a_description_becomes_a_profile(name):
    description, profile = DESCRIPTIONS[name]
    assert BY_NAME[name].read_profile(description) == profile


@pytest.mark.parametrize(
    ("name", "member"), [(n, m) for n, members in NEEDED.items() for m in members]
)
def test_what_we_need_must_be_there(name, member):
    description = {k: v for k, v in DESCRIPTIONS[name][0].items() if k != member}
    with pytest.raises(ProfileError):
        BY_NAME[name].read_profile(description)
    with pytest.raises(ProfileError):
        read(name, **{member: {"an": "object"}})


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("name", ["oidc0", "apple"])
def test_an_odd_subject_is_none(name, value):
    with pytest.raises(ProfileError):
        read(name, sub=value)


@pytest.mark.parametrize("value", [None, "17", True, 1.5, []], ids=repr)
@pytest.mark.parametrize("name", ["gitlab", "github"])
def test_a_number_must_be_one(name, value):
    with pytest.raises(ProfileError):
        read(name, id=value)


def test_who_has_no_address_has_none():
    assert read("oidc0", email=None).email is None
    assert read("oidc0", email="").email is None
    assert read("github", email=None).email is None
    with pytest.raises(ProfileError):
        read("oidc0", email="not an address")
    with pytest.raises(ProfileError):
        read("discord", email="")


@pytest.mark.case("T-75")
@pytest.mark.parametrize(
    ("name", "changes", "verified"),
    [
        ("oidc0", {"email_verified": False}, False),
        ("oidc0", {"email_verified": "false"}, False),
        ("oidc0", {"email_verified": "true"}, True),
        ("oidc0", {"email_verified": None}, True),
        ("apple", {"email_verified": True}, True),
        ("apple", {"email_verified": False}, False),
        ("apple", {"email_verified": "false"}, False),
        ("discord", {"verified": False}, False),
        ("gitlab", {"state": "blocked"}, False),
        ("gitlab", {"state": None}, False),
        ("google", {"verified_email": False}, False),
    ],
)
def test_whether_the_service_vouches_for_the_address(name, changes, verified):
    assert read(name, **changes).is_verified is verified


@pytest.mark.case("T-75")
@pytest.mark.parametrize(("assumes", "email"), [(False, None), (True, KIM)])
def test_an_address_about_which_nothing_is_said_is_as_good_as_none(assumes, email):
    profile = read_oidc({"sub": "1", "email": KIM}, assumes_verified=assumes)
    assert (profile.email, profile.is_verified) == (email, True)


def test_apple_vouches_only_if_it_says_so():
    description = {"sub": "1", "email": KIM}
    assert not BY_NAME["apple"].read_profile(description).is_verified


@pytest.mark.parametrize("value", ["yes", 1, []], ids=repr)
def test_a_flag_is_a_flag(value):
    with pytest.raises(ProfileError):
        read("oidc0", email_verified=value)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("discord", {"avatar": None}),
        ("discord", {"avatar": 7}),
        ("facebook", {"picture": None}),
        ("facebook", {"picture": {"data": "none"}}),
        ("yandex", {"is_avatar_empty": True}),
        ("yandex", {"default_avatar_id": None}),
        ("oidc0", {"picture": "javascript:alert(1)"}),
        ("oidc0", {"picture": "/relative.png"}),
        ("oidc0", {"picture": "https://[broken"}),
        ("oidc0", {"picture": "https://pictures.test/" + "x" * 3000}),
        ("oidc0", {"picture": ["https://pictures.test/"]}),
    ],
)
def test_an_odd_picture_is_none(name, changes):
    assert read(name, **changes).avatar_url is None


def test_ids_stay_inside_the_address_of_a_picture():
    url = read("discord", id="1?x#y", avatar="a b").avatar_url
    assert url == "https://cdn.discordapp.com/avatars/1%3Fx%23y/a%20b.png"


@pytest.mark.parametrize("data", [[], [{}, {}], ["kim"], None, "kim"], ids=repr)
def test_twitch_lists_exactly_one_user(data):
    with pytest.raises(ProfileError):
        read("twitch", data=data)


def test_the_primary_verified_address_of_a_list():
    entries = [
        "odd",
        {"email": "old@mail.test", "primary": False, "verified": True},
        {"email": "new@mail.test", "primary": True, "verified": True, "visibility": "private"},
    ]
    assert read_primary_email(entries) == "new@mail.test"
    for none in (entries[:2], [{**entries[2], "verified": False}], {}, None, "x", []):
        with pytest.raises(ProfileError):
            read_primary_email(none)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize("name", DESCRIPTIONS)
@settings(max_examples=40)
@given(data=st.data())
def test_whatever_a_service_says_is_a_profile_or_its_mistake(name, data):
    members = list(DESCRIPTIONS[name][0])
    changed = data.draw(st.dictionaries(st.sampled_from(members), json_values))
    try:
        profile = read(name, **changed)
    except ProfileError:
        return
    assert profile.subject
    assert profile.email is None or "@" in profile.email
    assert profile.avatar_url is None or profile.avatar_url.startswith("http")
