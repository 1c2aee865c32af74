"""Adjustments against scipy, theory and each other."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixedmodels.errors import ArgumentError
from mixedmodels.means.adjustments import MaxT, TestFamily as Family, check_adjustment
from mixedmodels.means.letters import letters

T = np.array([2.9, -2.1, 0.4, 3.6])


def independent(df: float = np.inf, m: int = 4) -> Family:
    return Family(np.eye(m), np.full(m, df), False)


def all_differences(k: int, df: float) -> Family:
    """Of k independent means with equal variances."""
    i, j = np.triu_indices(k, 1)
    contrasts = np.zeros((len(i), k))
    contrasts[np.arange(len(i)), i], contrasts[np.arange(len(i)), j] = 1, -1
    return Family(contrasts @ contrasts.T / 2, np.full(len(i), df), True)


def test_simple_adjustments_are_their_formulas():
    family = independent(12.0)
    raw = 2 * stats.t.sf(np.abs(T), 12)
    np.testing.assert_allclose(family.p_values(T, "none"), raw, rtol=1e-12)
    np.testing.assert_allclose(family.p_values(T, "bonferroni"), np.minimum(1, 4 * raw), rtol=1e-12)
    np.testing.assert_allclose(family.p_values(T, "sidak"), 1 - (1 - raw) ** 4, rtol=1e-10)
    np.testing.assert_allclose(family.p_values(T, "fdr"), stats.false_discovery_control(raw), rtol=1e-12)
    # By hand: 4 times the least, 3 times the next one, ..., never less than the one before.
    np.testing.assert_allclose(
        family.p_values(T, "holm"), [3 * raw[0], 2 * raw[1], raw[2], 4 * raw[3]], rtol=1e-12
    )


def test_holm_never_gives_a_larger_statistic_a_larger_p_value():
    p = independent().p_values(np.array([2.0, 2.05, 1.99, 0.1]), "holm")
    assert p[1] <= p[0] <= p[2] <= p[3] <= 1
    assert p[0] == p[1] == p[2]


@pytest.mark.parametrize("df", [5.0, 40.0, np.inf])
def test_the_largest_of_independent_normals_or_of_one_t(df):
    if np.isinf(df):
        # Independent only without a common denominator.
        np.testing.assert_allclose(
            independent().p_values(T, "mvt"), independent().p_values(T, "sidak"), rtol=5e-3
        )
    assert MaxT(np.ones((3, 3))).beyond(2.2, df) == pytest.approx(2 * stats.t.sf(2.2, df), rel=1e-12)


@pytest.mark.parametrize("df", [7.0, 60.0])
def test_the_largest_t_is_that_of_scipy(df):
    correlation = np.array([[1, 0.5, 0.2], [0.5, 1, -0.3], [0.2, -0.3, 1]])
    inside = stats.multivariate_t(np.zeros(3), correlation, df).cdf(
        np.full(3, 2.0), lower_limit=np.full(3, -2.0), random_state=1, maxpts=100_000
    )
    assert MaxT(correlation).beyond(2.0, df) == pytest.approx(1 - inside, abs=3e-4)


@pytest.mark.parametrize("df", [8.0, np.inf])
def test_tukey_is_the_multivariate_t_of_all_differences(df):
    family = all_differences(4, df)
    t = np.array([0.5, 1.5, 2.5, 3.5, 5.0, 1.0])
    np.testing.assert_allclose(family.p_values(t, "tukey"), family.p_values(t, "mvt"), rtol=2e-3)


def test_two_means_need_no_adjustment_by_tukey():
    family = all_differences(2, 9.0)
    assert family.p_values(np.array([2.5]), "tukey") == pytest.approx(2 * stats.t.sf(2.5, 9))


@pytest.mark.parametrize("adjust", ["none", "tukey", "sidak", "bonferroni", "scheffe", "mvt"])
@pytest.mark.parametrize("df", [6.0, np.inf])
def test_an_interval_ends_where_the_p_value_is_one_minus_the_level(adjust, df):
    family = all_differences(3, df)
    critical = family.critical(0.9, adjust)
    np.testing.assert_allclose(family.p_values(critical, adjust), 0.1, rtol=1e-7)


def test_scheffe_is_the_f_test_of_the_best_contrast():
    family = all_differences(3, 10.0)
    assert family.p_values(np.full(3, 3.0), "scheffe")[0] == pytest.approx(stats.f.sf(9 / 2, 2, 10))


def test_small_probabilities_keep_their_digits():
    assert MaxT(np.eye(3)).beyond(12.0, np.inf) == pytest.approx(3 * 2 * stats.norm.sf(12), rel=0.02)


@pytest.mark.parametrize("adjust", ["dunnett", "dunnettx"])
def test_the_names_of_dunnett_s_adjustment(adjust):
    assert check_adjustment(adjust) == "mvt"


@pytest.mark.parametrize("adjust", ["Tukey", "dunnet", 3, ["none"]])
def test_unknown_adjustments_are_refused(adjust):
    with pytest.raises(ArgumentError, match="adjust must be one of"):
        check_adjustment(adjust)


@pytest.mark.parametrize("seed", range(8))
def test_means_share_a_letter_exactly_if_they_do_not_differ(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(2, 9))
    different = np.triu(rng.random((k, k)) < 0.4, 1)
    different |= different.T
    found = letters(different)
    for i in range(k):
        for j in range(k):
            assert bool(set(found[i]) & set(found[j])) == (not different[i, j])


@pytest.mark.parametrize("lowest", [3.0, 12.0])
def test_limits_at_many_degrees_of_freedom_are_those_at_each_alone(lowest):
    # As Kenward and Roger's or Satterthwaite's differ between all pairs of means.
    df = lowest + 20.0 * np.linspace(0, 1, 28) ** 2
    found = all_differences(8, df).critical(0.95, "tukey")
    for i in (0, 1, 13, 27):
        alone = stats.studentized_range.isf(0.05, 8, df[i]) / np.sqrt(2)
        assert found[i] == pytest.approx(alone, rel=1e-6)
