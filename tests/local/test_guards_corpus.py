"""The guards over their corpus: what is planted is found or, where the case says so, not judged, and nothing else."""

import pytest

from atlas_access.base import Status
from tests.corpus.cases import GUARDS, PASSWORD, Case, cases, judged, status_of

EXPECTED = {(True, False): Status.BAD, (True, True): Status.UNKNOWN, (False, False): Status.GOOD}


def wrong(case: Case) -> bool:
    return status_of(case) is not EXPECTED[case.planted, case.unjudged]


@pytest.mark.parametrize("guard", GUARDS)
def test_the_corpus_is_large_enough_and_few_cases_flow_out_of_sight(guard: str) -> None:
    planted, innocent = GUARDS[guard]
    found = cases(guard)
    assert planted <= sum(each.planted for each in found)
    assert innocent <= sum(not each.planted for each in found)
    assert sum(each.unjudged for each in found) <= 0.05 * sum(each.planted for each in found)


@pytest.mark.parametrize("guard", GUARDS)
def test_what_is_planted_is_found_and_what_is_innocent_is_clean(guard: str) -> None:
    assert [] == [(each.number, each.files) for each in cases(guard) if wrong(each)]


@pytest.mark.parametrize("guard", ["validate-secrets", "local-file"])
def test_no_finding_shows_the_password_of_a_value(guard: str) -> None:
    found = [each.message for case in cases(guard) for each in judged(case).findings]
    assert found
    assert not [each for each in found if PASSWORD in each]
