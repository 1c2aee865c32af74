"""Comparison arrows overlap if and only if means do not differ significantly."""

from __future__ import annotations

import numpy as np
import pytest

from mixedmodels import ArgumentError
from mixedmodels.means.arrows import arrow_lengths


def overlaps(estimates, lengths):
    low, high = estimates - lengths[:, 0], estimates + lengths[:, 1]
    return (low[:, None] <= high) & (low <= high[:, None])


@pytest.mark.parametrize("seed", range(6))
def test_equal_errors_have_arrows_of_half_the_critical_difference(seed):
    rng = np.random.default_rng(seed)
    estimates, critical = rng.normal(size=8), np.full((8, 8), 0.9)
    lengths, misleading = arrow_lengths(estimates, critical)
    assert misleading == 0
    order = np.argsort(estimates)
    differ = np.abs(estimates[:, None] - estimates) > critical
    np.testing.assert_array_equal(overlaps(estimates, lengths), ~differ)
    # The outermost have none on the side where there is no mean.
    assert lengths[order[0], 0] == lengths[order[-1], 1] == 0
    close = np.abs(np.abs(estimates[:, None] - estimates) - 0.9)[np.triu_indices(8, 1)]
    if close.min() > 0.05:
        np.testing.assert_allclose(lengths[order[1:], 0], 0.45)
        np.testing.assert_allclose(lengths[order[:-1], 1], 0.45)


@pytest.mark.parametrize("seed", range(6))
def test_what_arrows_cannot_show_is_counted(seed):
    rng = np.random.default_rng(seed)
    estimates, error = rng.normal(size=10), rng.uniform(0.1, 0.8, 10)
    critical = 2 * np.hypot(error[:, None], error)
    lengths, misleading = arrow_lengths(estimates, critical)
    differ = np.abs(estimates[:, None] - estimates) > critical
    wrong = (overlaps(estimates, lengths) == differ)[np.triu_indices(10, 1)].sum()
    assert wrong == misleading
    assert (lengths >= 0).all()


def test_pairs_that_are_not_compared_put_no_condition():
    critical = np.full((3, 3), np.nan)
    lengths, misleading = arrow_lengths(np.array([1.0, 2.0, 3.0]), critical)
    assert misleading == 0
    assert (lengths == 0).all()


def test_too_many_means_are_refused():
    with pytest.raises(ArgumentError, match="at most 60 means in a group, not 61"):
        arrow_lengths(np.arange(61.0), np.ones((61, 61)))
