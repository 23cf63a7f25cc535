import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailbase_server.migrations.applied import AppliedMigration
from trailbase_server.migrations.migration import Migration
from trailbase_server.migrations.plan import plan


def row(migration):
    return AppliedMigration(migration.version, migration.name, migration.checksum)


def titles(migrations):
    return [migration.title for migration in migrations]


def test_what_is_pending_runs_in_the_order_of_numbers_whatever_the_prefix(make):
    files = [make("U30__c"), make("V1__a"), make("U2__b")]
    assert titles(plan([], files).pending) == ["V1__a", "U2__b", "U30__c"]


def test_applied_ones_are_skipped(make):
    first, second = make("V1__a"), make("U2__b")
    assert plan([row(first), row(second)], [first, second]) == plan([], [])


def test_an_unversioned_one_may_come_late(make):
    old, late = make("U10__old"), make("U5__late")
    assert titles(plan([row(old)], [old, late]).pending) == ["U5__late"]
    assert plan([row(old)], [old, late]).problems == ()


def test_a_versioned_one_may_not(make):
    old, late = make("U10__old"), make("V5__late")
    (problem,) = plan([row(old)], [old, late]).problems
    assert "V5__late" in problem
    assert "10" in problem


@pytest.mark.case("T-95")
def test_an_edited_or_renamed_file_is_divergent_and_does_not_run(make):
    before = [row(make("U10__a", "SELECT 1;")), row(make("U11__b"))]
    found = plan(before, [make("U10__a", "SELECT 2;"), make("U11__c")])
    assert titles(found.divergent) == ["U10__a", "U11__c"]
    assert (found.pending, found.problems) == ((), ())


def test_a_changed_prefix_is_no_difference(make):
    assert plan([row(make("U10__a"))], [make("V10__a")]).divergent == ()


def test_a_missing_file_is_named_with_v(make):
    (problem,) = plan([row(make("U10__gone"))], []).problems
    assert problem.startswith("migration V10__gone is missing from the filesystem")


@pytest.mark.case("T-95")
def test_two_pending_ones_of_one_number_are_refused_with_both_places(make):
    same = [make("U10__a"), make("U10__a", folder="migrations")]
    other = [make("U11__b"), make("U11__c")]
    problems = plan([], same + other).problems
    assert len(problems) == 2
    assert "migrations/main/U10__a.sql, migrations/U10__a.sql" in problems[0]
    assert "is repeated, migration versions must be unique" in problems[1]


def test_a_copy_of_an_applied_file_does_no_harm(make):
    files = [make("U10__a"), make("U10__a", folder="migrations")]
    assert plan([row(files[0])], files) == plan([], [])


def test_all_problems_are_found(make):
    applied = [row(make("U20__gone")), row(make("U21__also"))]
    found = plan(applied, [make("V3__late"), make("U30__a"), make("U30__b")])
    assert len(found.problems) == 4


numbers = st.lists(st.integers(1, 30), unique=True, max_size=10)


@given(numbers, numbers, st.randoms(use_true_random=False))
def test_every_file_is_applied_pending_or_divergent(before, now, random):
    files = [Migration("U", n, "x", "", random.choice("ab"), "") for n in now]
    applied = [AppliedMigration(n, "x", "a") for n in before]
    found = plan(applied, files)
    done = [file for file in files if AppliedMigration(file.version, "x", file.checksum) in applied]
    assert sorted(map(repr, [*done, *found.pending, *found.divergent])) == sorted(map(repr, files))
    assert [m.version for m in found.pending] == sorted(set(now) - set(before))
    assert len(found.problems) == len(set(before) - set(now))
