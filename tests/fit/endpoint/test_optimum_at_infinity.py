"""
Residual variances that run to zero beside the random effects, and large ratios that are real.

Whether the least value lies at infinity is decided here by the criterion in dense algebra with extended
precision, beyond the point where the search stopped.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    Control,
    ConvergenceWarning,
    DataError,
    MixedModelError,
    MixedModelsWarning,
    SeparationWarning,
    anova,
    emmeans,
    families,
    fit_many,
    glmer,
    lmer,
    tidy,
)
from mixedmodels.design.theta import factors
from mixedmodels.fit.endpoint.verdict import judge

EXTENDED = np.finfo(np.longdouble).eps < 1e-18
needs_extended_precision = pytest.mark.skipif(not EXTENDED, reason="needs a long double of 64 bits or more")


def criterion(model, theta) -> float:
    """The ML or REML criterion of a model at theta: marginal covariance matrix, in long double."""
    fitted = model._fitted
    parts = []
    for term, factor in zip(fitted.design.terms, factors(fitted.design, np.asarray(theta)), strict=True):
        k = len(term.names)
        z = np.zeros((fitted.n_obs, len(term.group.levels) * k), np.longdouble)
        rows = term.z.astype(np.longdouble) @ factor.astype(np.longdouble)
        for i, code in enumerate(term.group.codes):
            z[i, code * k : (code + 1) * k] = rows[i]
        parts.append(z)
    z = np.hstack(parts)
    x = fitted.design.x[:, fitted.estimates.kept].astype(np.longdouble)
    y = fitted.design.y.astype(np.longdouble)
    n, p = x.shape
    lower = cholesky(np.eye(n, dtype=np.longdouble) + z @ z.T)
    x, y = solve(lower, x), solve(lower, y[:, None])[:, 0]
    inner = cholesky(x.T @ x)
    half = solve(inner, (x.T @ y)[:, None])[:, 0]
    beta = solve(inner[::-1, ::-1].T, half[::-1, None])[::-1, 0]
    residual = y - x @ beta
    m = n - p if fitted.reml else n
    value = 2 * np.log(np.diag(lower)).sum() + m * (1 + np.log(2 * np.pi * (residual @ residual) / m))
    return float(value + (2 * np.log(np.diag(inner)).sum() if fitted.reml else 0))


def cholesky(a):
    a = a.copy()
    for j in range(len(a)):
        a[j, j] = np.sqrt(a[j, j] - a[j, :j] @ a[j, :j])
        a[j + 1 :, j] = (a[j + 1 :, j] - a[j + 1 :, :j] @ a[j, :j]) / a[j, j]
        a[j, j + 1 :] = 0
    return a


def solve(lower, b):
    b = b.copy()
    for j in range(len(lower)):
        b[j] = (b[j] - lower[j, :j] @ b[:j]) / lower[j, j]
    return b


def nearly_as_many_groups(seed: int):
    """60 rows in 59 groups, or other numbers of either."""
    rng = np.random.default_rng(seed)
    n, shared = (60, 1) if seed < 100 else (int(rng.integers(12, 50)), int(rng.integers(1, 4)))
    data = pd.DataFrame({"y": rng.normal(size=n), "x": rng.normal(size=n), "z": rng.normal(size=n)})
    data["g"] = np.arange(n)
    data.loc[: shared - 1, "g"] = n - 1 - np.arange(shared)
    return ["y ~ x + (1 | g)", "y ~ x + z + (1 | g)"][seed % 2], data


def as_many_slopes_as_rows(seed: int):
    rng = np.random.default_rng(1000 + seed)
    groups = int(rng.integers(6, 18))
    data = pd.DataFrame({"g": np.repeat(np.arange(groups), 2), "x": rng.normal(size=2 * groups)})
    size = [1.0, 0.1][seed % 2]
    data["y"] = rng.normal(size=groups)[data.g] + data.x * rng.normal(size=groups)[data.g]
    data["y"] += size * rng.normal(size=2 * groups)
    return ["y ~ x + (x | g)", "y ~ 1 + (x | g)", "y ~ x + (x || g)"][seed % 3], data


def sparsely_crossed(seed: int):
    rng = np.random.default_rng(2000 + seed)
    first, second = rng.integers(4, 8, 2)
    cells = [(i, j) for i in range(first) for j in range(second) if rng.random() < 0.45]
    data = pd.DataFrame(cells, columns=["a", "b"])
    for name in ("x", "z", "w"):
        data[name] = rng.normal(size=len(data))
    data["y"] = rng.normal(size=first)[data.a] + rng.normal(size=second)[data.b]
    data["y"] += [1.0, 0.1][seed % 2] * rng.normal(size=len(data))
    return ["y ~ x + (1 | a) + (1 | b)", "y ~ x + z + w + (1 | a) + (1 | b)", "y ~ x + (x | a) + (1 | b)"][
        seed % 3
    ], data


DESIGNS = {
    "nearly as many groups as rows": (nearly_as_many_groups, 140),
    "as many slopes as rows": (as_many_slopes_as_rows, 60),
    "sparsely crossed": (sparsely_crossed, 60),
}


@needs_extended_precision
@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize("design", DESIGNS)
def test_no_search_ends_in_silence_on_its_way_to_infinity(design, reml):
    make, count = DESIGNS[design]
    at_infinity = 0
    for seed in range(count):
        formula, data = make(seed)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                model = lmer(formula, data, REML=reml)
            except DataError:
                # The likelihood has no bound, and the search has come so far.
                at_infinity += 1
                continue
        if np.abs(model.theta).max() < 30:
            assert not model.convergence.unbounded, (formula, seed)
            continue
        here = criterion(model, model.theta)
        # Not only beyond a local optimum.
        falls = all(criterion(model, factor * model.theta) < here for factor in (2, 4, 10))
        at_infinity += falls
        convergence = model.convergence
        assert convergence.unbounded == falls, (formula, seed, model.theta)
        if falls:
            assert not convergence.converged
            assert "residual variance tends to zero" in convergence.problem
            assert any(issubclass(w.category, ConvergenceWarning) for w in caught)
    assert at_infinity > 0


def vanishing(seed: int = 51):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"y": rng.normal(size=60), "x": rng.normal(size=60), "g": np.arange(60)})
    data.loc[0, "g"] = 1
    return data


@pytest.mark.parametrize("optimizer", ["trust_region", "bobyqa", "newuoa", "nelder_mead", "cobyla", "sbplx"])
def test_whatever_the_optimizer(optimizer):
    with pytest.warns(ConvergenceWarning):
        model = lmer("y ~ x + (1 | g)", vanishing(), optimizer=optimizer)
    assert not model.convergence.converged
    assert model.convergence.unbounded or model.theta[0] < 30


def test_nothing_is_tested_without_an_optimum():
    with pytest.warns(
        ConvergenceWarning, match=r"tends to zero relative to the variance of \(1 \| g\).*59 random"
    ):
        model = lmer("y ~ x + (1 | g)", vanishing())
    for ddf in (None, "satterthwaite", "kenward-roger", "residual", "inf"):
        summary = model.summary(ddf=ddf)
        assert summary.coefficients.filter(like="Pr(").isna().all(axis=None)
        assert np.isfinite(summary.coefficients[["Estimate", "Std. Error"]]).all(axis=None)
        text = " ".join(str(summary).split())
        assert "NO FINITE OPTIMUM" in text
        assert "do not interpret" in text
        assert model.convergence.problem in text
    assert tidy(model)["p.value"].isna().all()
    table = anova(model)
    assert table.filter(like="Pr(").isna().all(axis=None)
    assert model.conf_int().isna().all(axis=None)
    data = vanishing().assign(f=pd.Categorical(np.arange(60) % 2))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        factor = lmer("y ~ x + f + (1 | g)", data)
        if factor.convergence.unbounded:
            assert emmeans(factor, "~ f").to_frame()["df"].isna().all()


def test_the_record_does_not_contradict_itself():
    with pytest.warns(ConvergenceWarning):
        linear = lmer("y ~ x + (1 | g)", vanishing())
    data = pd.DataFrame({"g": np.repeat(np.arange(20), 5)})
    data["y"] = data["g"] % 2
    with pytest.warns(SeparationWarning):
        generalized = glmer("y ~ 1 + (1 | g)", data, "binomial")
    for model in (linear, generalized):
        check = model.checkConv()
        assert not check.ok
        assert model.convergence.problem in check.messages
        assert str(check).startswith("Not converged")
        assert "criterion of convergence holds" not in model.convergence.message


def test_many_responses_tell_of_an_optimum_at_infinity():
    data = vanishing()
    rng = np.random.default_rng(1)
    y = np.column_stack([data["y"], rng.normal(size=60), np.r_[rng.normal(size=2), data["y"][2:]]])
    with pytest.warns(MixedModelsWarning):
        fits = fit_many("~ x + (1 | g)", data, y)
    for j, status in enumerate(fits.status):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = lmer("y ~ x + (1 | g)", data.assign(y=y[:, j]))
        assert (status == "unbounded") == model.convergence.unbounded
        assert bool(fits.converged[j]) == model.convergence.converged
    assert "no finite optimum" in fits.messages[0]
    # A row less in two responses, of a level of its own.
    y[30, 0] = np.nan
    with pytest.warns(MixedModelsWarning):
        fits = fit_many("~ x + (1 | g)", data, y)
    assert fits.status[0] == "unbounded"
    assert "58 random effects" in fits.messages[0]
    formula, data = large_ratio(1e3, "intercept")
    assert fit_many(formula.removeprefix("y"), data, ["y"]).status == ("converged",)


class EndPoint:
    """Two parameters in their own units, and a Hessian."""

    def __init__(self, hessian):
        self.hessian = lambda: hessian

    def parameter_names(self):
        return ("a", "b")

    def units(self):
        return np.ones(2)

    def coordinates(self):
        return np.eye(2)


def test_a_saddle_point_is_none_the_less_far_out():
    result = {
        "gradient": np.zeros(2),
        "objective": 100.0,
        "converged": True,
        "status": "converged",
        "message": "",
    }
    saddle = np.array([[2.0, 3.0], [3.0, 2.0]])
    for ratio, problem in ((3e4, "curves downwards"), (1e5, "curves downwards")):
        verdict = judge(EndPoint(saddle), "bobyqa", Control(), result, ratio)
        assert not verdict.converged
        assert problem in verdict.problem
    # Rounding alone can make this.
    rounded = np.array([[2.0, 2.0 + 1e-3], [2.0 + 1e-3, 2.0]])
    verdict = judge(EndPoint(rounded), "bobyqa", Control(), result, 1e6)
    assert verdict.converged


def test_evaluating_at_a_given_theta_is_no_search():
    model = lmer("y ~ x + (1 | g)", vanishing(), start=[7626.0], optimizer=None)
    assert not model.convergence.unbounded


def large_ratio(ratio: float, case: str):
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.arange(200) % 20, "h": np.arange(200) % 7, "x": rng.normal(size=200)})
    data["y"] = ratio * rng.normal(size=20)[data.g] + rng.normal(size=200)
    if case == "slope":
        data["y"] += ratio * data.x * rng.normal(size=20)[data.g]
        return "y ~ x + (x | g)", data
    if case == "crossed":
        data["y"] += ratio * rng.normal(size=7)[data.h]
        return "y ~ x + (1 | g) + (1 | h)", data
    return "y ~ x + (1 | g)", data


@pytest.mark.parametrize("case", ["intercept", "slope", "crossed"])
@pytest.mark.parametrize("ratio", [1e2, 1e3, 1e4, 1e5])
def test_large_ratios_are_real_optima(ratio, case):
    formula, data = large_ratio(ratio, case)
    model = lmer(formula, data)
    assert model.convergence.converged
    assert not model.convergence.messages
    small = lmer(*large_ratio(100.0, case))
    assert model.sigma == pytest.approx(small.sigma, rel=1e-3)
    assert model.theta[0] / ratio == pytest.approx(small.theta[0] / 100.0, rel=0.02)


@needs_extended_precision
@pytest.mark.parametrize("case", ["intercept", "slope", "crossed"])
def test_a_ratio_of_a_million_is_right_as_far_as_the_fit_says(case):
    formula, data = large_ratio(1e6, case)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = lmer(formula, data)
    here = criterion(model, model.theta)
    least = min(criterion(model, factor * model.theta) for factor in (0.95, 0.98, 1.0, 1.02, 1.05))
    convergence = model.convergence
    assert not convergence.unbounded
    if convergence.converged:
        assert here - least < 5e-3
    else:
        assert "too few digits" in convergence.problem
        assert here - least < 10 * convergence.predicted_fall


def test_few_digits_are_told_with_what_they_cost():
    rng = np.random.default_rng(5)
    data = pd.DataFrame({"g": np.arange(200) % 20})
    rng.normal(size=200)
    data["y"] = 1e6 * rng.normal(size=20)[data.g] + rng.normal(size=200)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = lmer("y ~ 1 + (1 | g)", data)
    if not model.convergence.converged:
        assert any("times as large as the residuals" in str(w.message) for w in caught)
        assert "standard error" in model.convergence.problem
    squares = data.groupby("g")["y"].agg(["mean", "var"])
    assert model.sigma**2 == pytest.approx(squares["var"].mean(), rel=0.02)


@pytest.mark.parametrize("ratio", [1e7, 1e8])
def test_ratios_beyond_double_precision_are_no_exact_fit(ratio):
    with pytest.raises(DataError, match=r"cannot be told from zero.*millions of times.*fixed effect"):
        lmer(*large_ratio(ratio, "intercept"))


# Generalized models


def test_a_binary_response_that_levels_determine():
    rng = np.random.default_rng(1)
    data = pd.DataFrame({"g": np.arange(60) % 30, "x": rng.normal(size=60)})
    data["y"] = (rng.normal(size=30)[data.g] > 0).astype(int)
    with pytest.warns(SeparationWarning, match="hardly vary within levels") as caught:
        model = glmer("y ~ x + (1 | g)", data, "binomial")
    assert len([w for w in caught if "hardly vary" in str(w.message)]) == 1
    assert not model.convergence.converged
    assert model.convergence.unbounded
    table = model.summary().coefficients
    assert table.filter(like="Pr(").isna().all(axis=None)
    assert "do not interpret" in str(model.summary())


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog"])
def test_a_binary_response_with_one_row_for_each_level(link):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        data = pd.DataFrame({"g": np.arange(60), "x": rng.normal(size=60)})
        data["y"] = (rng.random(60) < 1 / (1 + np.exp(-2 * data.x))).astype(int)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = glmer("y ~ x + (1 | g)", data, families.Binomial(link))
        assert any("one row per level" in str(w.message) for w in caught)
        if model.theta[0] > 30:
            assert not model.convergence.converged


def test_counts_and_proportions_may_have_one_row_for_each_level():
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.arange(80), "x": rng.normal(size=80)})
    eta = 0.5 * data.x + rng.normal(size=80)
    data["count"], data["trials"] = rng.poisson(np.exp(eta)), 20
    data["hits"] = rng.binomial(20, 1 / (1 + np.exp(-eta)))
    for formula, family in (
        ("count ~ x + (1 | g)", "poisson"),
        ("cbind(hits, trials - hits) ~ x + (1 | g)", "binomial"),
    ):
        model = glmer(formula, data, family)
        assert model.convergence.converged
        assert not model.convergence.messages


@pytest.mark.parametrize(
    "family", [families.Gamma("log"), families.Gaussian("log"), families.InverseGaussian("log")], ids=repr
)
def test_a_dispersion_that_runs_to_zero(family):
    seen = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        data = pd.DataFrame({"g": np.arange(60), "x": rng.normal(size=60), "y": np.exp(rng.normal(size=60))})
        data.loc[0, "g"] = 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MixedModelsWarning)
            try:
                model = glmer("y ~ x + (1 | g)", data, family)
            except MixedModelError:
                continue
        if model._fitted.dispersion < 1e-9:
            seen += 1
            assert not model.convergence.converged
            assert model.convergence.unbounded
        elif model._fitted.dispersion > 1e-2:
            assert not model.convergence.unbounded
    assert seen or family.name != "gaussian"


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("family", ["gamma", "inverse_gaussian"])
def test_a_response_that_the_means_reproduce(family, seed):
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"x": rng.normal(size=48), "g": np.repeat(np.arange(12), 4)})
    data["y"] = np.exp(data["x"] + 0.3 * data["g"])
    with pytest.warns(ConvergenceWarning, match="the means reproduce the response"):
        model = glmer("y ~ x + (1 | g)", data, family, link="log")
    assert model.convergence.unbounded
    assert not model.convergence.converged
    assert model.objective < model.convergence.log.objective[0]
    assert model.beta[1] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("family", ["gamma", "inverse_gaussian"])
@pytest.mark.parametrize("spread", [1e-2, 1e-4])
def test_a_small_dispersion_is_an_optimum(family, spread):
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"x": rng.normal(size=120), "g": np.repeat(np.arange(12), 10)})
    data["y"] = np.exp(0.1 * data["x"] + rng.normal(size=12)[data.g] + spread * rng.normal(size=120))
    model = glmer("y ~ x + (1 | g)", data, family, link="log")
    assert not model.convergence.unbounded


def cells(seed, groups, kinds):
    """One row for each group and kind, and more kinds than groups."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame([(g, k) for g in range(groups) for k in range(kinds)], columns=["g", "k"])
    data["f"], data["x"] = [f"k{k}" for k in data.k], rng.normal(size=len(data))
    data["y"] = rng.normal(size=groups)[data.g] + 0.3 * data.k + rng.normal(size=len(data))
    return data


@pytest.mark.parametrize("reml", [True, False], ids=["REML", "ML"])
@pytest.mark.parametrize(("groups", "kinds"), [(5, 6), (4, 6), (4, 8)])
def test_a_covariance_matrix_that_turns_to_fit_every_row(groups, kinds, reml):
    for seed in range(3):
        data = cells(seed, groups, kinds)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                model = lmer("y ~ x + (0 + f | g)", data, REML=reml)
            except DataError:
                continue
        assert model.convergence.unbounded
        assert not model.convergence.converged
        assert any("residual variance tends to zero" in str(w.message) for w in caught)
        assert model.summary().coefficients.filter(like="Pr(").isna().all(axis=None)


def test_rows_that_repeat_cells_leave_a_residual_variance():
    data = pd.concat([cells(1, 5, 6)] * 3, ignore_index=True)
    data["y"] += np.random.default_rng(7).normal(size=len(data))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = lmer("y ~ x + (0 + f | g)", data)
    assert model.convergence.converged
    assert not model.convergence.unbounded
