"""r2() and icc()."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mixedmodels import glmer, icc, lmer, load_dyestuff2, load_epil, load_grouseticks, load_sleepstudy, r2
from mixedmodels.errors import ArgumentError
from shared_fits import fits


@pytest.fixture(scope="module")
def sleep():
    return fits("sleepstudy")


def test_random_slopes_against_performance(sleep):
    # performance 0.10: r2_nakagawa() and icc(), to the digits printed
    found = r2(sleep)
    assert (round(found.marginal, 3), round(found.conditional, 3)) == (0.279, 0.799)
    assert round(icc(sleep).adjusted, 3) == 0.722


def test_variance_of_random_slopes_is_the_mean_over_the_rows(sleep):
    cov = sleep.VarCorr()["Subject"].cov
    days = load_sleepstudy()["Days"].to_numpy(dtype=float)
    by_hand = cov[0, 0] + 2 * cov[0, 1] * days.mean() + cov[1, 1] * np.square(days).mean()
    assert r2(sleep).variances.random == pytest.approx(by_hand, rel=1e-12)


def test_binomial_against_performance():
    found = r2(fits("cbpp"))
    assert (round(found.marginal, 3), round(found.conditional, 3)) == (0.085, 0.187)
    assert found.variances.residual == pytest.approx(math.pi**2 / 3)


@pytest.mark.parametrize(("link", "variance"), [("probit", 1.0), ("cloglog", math.pi**2 / 6)])
def test_latent_variances(link, variance):
    model = fits("cbpp").update(link=link)
    assert r2(model).variances.residual == pytest.approx(variance)


def test_cauchit_has_no_variance():
    model = fits("cbpp").update(link="cauchit")
    with pytest.raises(ArgumentError, match="no variance"):
        r2(model)


def test_poisson_at_the_mean_of_the_null_model():
    model = glmer("y ~ lbase + (1 | subject)", load_epil(), "poisson")
    null = glmer("y ~ 1 + (1 | subject)", load_epil(), "poisson")
    mean = math.exp(float(null.fixef().iloc[0]) + 0.5 * float(null.VarCorr()["subject"].cov[0, 0]))
    assert r2(model).variances.residual == pytest.approx(math.log1p(1 / mean), rel=1e-6)
    assert r2(model, "delta").variances.residual == pytest.approx(1 / mean, rel=1e-6)
    # The trigamma function by its series.
    k = np.arange(200_000)
    trigamma = float(np.sum(1 / np.square(mean + k))) + 1 / (mean + 200_000)
    assert r2(model, "trigamma").variances.residual == pytest.approx(trigamma, rel=1e-6)


def test_random_effects_of_observations_are_residual():
    model = glmer("TICKS ~ 1 + (1 | BROOD) + (1 | INDEX)", load_grouseticks(), "poisson")
    variances = r2(model).variances
    assert set(variances.groups) == {"BROOD"}
    assert variances.residual > float(model.VarCorr()["INDEX"].cov[0, 0])
    assert r2(model).marginal == pytest.approx(0.0, abs=1e-15)


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")
def test_singular_fits_have_shares_too():
    model = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2())
    # An intercept has a variance of rounding error.
    assert (r2(model).marginal, r2(model).conditional) == pytest.approx((0.0, 0.0), abs=1e-12)
    assert icc(model).adjusted == 0.0


def test_shares_of_groups_add_up(sleep):
    found = icc(sleep)
    assert sum(found.by_group.values()) == pytest.approx(found.adjusted)
    assert found.unadjusted == pytest.approx(r2(sleep).conditional - r2(sleep).marginal)


def test_unknown_approximation(sleep):
    with pytest.raises(ArgumentError, match="approximation must be one of"):
        r2(sleep, "exact")
