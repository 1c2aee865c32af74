"""Leverages, and how fitted values move with the response, against dense algebra."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import block_diag

from mixedmodels import augment, cAIC, glmer, lmer
from mixedmodels.design.theta import factors

pytestmark = pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")


def frame(n: int = 400) -> pd.DataFrame:
    r = np.random.default_rng(5)
    d = pd.DataFrame(
        {
            "a": r.integers(0, 5, n),
            "b": r.integers(0, 12, n),
            "c": r.integers(0, 40, n),
            "x": r.normal(size=n),
        }
    )
    effects = r.normal(size=(40, 2))
    d["y"] = d["x"] + effects[d["c"], 0] + effects[d["b"], 1] * d["x"] + effects[d["a"], 1] + r.normal(size=n)
    d["w"] = r.uniform(0.5, 2.0, n)
    d["k"] = r.poisson(np.exp(0.3 * d["y"].clip(-3, 3)))
    return d


DATA = frame()
RANDOM = [
    "(1 | c)",
    "(x | c)",
    "(1 | c) + (0 + x | c)",
    "(1 | c) + (1 | b) + (1 | a)",
    "(x | c) + (x || b) + (1 | a)",
    "(1 | a/b)",
    "(x | a/b)",
    "(1 | a/b/c)",
    "(1 | b/c) + (0 + x | a)",
]


def scaled_rows(model):
    """ZΛ, dense."""
    return model.getME("Zt").T.toarray() @ model.getME("Lambda").toarray()


def dense_leverages(model, weights):
    random, x = scaled_rows(model), model.getME("X")
    a = np.sqrt(weights)[:, None] * np.hstack([random, x])
    penalty = np.diag([1.0] * random.shape[1] + [0.0] * x.shape[1])
    return np.diag(a @ np.linalg.solve(a.T @ a + penalty, a.T))


@pytest.mark.parametrize("random", RANDOM)
@pytest.mark.parametrize("kind", ["lmer", "glmer"])
def test_leverages(random, kind):
    if kind == "lmer":
        model = lmer(f"y ~ x + {random}", DATA, weights="w")
        weights = DATA["w"].to_numpy()
    else:
        model = glmer(f"k ~ x + {random}", DATA, "poisson")
        weights = model.getME("mu")
    hat = model._fitted.leverages()
    np.testing.assert_allclose(hat, dense_leverages(model, weights), rtol=1e-8)
    if kind == "lmer":
        assert cAIC(model, "vaida-blanchard").df == pytest.approx(hat.sum() + 1, rel=1e-10)


@pytest.mark.parametrize("random", RANDOM)
@pytest.mark.parametrize("reml", [True, False])
def test_what_the_estimation_of_theta_adds(random, reml):
    # (P V_i r - (r'V_i r/q) r)'W^-1 P V_j r by matrices of the order of the observations.
    model = lmer(f"y ~ x + {random}", DATA, weights="w", REML=reml)
    x, y = model.getME("X"), DATA["y"].to_numpy()
    w, theta = DATA["w"].to_numpy(), model.theta
    rows = scaled_rows(model)
    inverse = np.linalg.inv(np.diag(1.0 / w) + rows @ rows.T)
    middle = inverse @ x @ np.linalg.inv(x.T @ inverse @ x)
    p = inverse - middle @ x.T @ inverse
    residual = p @ y
    slopes = np.array([v @ residual for v in slopes_of_v(model)])
    effects, q = slopes @ p, y @ residual
    shares = slopes @ residual / q
    m = len(y) - (x.shape[1] if reml else 0)
    products = 2 * m / q * (effects - shares[:, None] * residual) @ (effects / w).T
    expected = (products + products.T) / 2
    trace, found = model._fitted.engine.sensitivity(theta, reml)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-8 * scale)
    assert trace == pytest.approx(len(y) - np.trace(p / w[:, None]), rel=1e-9)


def slopes_of_v(model):
    """∂(ZΛΛ'Z')/∂θ of each entry of theta: exact, as it is quadratic."""
    z, design, theta = model.getME("Zt").T.toarray(), model._fitted.design, model.theta

    def relative(point):
        blocks = [
            np.kron(np.eye(len(term.group.levels)), factor)
            for term, factor in zip(design.terms, factors(design, point), strict=True)
        ]
        rows = z @ block_diag(*blocks)
        return rows @ rows.T

    for unit in np.eye(len(theta)):
        yield (relative(theta + unit) - relative(theta - unit)) / 2


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_separation_leaves_no_information():
    data = pd.DataFrame({"g": np.arange(120) % 6, "x": np.linspace(-1, 1, 120)})
    data["y"] = (data["x"] > 0).astype(int)
    table = augment(glmer("y ~ x + (1 | g)", data, "binomial"), influence=True)
    assert len(table) == 120
    assert (table[".hat"].isna() | table[".hat"].between(0, 1 + 1e-9)).all()
    assert np.isfinite(table[".fitted"]).all()
