"""How many evaluations a fit may take, and that the page says how many it does."""

from __future__ import annotations

import dataclasses
import statistics

import pytest
from evaluation_counts import Count, measure, published

TYPICAL, MOST = 7, 20
# Residual variance and covariance matrix hardly tell each other: a long curved valley in 46 parameters.
VALLEYS = {"seed-sleepstudy-cat-separate": 30}
# The last steps of a search are decided by rounding, which differs between machines.
ROUNDING = 2


@pytest.fixture(scope="module")
def counts() -> list[Count]:
    return measure()


def test_a_typical_fit_is_quick(counts):
    assert statistics.median(count.evaluations for count in counts) <= TYPICAL


def test_no_fit_is_slow(counts):
    slow = [count for count in counts if count.evaluations > VALLEYS.get(count.case, MOST)]
    assert slow == []


def test_the_page_lists_every_case(counts):
    def without_evaluations(count: Count) -> Count:
        return dataclasses.replace(count, evaluations=0)

    assert list(map(without_evaluations, published())) == list(map(without_evaluations, counts))


def test_the_page_is_not_stale(counts):
    on_page = {count.case: count.evaluations for count in published()}
    stale = {
        count.case: (on_page[count.case], count.evaluations)
        for count in counts
        if abs(on_page[count.case] - count.evaluations) > ROUNDING
    }
    assert stale == {}, "run python tests/golden/evaluation_counts.py"
