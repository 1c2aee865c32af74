"""Generalized models with parameters held."""

from typing import Any

import numpy as np
import pytest
from scipy import integrate, special, stats

from mixedmodels import ArgumentError, glmer, lmer, load_cbpp, load_grouseticks, load_sleepstudy
from mixedmodels.families import Gamma, Gaussian, NegativeBinomial

CBPP = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
SD = "sd__(Intercept)"


def cbpp(**options: Any) -> Any:
    return glmer(CBPP, load_cbpp(), "binomial", **options)


def by_integration(model: Any, points: int = 81) -> float:
    """-2 log-likelihood of a model with a random intercept by Gauss-Hermite quadrature around zero."""
    design = model._fitted.design
    (term,) = design.terms
    nodes, weights = np.polynomial.hermite_e.hermegauss(points)
    eta = design.x @ model.beta + (0.0 if design.offset is None else design.offset)
    trials = design.unit_weights
    y = design.y
    logs: list[Any] = []
    for node in nodes:
        p = special.expit(eta + model.theta[0] * node)
        logs.append(np.bincount(term.group.codes, stats.binom.logpmf(y, trials, p)))
    total = special.logsumexp(np.array(logs) + np.log(weights / weights.sum())[:, None], axis=0)
    return -2 * float(np.sum(total))


HELD = [
    {SD: 0.4},
    {SD: 0.0},
    {"theta[0]": 0.9},
    {"period[T.2]": -0.7},
    {"(Intercept)": -1.2, SD: 0.5},
    {"(Intercept)": -1.2, "period[T.2]": -1.0, "period[T.3]": -1.0, "period[T.4]": -1.0},
    {SD: 0.5, "(Intercept)": -1.2, "period[T.2]": -1.0, "period[T.3]": -1.0, "period[T.4]": -1.0},
]


@pytest.mark.parametrize("fixed", HELD, ids=str)
@pytest.mark.parametrize("offset", [False, True])
def test_values_are_attained_and_the_objective_is_the_likelihood(fixed, offset):
    data = load_cbpp()
    shift = np.linspace(-0.3, 0.3, len(data)) if offset else None
    model = glmer(CBPP, data, "binomial", nAGQ=25, fixed=fixed, offset=shift)
    reported = {SD: model.VarCorr()["herd"].sd[0], "theta[0]": model.theta[0], **model.fixef()}
    for name, value in fixed.items():
        assert reported[name] == pytest.approx(value, rel=1e-12, abs=1e-15)
    assert model.objective == pytest.approx(by_integration(model), abs=1e-6)
    assert model.df == 5 - len(fixed)
    assert model.convergence.converged
    assert model.checkConv()


@pytest.mark.parametrize("fixed", HELD, ids=str)
@pytest.mark.parametrize("n_agq", [1, 9])
def test_the_other_parameters_are_optimal(fixed, n_agq):
    model = cbpp(fixed=fixed, nAGQ=n_agq)
    values = {SD: model.theta[0], **model.fixef()}
    others = [name for name in values if name not in fixed and not (name == SD and "theta[0]" in fixed)]
    for name in others:
        for step in (-0.2, 0.2):
            if name == SD and values[name] + step < 0:
                continue
            worse = cbpp(fixed={**fixed, name: values[name] + step}, nAGQ=n_agq)
            assert worse.objective > model.objective + 1e-4
            assert worse.df == model.df - 1


@pytest.mark.parametrize("n_agq", [0, 1, 9])
def test_parameters_held_at_their_estimates_change_nothing_else(n_agq):
    free = cbpp(nAGQ=n_agq)
    held = cbpp(nAGQ=n_agq, fixed={SD: free.theta[0]})
    assert held.objective == pytest.approx(free.objective, abs=1e-7)
    np.testing.assert_allclose(held.beta, free.beta, atol=1e-5)


def test_without_variance_it_is_the_generalized_linear_model():
    model = cbpp(fixed={SD: 0.0})
    design = model._fitted.design
    trials = design.unit_weights
    y = design.y

    beta = np.zeros(4)
    for _ in range(30):
        p = special.expit(design.x @ beta)
        information = design.x.T @ (design.x * (trials * p * (1 - p))[:, None])
        beta = beta + np.linalg.solve(information, design.x.T @ (y - trials * p))
    p = special.expit(design.x @ beta)
    assert model.objective == pytest.approx(-2 * stats.binom.logpmf(y, trials, p).sum(), abs=1e-8)
    np.testing.assert_allclose(model.beta, beta, atol=1e-7)
    information = design.x.T @ (design.x * (trials * p * (1 - p))[:, None])
    np.testing.assert_allclose(model.vcov(), np.linalg.inv(information), rtol=1e-6)
    assert "fixed at zero" in str(model.summary())
    assert model.df == 4


