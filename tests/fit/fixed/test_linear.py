"""Linear models with parameters held: attained, counted, and the others optimal."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from dense import criterion

from mixedmodels import lmer, load_dyestuff, load_machines, load_sleepstudy


def sleep(weights: bool, offset: bool) -> tuple[pd.DataFrame, dict[str, Any]]:
    data = load_sleepstudy()
    data = pd.DataFrame({name: np.asarray(data[name]) for name in ("Reaction", "Days", "Subject")})
    rng = np.random.default_rng(1)
    data["w"] = rng.uniform(0.5, 2.0, len(data))
    data["o"] = rng.normal(0.0, 5.0, len(data))
    return data, {"weights": "w" if weights else None, "offset": "o" if offset else None}


HELD = [
    {"sigma": 31.0},
    {"sd__(Intercept)": 15.0},
    {"sd__Days": 8.0},
    {"sd__Days": 0.0},
    {"sd__(Intercept)": 0.0},
    {"cor__(Intercept).Days": -0.4},
    {"cor__(Intercept).Days": 1.0},
    {"sd__(Intercept)": 15.0, "sd__Days": 8.0},
    {"sd__Days": 8.0, "cor__(Intercept).Days": 0.5},
    {"sigma": 22.0, "sd__Days": 3.0},
    {"theta[0]": 0.6},
    {"theta": [None, 0.1, 0.1]},
    {"theta[2]": 0.0},
    {"Days": 9.0},
    {"(Intercept)": 250.0, "Days": 9.0},
    {"Days": 9.0, "sigma": 31.0, "cor__(Intercept).Days": 0.0},
    {"sigma": 31.0, "sd__(Intercept)": 15.0, "sd__Days": 8.0, "cor__(Intercept).Days": 0.2},
]


def covariances(model):
    return [np.array(part.cov) for part in model.VarCorr()]


def attained(model, name):
    """The value of a parameter as the model reports it."""
    if name == "sigma":
        return model.sigma
    if name.startswith("theta["):
        return model.theta[int(name[6:-1])]
    if name in model.fixef():
        return model.fixef()[name]
    parts = model.VarCorr()["Subject"].parameters
    return next(own.value for own in parts if f"{own.kind}__{'.'.join(own.effects)}" == name)


def single(fixed):
    """The entries of `fixed` with each entry of theta by itself."""
    result = {k: v for k, v in fixed.items() if k != "theta"}
    result |= {f"theta[{i}]": v for i, v in enumerate(fixed.get("theta", [])) if v is not None}
    return result


@pytest.mark.parametrize("fixed", HELD, ids=str)
@pytest.mark.parametrize("reml", [False, True], ids=["ML", "REML"])
@pytest.mark.parametrize("extras", [(False, False), (True, True)], ids=["plain", "weights and offset"])
def test_values_are_attained_and_the_criterion_is_that_of_dense_algebra(fixed, reml, extras):
    data, options = sleep(*extras)
    model = lmer("Reaction ~ Days + (Days | Subject)", data, reml, fixed=fixed, **options)
    for name, value in single(fixed).items():
        assert attained(model, name) == pytest.approx(value, rel=1e-10, abs=1e-12)
    design = model._fitted.design
    known = {design.x_names.index(name): v for name, v in fixed.items() if name in design.x_names}
    value, beta, covariance = criterion(design, covariances(model), model.sigma, reml, known)
    assert model.objective == pytest.approx(value, abs=1e-7)
    free = [j for j in range(2) if j not in known]
    np.testing.assert_allclose(model.beta[free], beta, rtol=1e-8)
    whole = np.zeros((2, 2))
    whole[np.ix_(free, free)] = covariance
    np.testing.assert_allclose(model.vcov(), whole, rtol=1e-7, atol=1e-10)
    assert model.convergence.converged
    assert model.checkConv()


@pytest.mark.parametrize("fixed", HELD, ids=str)
@pytest.mark.parametrize("reml", [False, True], ids=["ML", "REML"])
def test_the_other_parameters_are_optimal(fixed, reml):
    data, options = sleep(True, True)
    model = lmer("Reaction ~ Days + (Days | Subject)", data, reml, fixed=fixed, **options)
    best = model.objective
    names = ["sigma", "sd__(Intercept)", "sd__Days", "cor__(Intercept).Days"]
    values = {name: attained(model, name) for name in names}
    if "theta" in str(fixed):
        names = [f"theta[{i}]" for i in range(3)]
        values = {f"theta[{i}]": v for i, v in enumerate(model.theta)}
    others = [name for name in names if name not in single(fixed) and np.isfinite(values[name])]
    for name in others:
        # Another value of one more parameter, the rest optimal again, is no better.
        for factor in (0.8, 1.2):
            value = values[name] * factor if abs(values[name]) > 1e-3 else factor - 1.0
            if (name.startswith("sd") and value < 0) or (name.startswith("cor") and abs(value) > 1):
                continue
            if name in ("theta[0]", "theta[2]") and value < 0:
                continue
            worse = lmer(
                "Reaction ~ Days + (Days | Subject)",
                data,
                reml,
                fixed={**single(fixed), name: value},
                **options,
            )
            assert worse.objective > best - 1e-7
            assert worse.df == model.df - 1


@pytest.mark.parametrize("reml", [False, True], ids=["ML", "REML"])
def test_parameters_held_at_their_estimates_change_nothing_else(reml):
    data, _ = sleep(False, False)
    free = lmer("Reaction ~ Days + (Days | Subject)", data, reml)
    names = ["sigma", "sd__(Intercept)", "sd__Days", "cor__(Intercept).Days"]
    values = {name: attained(free, name) for name in names}
    values |= {f"theta[{i}]": v for i, v in enumerate(free.theta)}
    for name, value in values.items():
        held = lmer("Reaction ~ Days + (Days | Subject)", data, reml, fixed={name: value})
        assert held.objective == pytest.approx(free.objective, abs=1e-8)
        np.testing.assert_allclose(held.theta, free.theta, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(held.beta, free.beta, rtol=1e-8)
        assert held.sigma == pytest.approx(free.sigma, rel=1e-5)
        assert held.df == free.df - 1
    if reml:
        return
    for name, value in free.fixef().items():
        held = lmer("Reaction ~ Days + (Days | Subject)", data, reml, fixed={name: value})
        assert held.objective == pytest.approx(free.objective, abs=1e-8)
        np.testing.assert_allclose(held.theta, free.theta, rtol=1e-4, atol=1e-5)
        assert held.df == free.df - 1


@pytest.mark.parametrize("reml", [False, True], ids=["ML", "REML"])
def test_a_slope_without_variance_is_no_random_slope(reml):
    data, _ = sleep(False, False)
    held = lmer("Reaction ~ Days + (Days | Subject)", data, reml, fixed={"sd__Days": 0.0})
    smaller = lmer("Reaction ~ Days + (1 | Subject)", data, reml)
    assert held.objective == pytest.approx(smaller.objective, abs=1e-8)
    assert held.df == smaller.df == 4
    np.testing.assert_allclose(held.vcov(), smaller.vcov(), rtol=1e-6)
    np.testing.assert_allclose(
        held.summary().coefficients["df"], smaller.summary().coefficients["df"], rtol=1e-4
    )
    assert held.is_singular()
    assert "variance of Days fixed at zero" in str(held.summary())
    assert held.theta[1:].tolist() == [0.0, 0.0]


def test_a_singular_fit_by_a_fixed_value_is_no_warning(recwarn):
    data, _ = sleep(False, False)
    lmer("Reaction ~ Days + (Days | Subject)", data, fixed={"sd__Days": 0.0})
    lmer("Reaction ~ Days + (Days | Subject)", data, fixed={"cor__(Intercept).Days": 1.0})
    lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff(), fixed={"theta[0]": 0.0})
    assert [str(warning.message) for warning in recwarn] == []


def test_an_independent_correlation_is_the_double_bar():
    data, _ = sleep(False, False)
    held = lmer("Reaction ~ Days + (Days | Subject)", data, fixed={"cor__(Intercept).Days": 0.0})
    bars = lmer("Reaction ~ Days + (Days || Subject)", data)
    assert held.objective == pytest.approx(bars.objective, abs=1e-8)
    assert held.df == bars.df
    one, other = held.summary().coefficients, bars.summary().coefficients
    np.testing.assert_allclose(one.to_numpy(), other.to_numpy(), rtol=1e-4)


def test_covariances_of_the_free_parameters_follow_from_the_dense_curvature():
    data, _ = sleep(False, False)
    sd = 15.0
    model = lmer(
        "Reaction ~ Days + (0 + Days | Subject) + (1 | Subject)", data, fixed={"sd__(Intercept)": sd}
    )
    design = model._fitted.design
    first = [term.names for term in design.terms].index(("(Intercept)",))

    def value(point):
        slope, log_sigma = point
        parts = [np.array([[slope**2]]), np.array([[sd**2]])]
        if first == 0:
            parts.reverse()
        return criterion(design, parts, np.exp(log_sigma), True)[0]

    theta = model.theta[1 - first]
    center = np.array([theta * model.sigma, np.log(model.sigma)])
    steps = np.array([1e-3, 1e-4])
    hessian = np.zeros((2, 2))
    for i in range(2):
        for j in range(2):
            a, b = np.eye(2)[i] * steps[i], np.eye(2)[j] * steps[j]
            corners = [value(center + s * a + t * b) for s in (1, -1) for t in (1, -1)]
            hessian[i, j] = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * steps[i] * steps[j])
    covariance = 2 * np.linalg.inv(hessian)
    # To theta = sd / sigma of both terms, and sigma.
    turn = np.zeros((3, 2))
    turn[1 - first] = [1 / model.sigma, -theta]
    turn[first] = [0.0, -model.theta[first]]
    turn[2] = [0.0, model.sigma]
    np.testing.assert_allclose(model.vcov_theta(), turn @ covariance @ turn.T, rtol=1e-3, atol=1e-9)


def test_structures_hold_their_own_parameters():
    data = load_machines()
    free = lmer("score ~ Machine + cs(0 + Machine | Worker)", data, REML=False)
    part = free.VarCorr()["Worker"]
    names = {f"{own.kind}__{'.'.join(own.effects)}": own.value for own in part.parameters}
    for name, value in names.items():
        held = lmer("score ~ Machine + cs(0 + Machine | Worker)", data, REML=False, fixed={name: value * 0.9})
        found = held.VarCorr()["Worker"].parameters
        own = next(p for p in found if f"{p.kind}__{'.'.join(p.effects)}" == name)
        assert own.value == pytest.approx(value * 0.9, rel=1e-10)
        assert own.fixed
        assert held.objective > free.objective
        assert held.df == free.df - 1
        design = held._fitted.design
        assert held.objective == pytest.approx(
            criterion(design, covariances(held), held.sigma, False)[0], abs=1e-7
        )


def test_three_columns_hold_correlations_of_one_with_the_others():
    data = load_machines()
    formula = "score ~ 1 + (0 + Machine | Worker)"
    one, two = "cor__Machine[A].Machine[B]", "cor__Machine[A].Machine[C]"
    model = lmer(formula, data, fixed={one: 0.5, two: 0.1})
    corr = model.VarCorr()["Worker"].corr
    np.testing.assert_allclose(corr[0], [1.0, 0.5, 0.1], atol=1e-10)
    assert model.df == lmer(formula, data).df - 2
    value = criterion(model._fitted.design, covariances(model), model.sigma, True)[0]
    assert model.objective == pytest.approx(value, abs=1e-7)


def test_evaluation_without_optimising_takes_sigma():
    data, _ = sleep(True, True)
    model = lmer(
        "Reaction ~ Days + (Days | Subject)",
        data,
        weights="w",
        offset="o",
        start=[1.0, 0.1, 0.2],
        optimizer=None,
        fixed={"sigma": 20.0},
    )
    value = criterion(model._fitted.design, covariances(model), 20.0, True)[0]
    assert model.objective == pytest.approx(value, abs=1e-7)
    assert model.sigma == 20.0
