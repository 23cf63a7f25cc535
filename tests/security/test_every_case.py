"""Every case of ``spec/security-cases.md`` that counts as proved is proved by a test."""

import re

import pytest

from scripts.reference.cases import Case, read_cases, read_proofs

CASES = read_cases()
PROOFS = read_proofs()
STATE = re.compile(r"proved|waits: #\d+( \(.+\))?")


def test_all_cases_are_listed_once():
    assert [case.name for case in CASES] == [f"T-{number:02}" for number in range(1, 103)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_counts_as_proved_has_a_test(case: Case):
    assert STATE.fullmatch(case.state), case
    assert PROOFS.get(case.name) or case.state != "proved", f"no test names {case.name}"


def test_tests_name_cases_that_exist():
    assert set(PROOFS) <= {case.name for case in CASES}


def test_cases_of_accounts_do_not_wait():
    """Whole groups: tokens, and what leads elsewhere."""
    assert [case for case in CASES if case.group in (1, 6) and case.state != "proved"] == []
