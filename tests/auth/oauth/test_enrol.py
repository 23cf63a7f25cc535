"""Which account a service's user gets."""

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from trailbase_server.auth.identifiers import parse_username
from trailbase_server.auth.oauth.enrol import (
    AddressTakenError,
    address_for,
    find_or_create,
    find_or_insert,
    names_for,
)
from trailbase_server.auth.oauth.provider import Profile
from trailbase_server.auth.options import IdentifierPolicy
from trailbase_server.auth.users import find_by_username, find_user
from trailbase_server.errors import ConflictError, DependencyError, UnauthorizedError
from trailbase_server.ids import new_uuid4

OIDC, GITHUB = 2, 17
KIM = Profile("248", "kim@mail.test", username="kim")
POLICIES = list(IdentifierPolicy)
WITH_EMAIL = [IdentifierPolicy.ONLY_EMAIL, IdentifierPolicy.REQUIRE_EMAIL]


def allow(state, policy):
    state.options = replace(state.options, identifier_policy=policy)


def rows(state, columns="*"):
    return state.database.read(f"SELECT {columns} FROM _user WHERE provider_user_id = '248'")


async def test_a_new_user_gets_an_account(state):
    user = await find_or_create(state, OIDC, replace(KIM, avatar_url="https://p.test/1"))
    assert (user.email, user.username, user.password_hash) == ("kim@mail.test", "kim", None)
    assert (user.provider_id, user.unverified_email) == (OIDC, None)
    assert rows(state, "provider_id, provider_avatar_url") == [(OIDC, "https://p.test/1")]


async def test_a_known_user_is_found_whatever_else_has_changed(state):
    first = await find_or_create(state, OIDC, KIM)
    changed = Profile("248", "new@mail.test", username="kimberly", avatar_url="https://p.test/2")
    assert await find_or_create(state, OIDC, changed) == first
    assert rows(state, "email, username, provider_avatar_url") == [
        ("kim@mail.test", "kim", "https://p.test/2")
    ]
    await find_or_create(state, OIDC, KIM)
    assert rows(state, "provider_avatar_url") == [("https://p.test/2",)]


async def test_ids_of_different_services_are_different_people(state):
    allow(state, IdentifierPolicy.ONLY_USERNAME)
    users = [await find_or_create(state, provider, KIM) for provider in (OIDC, GITHUB)]
    assert users[0].id != users[1].id


async def test_two_at_once_get_one_account(state):
    users = await asyncio.gather(*(find_or_create(state, OIDC, KIM) for _ in range(4)))
    assert len({user.id for user in users}) == len(rows(state)) == 1


@pytest.mark.case("T-75")
@pytest.mark.parametrize("address", ["nora@auth.test", "NORA@AUTH.TEST"])
async def test_the_address_of_another_account_is_refused_and_never_linked(state, address):
    with pytest.raises(AddressTakenError):
        await find_or_create(state, OIDC, replace(KIM, email=address))
    assert rows(state) == []


@pytest.mark.case("T-75")
async def test_whoever_waits_for_the_address_loses_the_claim_and_the_password(state):
    user = await find_or_create(state, OIDC, replace(KIM, email="pending@auth.test"))
    assert user.email == "pending@auth.test"
    waiting = await find_by_username(state.database, "pending")
    assert (waiting.email, waiting.unverified_email, waiting.password_hash) == (None, None, None)


async def test_a_name_that_is_taken_gets_a_tail(state):
    user = await find_or_create(state, OIDC, replace(KIM, username="NORA"))
    assert re.fullmatch(r"NORA[a-z0-9]{6}", user.username)


async def test_no_name_is_left(state):
    args = (OIDC, "248", None, ("nora", "Otto"), None)
    with pytest.raises(ConflictError):
        await state.database.write(find_or_insert, new_uuid4(), *args)
    assert rows(state) == []


async def test_an_account_whose_address_is_unconfirmed_cannot_log_in(state):
    user = await find_or_create(state, OIDC, KIM)

    def unconfirm(tx):
        tx.run("UPDATE _user SET unverified_email = email, email = NULL WHERE id = ?1", (user.id,))

    await state.database.write(unconfirm)
    with pytest.raises(UnauthorizedError):
        await find_or_create(state, OIDC, KIM)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
async def test_every_policy_makes_the_accounts_it_wants(state, policy):
    allow(state, policy)
    user = await find_or_create(state, OIDC, KIM)
    has_email = policy != IdentifierPolicy.ONLY_USERNAME
    has_name = policy not in (IdentifierPolicy.UNDEFINED, IdentifierPolicy.ONLY_EMAIL)
    assert user.email == ("kim@mail.test" if has_email else None)
    assert user.username == ("kim" if has_name else None)
    assert await find_user(state.database, user.id) == user


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_who_has_no_address(policy):
    tolerant = (
        IdentifierPolicy.UNDEFINED,
        IdentifierPolicy.ONLY_USERNAME,
        IdentifierPolicy.REQUIRE_USERNAME,
    )
    if policy in tolerant:
        assert address_for(policy, None) is None
    else:
        with pytest.raises(DependencyError):
            address_for(policy, None)


async def test_a_known_user_needs_no_address(state):
    allow(state, IdentifierPolicy.REQUIRE_EMAIL)
    first = await find_or_create(state, OIDC, KIM)
    assert await find_or_create(state, OIDC, Profile("248")) == first


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@pytest.mark.parametrize("offered", [None, "", "no good", "x", "12ab", "a_b"])
def test_names_that_are_not_valid_here_are_not_taken_over(policy, offered):
    names = names_for(policy, offered)
    if policy in (IdentifierPolicy.UNDEFINED, *WITH_EMAIL):
        assert names == ()
    else:
        assert all(re.fullmatch(r"user[a-z0-9]{6}", name) for name in names)
        assert len(set(names)) == 5


@given(st.text(max_size=60), st.sampled_from(POLICIES))
def test_every_name_to_try_is_valid(offered, policy):
    names = names_for(policy, offered)
    assert [parse_username(name) for name in names] == list(names)
    assert len(set(names)) == len(names)
