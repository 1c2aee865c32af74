"""Generalized models on hard data: each ends in finite, labelled numbers or in a clear error."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hard_fit import N, fit, sample

from mixedmodels import families, glmer
from mixedmodels.errors import ConvergenceWarning, DataError, ModesError, SeparationWarning
from mixedmodels.fit.control import OPTIMIZERS

pytestmark = pytest.mark.timeout(60)

BOUNDED_LINKS = ("logit", "probit", "cloglog", "cauchit")


def quasi_separated():
    """Every fourth row is treated, and the treated are all successes."""
    s = sample(1)
    treated = np.tile([0, 0, 0, 1], N // 4)
    return s.frame(np.where(treated == 1, 1, s.bernoulli(s.x + s.b)), t=treated)


# Separation


@pytest.mark.parametrize("link", BOUNDED_LINKS)
def test_complete_separation(link):
    s = sample(1)
    result = fit("y ~ x + (1 | g)", s.frame((s.x > 0).astype(int)), "binomial", link=link)
    assert SeparationWarning in result.warned
    assert result.model.objective == pytest.approx(0.0, abs=1e-6)
    np.testing.assert_array_equal(result.model.fitted() > 0.5, s.x > 0)


@pytest.mark.parametrize("link", BOUNDED_LINKS)
def test_quasi_complete_separation_leaves_the_other_coefficients_right(link):
    data = quasi_separated()
    result = fit("y ~ x + t + (1 | g)", data, "binomial", link=link)
    assert SeparationWarning in result.warned
    assert "coefficient of t" in result.messages
    # The treated rows then say nothing: the others are as if these were not there.
    alone = fit("y ~ x + (1 | g)", data[data["t"] == 0], "binomial", link=link).model
    np.testing.assert_allclose(result.model.beta[:2], alone.beta, rtol=2e-3, atol=2e-3)
    assert result.model.objective == pytest.approx(alone.objective, abs=1e-5)


def test_quasi_complete_separation_by_quadrature():
    result = fit("y ~ x + t + (1 | g)", quasi_separated(), "binomial", nAGQ=9)
    assert SeparationWarning in result.warned


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_quasi_complete_separation_by_every_optimizer(optimizer):
    result = fit("y ~ x + t + (1 | g)", quasi_separated(), "binomial", optimizer=optimizer)
    assert SeparationWarning in result.warned
    assert result.model.objective == pytest.approx(169.386, abs=2e-3)


def test_separation_with_a_log_link_ends_at_the_edge_of_its_domain():
    result = fit("y ~ x + t + (1 | g)", quasi_separated(), "binomial", link="log")
    assert ConvergenceWarning in result.warned
    assert (result.model.fitted() <= 1.0).all()


@pytest.mark.parametrize("family", ["poisson", "nbinom2", "nbinom1"])
def test_a_group_without_a_count(family):
    s = sample(2)
    none = np.tile([0, 0, 0, 1], N // 4)
    y = np.where(none == 1, 0, s.rng.poisson(np.exp(0.5 * s.x + s.b)))
    result = fit("y ~ x + none + (1 | g)", s.frame(y, none=none), family)
    assert SeparationWarning in result.warned
    assert "coefficient of none" in result.messages


def test_separation_by_the_levels():
    s = sample(3)
    result = fit("y ~ x + (1 | g)", s.frame((s.g < 10).astype(int)), "binomial")
    assert SeparationWarning in result.warned
    assert "hardly vary within levels" in result.messages


def test_separation_by_the_slopes_of_levels():
    s = sample(3)
    y = (s.x * np.where(s.g < 10, 1, -1) > 0).astype(int)
    result = fit("y ~ x + (x | g)", s.frame(y), "binomial")
    assert SeparationWarning in result.warned


# Responses that say little


@pytest.mark.parametrize(
    ("value", "family", "message"),
    [
        (0, "poisson", "every value is 0"),
        (0, "nbinom2", "every value is 0"),
        (0, "nbinom1", "every value is 0"),
        (0, "binomial", "every trial is a failure"),
        (1, "binomial", "every trial is a success"),
        (3.0, "gamma", "no variance to model"),
        (-1.0, families.Gaussian("log"), "every mean is positive"),
    ],
)
def test_constant_responses(value, family, message):
    with pytest.raises(DataError, match=message):
        glmer("y ~ x + (1 | g)", sample(4).frame(value), family)


@pytest.mark.parametrize("family", ["poisson", "nbinom1", "binomial"])
def test_a_single_event(family):
    s = sample(4)
    model = fit("y ~ x + (1 | g)", s.frame((np.arange(N) == 17).astype(int)), family).model
    assert model.fitted().sum() < 2.0


def test_a_negative_response_under_a_link_with_positive_means():
    s = sample(4)
    with pytest.raises(DataError, match="every mean is positive"):
        glmer("y ~ x + (1 | g)", s.frame(-np.exp(s.x)), "gaussian", link="log")


# Grouping


@pytest.mark.parametrize("family", ["poisson", "binomial"])
def test_a_single_level(family):
    s = sample(5)
    with pytest.raises(DataError, match="only one level"):
        glmer("y ~ x + (1 | one)", s.frame(s.bernoulli(s.x), one="a"), family)


@pytest.mark.parametrize("family", ["poisson", "nbinom2", "nbinom1", "binomial"])
def test_a_level_for_each_row(family):
    s = sample(5)
    y = s.rng.poisson(np.exp(1 + s.x + 0.8 * s.rng.normal(size=N)))
    y = np.minimum(y, 1) if family == "binomial" else y
    fit("y ~ x + (1 | row)", s.frame(y, row=np.arange(N)), family)


@pytest.mark.parametrize("family", ["nbinom2", "nbinom1"])
def test_counts_that_vary_less_than_poisson_ones(family):
    s = sample(5)
    data = s.frame(s.rng.binomial(10, 0.7, size=N))
    result = fit("y ~ x + (1 | g)", data, family)
    assert "no more than under family='poisson'" in result.messages
    poisson = fit("y ~ x + (1 | g)", data, "poisson").model
    assert result.model.objective == pytest.approx(poisson.objective, abs=1e-4)
    np.testing.assert_allclose(result.model.se, poisson.se, rtol=1e-4)


@pytest.mark.parametrize(
    "family",
    ["gamma", "inverse_gaussian", "lognormal", "beta", families.Gaussian("log")],
    ids=lambda f: getattr(f, "name", f),
)
def test_a_level_for_each_row_of_a_continuous_response(family):
    s = sample(5)
    y = s.rng.beta(2, 3, size=N) if family == "beta" else s.rng.gamma(4, np.exp(0.3 * s.x) / 4)
    assert fit("y ~ x + (1 | row)", s.frame(y, row=np.arange(N)), family).model.dispersion > 0


def test_unused_levels_change_nothing():
    s = sample(6)
    plain = s.frame(s.rng.poisson(np.exp(s.b)), f=np.where(s.x > 0, "a", "b"))
    padded = plain.assign(
        f=pd.Categorical(plain["f"], categories=["z", "a", "b", "c"]),
        g=pd.Categorical(plain["g"], categories=["q", *sorted(set(plain["g"])), "r"]),
    )
    formula = "y ~ f + (1 | g)"
    one, other = fit(formula, plain, "poisson").model, fit(formula, padded, "poisson").model
    assert one.objective == other.objective
    np.testing.assert_array_equal(one.beta, other.beta)
    assert other.ngrps == {"g": 20}


def test_nested_and_crossed_factors():
    rng = np.random.default_rng(7)
    n = 1500
    a, c, d = rng.integers(12, size=n), rng.integers(25, size=n), rng.integers(15, size=n)
    b, x = 4 * a + rng.integers(4, size=n), rng.normal(size=n)
    effects = [sd * rng.normal(size=k) for sd, k in ((0.4, 12), (0.5, 48), (0.3, 25), (0.6, 15))]
    eta = 0.5 * x + sum(effect[codes] for effect, codes in zip(effects, (a, b, c, d), strict=True))
    data = pd.DataFrame({"y": rng.poisson(np.exp(eta)), "x": x, "a": a, "b": b, "c": c, "d": d})
    model = fit("y ~ x + (1 | a/b) + (1 | c) + (1 | d)", data, "poisson").model
    assert model.convergence.converged
    assert model.beta[1] == pytest.approx(0.5, abs=4 * model.se.iloc[1])
    assert model.ngrps == {"a:b": 48, "c": 25, "d": 15, "a": 12}
    wide = fit("y ~ x + (x | a/b) + (x || c) + (1 | d)", data, "poisson").model
    assert wide.objective < model.objective + 1e-6


# Units


@pytest.mark.parametrize("terms", ["(1 | g)", "(x | g)"])
def test_years_that_are_not_centred(terms):
    s = sample(8)
    year = s.rng.integers(1990, 2021, size=N)
    y = s.rng.poisson(np.exp(1 + 0.05 * (year - 2005) + s.b))
    raw = fit(f"y ~ x + {terms}", s.frame(y, x=year), "poisson").model
    centred = fit(f"y ~ x + {terms}", s.frame(y, x=year - 2005), "poisson").model
    assert raw.convergence.converged
    assert raw.objective == pytest.approx(centred.objective, rel=1e-9)
    assert raw.beta[1] == pytest.approx(centred.beta[1], rel=1e-4)
    assert raw.se.iloc[1] == pytest.approx(centred.se.iloc[1], rel=1e-4)
    np.testing.assert_allclose(raw.fitted(), centred.fitted(), rtol=1e-4)


@pytest.mark.parametrize("unit", [1e8, 1e-8])
@pytest.mark.parametrize("family", ["poisson", "nbinom2", "binomial"])
def test_units_of_a_covariate(unit, family):
    s = sample(9)
    y = s.bernoulli(s.x + s.b) if family == "binomial" else s.rng.poisson(np.exp(0.3 * s.x + s.b))
    formula = "y ~ x + (x | g)"
    plain = fit(formula, s.frame(y), family).model
    scaled = fit(formula, s.frame(y, x=s.x * unit), family).model
    assert scaled.convergence.converged
    assert scaled.objective == pytest.approx(plain.objective, rel=1e-9)
    assert scaled.beta[1] * unit == pytest.approx(plain.beta[1], rel=1e-4, abs=1e-5)
    assert scaled.se.iloc[1] * unit == pytest.approx(plain.se.iloc[1], rel=1e-4)


@pytest.mark.parametrize("unit", [1e-8, 1e8])
@pytest.mark.parametrize(
    ("family", "link"),
    [
        *[("gamma", link) for link in families.Gamma.links],
        *[("inverse_gaussian", link) for link in families.InverseGaussian.links],
        *[("gaussian", link) for link in ("log", "inverse", "sqrt")],
    ],
)
def test_units_of_the_response(family, link, unit):
    """The log-density of each row changes by -log(unit), and the means by unit."""
    s = sample(10)
    y = s.rng.gamma(20, (3 + 0.3 * s.x + 0.3 * s.b) / 20)
    plain = fit("y ~ x + (1 | g)", s.frame(y), family, link=link).model
    scaled = fit("y ~ x + (1 | g)", s.frame(y * unit), family, link=link).model
    assert scaled.convergence.converged
    assert scaled.objective - 2 * N * np.log(unit) == pytest.approx(plain.objective, abs=1e-5)
    np.testing.assert_allclose(scaled.fitted() / unit, plain.fitted(), rtol=1e-4)


# Sizes


@pytest.mark.parametrize("family", ["poisson", "nbinom2", "nbinom1"])
def test_huge_counts(family):
    s = sample(11)
    excess = 1.0 if family == "poisson" else s.rng.gamma(2, 0.5, size=N)
    result = fit("y ~ x + (1 | g)", s.frame(s.rng.poisson(1e6 * np.exp(0.3 * s.x + s.b) * excess)), family)
    assert result.warned == set()
    assert result.model.beta[1] == pytest.approx(0.3, abs=4 * result.model.se.iloc[1])


def test_counts_beyond_the_digits_of_the_likelihood():
    s = sample(11)
    result = fit("y ~ x + (1 | g)", s.frame(s.rng.poisson(1e12 * np.exp(0.3 * s.x + s.b))), "poisson")
    assert result.model.beta[1] == pytest.approx(0.3, abs=1e-5)


def test_huge_numbers_of_trials():
    s = sample(12)
    y = s.rng.binomial(10**6, 1 / (1 + np.exp(-0.3 * s.x - s.b))) / 1e6
    result = fit("y ~ x + (1 | g)", s.frame(y, n=10**6), "binomial", weights="n")
    assert result.warned == set()
    assert result.model.beta[1] == pytest.approx(0.3, abs=4 * result.model.se.iloc[1])


def test_tiny_means():
    s = sample(13)
    result = fit("y ~ x + (1 | g)", s.frame(s.rng.poisson(0.05 * np.exp(0.5 * s.x + s.b))), "poisson")
    assert result.model.fitted().mean() < 0.2


def test_beta_near_its_ends_and_nearly_exact():
    s = sample(14)
    ends = np.clip(s.rng.beta(0.05, 0.05, size=N), 1e-300, 1 - 1e-16)
    assert fit("y ~ x + (1 | g)", s.frame(ends), "beta").model.dispersion == pytest.approx(0.11, abs=0.03)
    exact = s.rng.beta(3e5, 7e5, size=N)
    model = fit("y ~ x + (1 | g)", s.frame(exact), "beta").model
    assert model.dispersion == pytest.approx(1e6, rel=0.4)


# Weights, offsets, missing values


@pytest.mark.parametrize("shift", [-100.0, np.log(1e6), 600.0])
def test_a_constant_offset_moves_the_intercept(shift):
    s = sample(15)
    data = s.frame(s.rng.poisson(np.exp(0.3 * s.x + s.b)), shift=shift)
    plain = fit("y ~ x + (1 | g)", data, "poisson").model
    shifted = fit("y ~ x + (1 | g)", data, "poisson", offset="shift").model
    assert shifted.objective == pytest.approx(plain.objective, rel=1e-9)
    np.testing.assert_allclose(shifted.beta, plain.beta - np.array([shift, 0.0]), atol=1e-4)


def test_exposures_around_a_million():
    s = sample(16)
    exposure = 1e6 * s.rng.uniform(0.5, 2, size=N)
    data = s.frame(s.rng.poisson(1e-6 * exposure * np.exp(0.3 * s.x + s.b)), e=exposure, z=exposure / 1e6)
    formula = "y ~ x + (1 | g)"
    big = fit(formula, data, "poisson", offset="log(e)").model
    small = fit(formula, data, "poisson", offset="log(z)").model
    assert big.objective == pytest.approx(small.objective, rel=1e-9)
    assert big.beta[0] == pytest.approx(small.beta[0] - np.log(1e6), abs=1e-4)


def test_an_offset_beyond_all_numbers():
    s = sample(16)
    data = s.frame(s.rng.poisson(np.exp(s.b)), e=800.0)
    with pytest.raises(ModesError, match=r"no coefficients were found to start from .*g = '0'"):
        glmer("y ~ 0 + (1 | g)", data, "poisson", offset="e")


def test_offsets_that_contradict_the_counts():
    s = sample(16)
    data = s.frame(s.rng.poisson(np.exp(1 + s.b)), e=50.0 * s.rng.normal(size=N))
    fit("y ~ x + (1 | g)", data, "poisson", offset="e")


@pytest.mark.parametrize("weight", [1e-6, 1e6])
def test_extreme_prior_weights(weight):
    s = sample(17)
    y = s.rng.poisson(np.exp(0.3 * s.x + s.b))
    model = fit("y ~ x + (1 | g)", s.frame(y, w=weight), "poisson", weights="w").model
    assert (model.se.iloc[1] < 1e-3) == (weight > 1)


def test_weights_of_every_size():
    s = sample(17)
    data = s.frame(s.rng.gamma(2, np.exp(0.5 * s.x + s.b)), w=10.0 ** s.rng.uniform(-8, 8, size=N))
    fit("y ~ x + (1 | g)", data, "gamma", weights="w")


def test_missing_and_infinite_values():
    s = sample(18)
    data = s.frame(s.rng.poisson(np.exp(s.b)).astype(float))
    formula = "y ~ x + (1 | g)"
    holes = data.copy()
    holes.loc[[0, 7], "x"], holes.loc[9, "g"], holes.loc[11, "y"] = np.nan, None, np.nan
    complete = data.drop(index=[0, 7, 9, 11])
    assert fit(formula, holes, "poisson").model.objective == fit(formula, complete, "poisson").model.objective
    with pytest.raises(DataError, match="0 \\(non-NA\\) cases"):
        glmer(formula, data.assign(x=np.nan), "poisson")
    with pytest.raises(DataError, match="infinite in 1 row"):
        glmer(formula, data.assign(x=np.where(np.arange(N) == 3, np.inf, s.x)), "poisson")
