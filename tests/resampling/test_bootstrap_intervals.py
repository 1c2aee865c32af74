"""Limits from given replicates, against R's boot.ci."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mixedmodels.resampling.intervals import SIMPLE, acceleration, bca, bca_levels, quantile, shortest

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "bootstrap.json").read_text())
CASES = GOLDEN["intervals"]["cases"]


@pytest.mark.parametrize(
    ("case", "level"), [(name, level) for name, case in CASES.items() for level in case["limits"]]
)
@pytest.mark.parametrize("kind", ["percentile", "basic", "normal", "bca"])
def test_limits_are_those_of_boot_ci(case, level, kind):
    case = CASES[case]
    values, estimate = np.array(case["replicates"]), case["estimate"]
    if kind == "bca":
        influence = np.array(case["influence"])
        own = float(np.sum(influence**3) / (6 * np.sum(influence**2) ** 1.5))
        found = bca(values, estimate, float(level), own)
    else:
        found = SIMPLE[kind](values, estimate, float(level))
    np.testing.assert_allclose(found, case["limits"][level][kind], rtol=1e-10)


def test_quantiles_at_order_statistics_are_these():
    values = np.random.default_rng(1).permutation(np.arange(1.0, 100.0))
    assert [quantile(values, p / 100) for p in range(1, 100)] == list(range(1, 100))
    assert quantile(values, 0.001) == 1.0
    assert quantile(values, 0.999) == 99.0
    assert np.isnan(quantile(np.zeros(0), 0.5))


def test_the_shortest_interval_by_trying_all():
    values = np.random.default_rng(2).exponential(size=157)
    low, high = shortest(values, 1.0, 0.9)
    inside = int(np.ceil(0.9 * len(values)))
    assert np.count_nonzero((values >= low) & (values <= high)) == inside
    widths = [b - a for a in values for b in values if np.sum((values >= a) & (values <= b)) >= inside]
    assert high - low == min(widths)


def test_the_share_of_the_shortest_interval_is_free_of_rounding():
    values = np.random.default_rng(6).normal(size=100)
    for percent in range(1, 100):
        low, high = shortest(values, 0.0, percent / 100)
        assert np.count_nonzero((values >= low) & (values <= high)) == percent


def test_no_bias_and_no_acceleration_leave_percentiles():
    values = np.arange(-99.5, 100.0)
    assert bca(values, 0.0, 0.9, 0.0) == pytest.approx(SIMPLE["percentile"](values, 0.0, 0.9))


def test_bca_needs_replicates_on_both_sides():
    for estimate in (-1.0, 0.0, 49.0, 60.0):
        assert np.isnan(bca(np.arange(50.0), estimate, 0.95, 0.0)).all()


def test_bca_counts_half_of_the_replicates_at_the_estimate_on_each_side():
    values = np.random.default_rng(4).integers(-3, 4, 400).astype(float)
    symmetric = np.concatenate([values, -values])
    assert bca(symmetric, 0.0, 0.9, 0.0) == pytest.approx(SIMPLE["percentile"](symmetric, 0.0, 0.9))


def test_bca_levels_keep_their_order_whatever_the_acceleration():
    values = np.random.default_rng(5).normal(size=2000)
    for estimate in (-1.0, 0.0, 1.0):
        for level in (0.5, 0.9, 0.99, 0.999):
            for own in np.linspace(-0.5, 0.5, 41):
                low, high = bca_levels(values, estimate, level, own)
                assert 0.0 <= low <= high <= 1.0
    low, high = bca(values, 0.0, 0.999, 0.35)
    assert low < high == values.max()
    assert bca(-values, 0.0, 0.999, -0.35) == pytest.approx((-high, -low))


def test_the_acceleration_of_a_mean_is_its_skewness():
    x = np.random.default_rng(3).exponential(size=40)
    without = (x.sum() - x) / (len(x) - 1)
    skewness = np.mean((x - x.mean()) ** 3) / np.mean((x - x.mean()) ** 2) ** 1.5
    assert acceleration(without[:, None])[0] == pytest.approx(skewness / 6 / np.sqrt(len(x)), rel=1e-10)
    assert acceleration(np.ones((5, 2))).tolist() == [0.0, 0.0]
    gaps = np.append(without, np.nan)[:, None]
    assert acceleration(gaps)[0] == pytest.approx(acceleration(without[:, None])[0])


def test_there_is_no_acceleration_without_values():
    assert np.isnan(acceleration(np.full((5, 1), np.nan))).all()
