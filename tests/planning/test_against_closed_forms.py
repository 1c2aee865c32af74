"""Power by simulation against noncentral distributions, where a balanced design makes them exact."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mixedmodels import crossed_design, power

NSIM = 600


def close(found, wanted):
    """Within four standard errors of a simulated share."""
    assert abs(found.power - wanted) < 4 * np.sqrt(wanted * (1 - wanted) / found.nsim)
    assert found.failures == 0
    assert found.nsim == NSIM


@pytest.mark.parametrize("ddf", ["satterthwaite", "kenward-roger"])
def test_paired_design_is_a_paired_t_test(ddf):
    n, effect, sigma = 14, 0.9, 1.0
    data = crossed_design(n, within={"condition": ["a", "b"]})
    params = {"(Intercept)": 3.0, "condition[T.b]": effect, "sd__(Intercept)": 3.0, "sigma": sigma}
    found = power(
        "y ~ condition + (1 | subject)", "condition[T.b]", NSIM, data=data, params=params, ddf=ddf, rng=1
    )
    shift, df = effect / (sigma * np.sqrt(2 / n)), n - 1
    critical = stats.t.ppf(0.975, df)
    close(found, stats.nct.sf(critical, df, shift) + stats.nct.cdf(-critical, df, shift))
    assert found.effect == effect
    assert found.estimates.mean() == pytest.approx(effect, abs=4 * sigma * np.sqrt(2 / n / NSIM))


@pytest.mark.parametrize("test", ["group", "~ 1 + (1 | subject)", ["group[T.b] = 0", "group[T.c] = 0"]])
def test_groups_of_subjects_are_an_analysis_of_variance_of_their_means(test):
    per_group, repetitions, sd, sigma = 8, 4, 1.5, 1.0
    data = crossed_design(3 * per_group, between_subjects={"group": ["a", "b", "c"]}, repetitions=repetitions)
    means = np.array([0.0, 1.2, 2.2])
    params = {
        "(Intercept)": 0.0,
        "group[T.b]": means[1],
        "group[T.c]": means[2],
        "sd__(Intercept)": sd,
        "sigma": sigma,
    }
    found = power("y ~ group + (1 | subject)", test, NSIM, data=data, params=params, rng=2)
    noncentrality = per_group * np.sum((means - means.mean()) ** 2) / (sd**2 + sigma**2 / repetitions)
    df2 = 3 * (per_group - 1)
    if isinstance(test, str) and "~" in test:
        # The likelihood ratio is n log(1 + F df1/df2) of the means; its χ² limit is one of F.
        critical = df2 / 2 * np.expm1(stats.chi2.ppf(0.95, 2) / (3 * per_group))
    else:
        critical = stats.f.ppf(0.95, 2, df2)
    close(found, stats.ncf.sf(critical, 2, df2, noncentrality))


def test_size_of_a_test_is_alpha():
    data = crossed_design(12, within={"condition": ["a", "b"]})
    params = {"(Intercept)": 3.0, "condition[T.b]": 0.0, "sd__(Intercept)": 3.0, "sigma": 1.0}
    found = power("y ~ condition + (1 | subject)", None, NSIM, data=data, params=params, alpha=0.1, rng=3)
    close(found, 0.1)
    assert found.alpha == 0.1