def test_standard_errors_given_a_known_variance():
    free = cbpp()
    held = cbpp(fixed={SD: float(free.theta[0])})
    hessian = free.hessian().to_numpy()
    np.testing.assert_allclose(held.vcov(), 2 * np.linalg.inv(hessian[1:, 1:]), rtol=1e-4)
    assert held.vcov_theta().to_numpy().tolist() == [[0.0]]
    np.testing.assert_allclose(held.vcov_parameters().to_numpy()[1:, 1:], held.vcov(), rtol=1e-10)


def test_coefficients_held_have_no_standard_error():
    model = cbpp(fixed={"period[T.2]": -1.0})
    table = model.summary().coefficients
    assert table.loc["period[T.2]", "Estimate"] == -1.0
    assert table.loc["period[T.2]"].drop("Estimate").isna().all()
    matrix = model.vcov()
    assert (matrix.loc["period[T.2]"] == 0.0).all()
    others = [name for name in matrix if name != "period[T.2]"]
    assert np.isfinite(table.loc[others].to_numpy()).all()


@pytest.mark.parametrize(
    ("fixed", "size"), [({"size": 2.0}, 2.0), ({"dispersion": 3.0}, 3.0), ({("Residual", "size"): 1.5}, 1.5)]
)
def test_the_size_of_a_negative_binomial_distribution(fixed, size):
    formula, data = "TICKS ~ YEAR + (1 | BROOD)", load_grouseticks()
    model: Any = glmer(formula, data, "nbinom2", fixed=fixed)
    by_family = glmer(formula, data, NegativeBinomial(size=size))
    assert model.dispersion == model.sigma == size
    assert model.objective == by_family.objective
    assert model.df == by_family.df == 4
    free = model.update(fixed=None)
    assert free.df == 5
    assert free.objective < model.objective


def test_the_dispersion_is_the_square_of_sigma_for_families_with_a_scale():
    data = load_sleepstudy()
    formula = "Reaction ~ Days + (1 | Subject)"
    one: Any = glmer(formula, data, Gamma(), fixed={"sigma": 0.2})
    other = glmer(formula, data, Gamma(), fixed={"dispersion": 0.04})
    assert one.sigma == pytest.approx(0.2, rel=1e-14)
    assert one.dispersion == pytest.approx(0.04, rel=1e-14)
    assert one.objective == pytest.approx(other.objective, abs=1e-10)
    assert "Residual  (fixed)" in str(one.VarCorr())
    with pytest.raises(ArgumentError, match=r"held at 0.04 here and at 1 by the family"):
        glmer(formula, data, Gamma(dispersion=1.0), fixed={"sigma": 0.2})


@pytest.mark.filterwarnings("ignore:the gaussian family")
def test_a_gaussian_family_with_a_known_variance_is_a_linear_model_with_a_known_sigma():
    data = load_sleepstudy()
    formula = "Reaction ~ Days + (1 | Subject)"
    model = glmer(formula, data, Gaussian(dispersion=900.0))
    linear = lmer(formula, data, REML=False, fixed={"sigma": 30.0})
    assert model.sigma == 30.0
    assert model.objective == linear.objective


def test_a_held_standard_deviation_with_a_free_dispersion():
    data = load_grouseticks()
    model: Any = glmer("TICKS ~ YEAR + (1 | BROOD)", data, "nbinom2", fixed={SD: 1.0})
    assert model.theta[0] == pytest.approx(1.0, rel=1e-12)
    worse: list[Any] = [
        glmer(
            "TICKS ~ YEAR + (1 | BROOD)", data, "nbinom2", fixed={SD: 1.0, "size": factor * model.dispersion}
        )
        for factor in (0.9, 1.1)
    ]
    assert min(fit.objective for fit in worse) > model.objective
    size = worse[0].dispersion
    likelihood = _laplace_of_counts(worse[0], size)
    assert worse[0].objective == pytest.approx(likelihood, rel=5e-3)


def _laplace_of_counts(model, size):
    """-2 log-likelihood by integration over each brood's effect."""
    design = model._fitted.design
    (term,) = design.terms
    eta = design.x @ model.beta
    total = 0.0
    for level in range(len(term.group.levels)):
        rows = term.group.codes == level
        y, own = design.y[rows], eta[rows]

        def density(u, y=y, own=own):
            mu = np.exp(own + model.theta[0] * u)
            logs = stats.nbinom.logpmf(y, size, size / (size + mu))
            return np.exp(logs.sum()) * stats.norm.pdf(u)

        total += np.log(integrate.quad(density, -8, 8, limit=200)[0])
    return -2 * total
