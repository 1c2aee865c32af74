"""Marginal and least-confounded residuals against dense algebra."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from mixedmodels.errors import ArgumentError
from shared_fits import fits

pytestmark = [
    pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning"),
    pytest.mark.filterwarnings("ignore::mixedmodels.errors.RankDeficiencyWarning"),
]

FORMULAS = [
    "y ~ x + (x | g)",
    "y ~ x + twice + (1 | g)",
    "y ~ x + (1 | g) + (0 + x | g)",
    "y ~ x + (1 | g) + (1 | h)",
    "y ~ x + (1 | h/g)",
    "y ~ x + cs(0 + f | g)",
    "y ~ x + ar1(0 + factor(t) | g) + (1 | h)",
]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    n = 72
    g, t = np.repeat(np.arange(12), 6), np.tile(np.arange(6), 12)
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "x": x,
            "twice": 2 * x,
            "g": [f"g{v}" for v in g],
            "h": [f"h{v}" for v in rng.integers(0, 5, n)],
            "f": np.where(t < 3, "a", "b"),
            "t": t,
            "w": rng.uniform(0.5, 2.0, n),
            "o": rng.normal(size=n),
        }
    )
    slopes = rng.normal(size=12)[g] * (0.7 + 0.5 * x)
    frame["y"] = 1 + x + slopes + frame["o"] + rng.normal(size=n) / np.sqrt(frame["w"])
    return frame.sample(frac=1.0, random_state=1).reset_index(drop=True)


def dense(model, data):
    """y - Xβ, X, the covariance matrix of y, and that of the errors; from the public results of the fit."""
    x = model.getME("X")[:, :2]
    zl = np.asarray(model.getME("Z").todense()) @ np.asarray(model.getME("Lambda").todense())
    errors = np.diag(model.sigma**2 / data["w"])
    marginal = data["y"] - data["o"] - x @ model.fixef().to_numpy()[:2]
    return marginal.to_numpy(), x, model.sigma**2 * zl @ zl.T + errors, errors


@pytest.mark.parametrize("formula", FORMULAS)
def test_residuals_are_those_of_dense_algebra(data, formula):
    model = mm.lmer(formula, data, weights=data["w"], offset=data["o"])
    r, x, v, errors = dense(model, data)
    np.testing.assert_allclose(model.residuals(kind="marginal"), r, rtol=1e-10, atol=1e-12)
    inverse = np.linalg.inv(v)
    covariance = v - x @ np.linalg.inv(x.T @ inverse @ x) @ x.T
    own = model.residuals("standardized", kind="marginal")
    np.testing.assert_allclose(own, r / np.sqrt(np.diag(covariance)), rtol=1e-8)
    white = np.linalg.solve(np.linalg.cholesky(v), r)
    # Row by row within levels: the factor of the rows of a level is that of all rows.
    np.testing.assert_allclose(model.residuals("whitened"), white, rtol=1e-8, atol=1e-10)

    found = model.least_confounded_residuals()
    n, p = x.shape
    q = inverse @ covariance @ inverse
    root = np.sqrt(errors)
    shares = np.linalg.eigvalsh(root @ q @ root)[::-1][: n - p]
    assert len(found) == n - p
    np.testing.assert_allclose(1 - found["confounding"], shares, atol=1e-10)
    # All uncorrelated combinations with variance 1 have this sum of squares, and so have those of one share.
    assert (found["residual"] ** 2).sum() == pytest.approx(r @ q @ r, rel=1e-8)
    conditional = model.residuals() * np.sqrt(data["w"].to_numpy()) / model.sigma
    weighted = (found["residual"] ** 2 * (1 - found["confounding"])).sum()
    assert weighted == pytest.approx(conditional @ conditional, rel=1e-7)


def test_errors_show_in_the_least_confounded_residuals_and_random_effects_do_not():
    rng = np.random.default_rng(2)
    n_levels, size = 60, 5
    g = np.repeat(np.arange(n_levels), size)
    frame = pd.DataFrame(
        {"g": g.astype(str), "y": 5 * rng.exponential(size=n_levels)[g] + rng.normal(size=len(g))}
    )
    found = mm.lmer("y ~ 1 + (1 | g)", frame).least_confounded_residuals()
    clean = found["confounding"] < 1e-8
    assert clean.sum() == n_levels * (size - 1)
    assert found["confounding"].is_monotonic_increasing
    # Those without confounding do not change with the random effects at all.
    moved = frame.assign(y=frame["y"] + 10 * rng.exponential(size=n_levels)[g])
    other = mm.lmer("y ~ 1 + (1 | g)", moved, fixed={"sigma": 1.0}).least_confounded_residuals()
    one = mm.lmer("y ~ 1 + (1 | g)", frame, fixed={"sigma": 1.0}).least_confounded_residuals()
    assert (one["residual"][clean] ** 2).sum() == pytest.approx(
        (other["residual"][clean] ** 2).sum(), rel=1e-9
    )


def test_least_confounded_residuals_say_what_they_are_not_for():
    with pytest.raises(ArgumentError, match="of linear models"):
        fits("cbpp").least_confounded_residuals()
    n = 5001
    many = pd.DataFrame({"y": np.random.default_rng(0).normal(size=n), "g": np.arange(n) % 7})
    with pytest.raises(ArgumentError, match="at most 5000"):
        mm.lmer("y ~ 1 + (1 | g)", many).least_confounded_residuals()
