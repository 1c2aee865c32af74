"""Singular fits name the combination of effects without variance, its standard deviation and the remedy."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from design.building import build_design
from mixedmodels import checkConv, glmer, lmer, load_dyestuff2, load_sleepstudy
from mixedmodels.errors import MixedModelsWarning, SingularFitWarning
from mixedmodels.fit.endpoint.singularity import (
    boundary_directions,
    singular_terms,
)
from mixedmodels.fit.endpoint.term_roots import (
    term_roots,
)

RNG = np.random.default_rng(6)
DATA = pd.DataFrame(
    {
        "g": np.repeat([f"g{i}" for i in range(20)], 12),
        "a": RNG.normal(size=240),
        "b": RNG.normal(size=240) + 2,
        "c": RNG.normal(size=240) * 100,
        "y": RNG.normal(size=240),
    }
)


def found(term, covariance, scale=1.0, tol=1e-5):
    """The singular terms of a design with this covariance matrix of the effects."""
    design = build_design(f"y ~ 1 + {term}", DATA)
    values, vectors = np.linalg.eigh(np.asarray(covariance, dtype=float))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    factor = np.linalg.qr(root.T, mode="r").T
    order = [(i, j) for j in range(len(factor)) for i in range(j, len(factor))]
    theta = np.array([factor[i, j] for i, j in order])
    return singular_terms(design, theta, term_roots(design, None), tol, scale)


def test_a_variance_of_zero():
    (part,) = found("(a | g)", [[1.0, 0.0], [0.0, 0.0]])
    assert str(part) == "(a | g): variance of a estimated as zero; drop a from the term"
    (part,) = found("(1 | g)", [[0.0]])
    assert str(part).endswith("variance of (Intercept) estimated as zero; leave out the term")


@pytest.mark.parametrize(("sign", "shown"), [(1, "+1 ((Intercept) - 0.5*a"), (-1, "-1 ((Intercept) + 0.5*a")])
def test_a_correlation_at_its_bound(sign, shown):
    (part,) = found("(a | g)", [[1.0, 2.0 * sign], [2.0 * sign, 4.0]])
    assert f"correlation of (Intercept) and a estimated as {shown} has standard deviation 0)" in str(part)


def test_a_combination_of_three_effects():
    # Of c = 0.01 (2a - b), whatever the intercept.
    spread = np.array([[1.0, 0, 0], [0, 1.0, 0.3], [0, 0.3, 2.0]])
    to_all = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0.02, -0.01]])
    (part,) = found("(a + b + c | g)", to_all @ spread @ to_all.T)
    assert float(part.reason.split("standard deviation ")[1]) < 1e-6
    coefficients = {"(Intercept)": 0.0, "a": 0.0, "b": 0.0, "c": 0.0}
    for piece in part.reason.split(" has ")[0].replace(" - ", " + -").split(" + "):
        weight, _, name = piece.rpartition("*")
        sign = -1.0 if piece.startswith("-") and not weight else 1.0
        coefficients[name.lstrip("-")] = float(weight) if weight else sign
    row = np.array([coefficients[name] for name in ("(Intercept)", "a", "b", "c")])
    row = row / row[3]
    np.testing.assert_allclose(row, [0, -0.02, 0.01, 1], atol=1e-4)
    assert "(Intercept)" not in part.remedy


def test_two_directions():
    (part,) = found("(a + b | g)", np.diag([1.0, 0.0, 0.0]))
    assert part.reason == "variances of a, b estimated as zero"


def test_small_standard_deviations_are_reported_in_units_of_the_response():
    (part,) = found("(a | g)", np.diag([1.0, 1e-12]), scale=50.0)
    assert part.reason == "variance of a estimated as zero"
    (part,) = found("(a | g)", [[1.0, 1.0], [1.0, 1.0 + 4e-12]], scale=50.0)
    text = part.reason.split("standard deviation ")[1].rstrip(")")
    assert float(text) == pytest.approx(50 * 2e-6, rel=0.5)


def test_the_sum_of_squares_of_what_is_named_is_zero_in_a_fit():
    data = DATA.assign(
        y=DATA["a"] + RNG.normal(size=20)[np.repeat(np.arange(20), 12)] * (1 + 0.7 * DATA["b"])
    )
    data["y"] += RNG.normal(size=240)
    with pytest.warns(
        SingularFitWarning, match=r"correlation of \(Intercept\) and b estimated as \+1"
    ) as caught:
        model = lmer("y ~ a + b + (b | g)", data)
    text = str(caught[0].message)
    assert "drop one of the effects (Intercept), b or make them independent (||)" in text
    corr = model.VarCorr()["g"].corr[0, 1]
    assert corr == pytest.approx(1.0)
    for shown in (str(model.summary()), str(checkConv(model))):
        assert "(b | g): correlation of (Intercept) and b estimated as +1" in shown
    # Theta's names are those of Cholesky factors, and say nothing of variances.
    assert "g.b" not in "\n".join(model.summary().notes)
    assert "Estimated as zero and left out of the degrees of freedom: the variance of " in " ".join(
        str(model.summary()).split()
    )


def test_generalized_models():
    rng = np.random.default_rng(9)
    data = DATA.assign(k=np.tile(rng.poisson(2, size=12), 20))
    with pytest.warns(SingularFitWarning, match="estimated as zero; leave out the term"):
        model = glmer("k ~ a + (1 | g)", data, "poisson")
    assert "leave out the term" in " ".join(str(model.summary()).split())


def test_the_boundary_in_words():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        model = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2())._fitted
    words = boundary_directions(model.design, model.estimates.theta, model.term_roots)
    assert words == ["the variance of (Intercept) within Batch"]
    regular = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())._fitted
    assert not boundary_directions(regular.design, regular.estimates.theta, regular.term_roots)


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
@pytest.mark.parametrize("bars", ["|", "||"])
@pytest.mark.parametrize("k", [18, 30])
def test_the_warning_of_a_wide_term_is_short(k, bars):
    rng = np.random.default_rng(k)
    data = pd.DataFrame(rng.normal(size=(400, k)), columns=[f"covariate{j:02}" for j in range(k)])
    data = data.assign(y=rng.normal(size=400), g=np.repeat(np.arange(10), 40))
    effects = " + ".join(f"covariate{j:02}" for j in range(k))
    design = build_design(f"y ~ 1 + (1 + {effects} {bars} g)", data)
    n_theta = sum(
        len(t.names) if bars == "||" else len(t.names) * (len(t.names) + 1) // 2 for t in design.terms
    )
    theta = np.zeros(n_theta)
    if bars == "|":
        theta[: k + 1] = rng.normal(size=k + 1)
    (part,) = singular_terms(design, theta, term_roots(design, None))
    text = f"{part.reason}; {part.remedy}"
    assert len(text) < 600
    assert "leave " in part.remedy
    if bars == "|":
        assert f"and {k - 2} other combinations" in text
    else:
        assert f"... ({k + 1} in all)" in text


def test_few_effects_are_all_shown():
    wide = np.ones(4) / 2
    (part,) = found("(a + b + c | g)", np.eye(4) - np.outer(wide, wide))
    assert "..." not in f"{part.reason}; {part.remedy}"
