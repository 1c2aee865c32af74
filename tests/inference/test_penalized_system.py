"""Leverages and solves of the penalised least-squares problem, against dense algebra."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import augment, cAIC, glmer, lmer
from mixedmodels.diagnostics.leverage import leverages
from mixedmodels.inference import elimination
from mixedmodels.inference.penalized_system import PenalizedSystem

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


@pytest.mark.parametrize("random", RANDOM)
@pytest.mark.parametrize("kind", ["lmer", "glmer"])
def test_leverages(random, kind):
    if kind == "lmer":
        model = lmer(f"y ~ x + {random}", DATA, weights="w")
    else:
        model = glmer(f"k ~ x + {random}", DATA, "poisson")
    system = PenalizedSystem(model._fitted)
    root = np.sqrt(system.weights)[:, None]
    z, factor = model.getME("Zt").T.toarray(), model.getME("Lambda").toarray()
    a = root * np.hstack([z @ factor, system.x])
    penalty = np.diag([1.0] * z.shape[1] + [0.0] * system.x.shape[1])
    dense = np.diag(a @ np.linalg.solve(a.T @ a + penalty, a.T))
    np.testing.assert_allclose(leverages(model._fitted), dense, rtol=1e-8)
    # The same by a sparse factor, as for factors too large to eliminate.
    by_factor = PenalizedSystem(model._fitted)
    object.__setattr__(by_factor, "_eliminated", None)
    np.testing.assert_allclose(by_factor.leverages(), dense, rtol=1e-8)


def test_the_path_for_large_crossed_factors(monkeypatch):
    model = lmer("y ~ x + (x | c) + (1 | b)", DATA)
    wanted, criterion = leverages(model._fitted), cAIC(model)
    monkeypatch.setattr(elimination, "_LARGEST_DENSE", 3)
    assert PenalizedSystem(model._fitted)._eliminated is None
    np.testing.assert_allclose(leverages(model._fitted), wanted, rtol=1e-9)
    assert float(cAIC(model)) == pytest.approx(float(criterion), rel=1e-9)


def test_blocks_of_columns(monkeypatch):
    model = lmer("y ~ x + (x | c) + (1 | b)", DATA)
    wanted = leverages(model._fitted)
    monkeypatch.setattr(elimination, "_BLOCK", 30)
    np.testing.assert_allclose(leverages(model._fitted), wanted, rtol=1e-12)


def test_projections():
    model = lmer("y ~ x + (x | c) + (1 | b)", DATA, weights="w")
    system = PenalizedSystem(model._fitted)
    z, factor = model.getME("Zt").T.toarray(), model.getME("Lambda").toarray()
    v = np.diag(1.0 / DATA["w"]) + z @ factor @ factor.T @ z.T
    inverse = np.linalg.inv(v)
    middle = inverse @ system.x @ np.linalg.inv(system.x.T @ inverse @ system.x)
    y = DATA["y"].to_numpy()
    np.testing.assert_allclose(
        system.project(y), (inverse - middle @ system.x.T @ inverse) @ y, rtol=1e-7, atol=1e-9
    )
    step = 1e-6
    theta = model.theta
    for i in range(len(theta)):
        sides = []
        for sign in (1.0, -1.0):
            moved = theta.copy()
            moved[i] += sign * step
            parts = system._scaled(moved)
            rows = np.zeros_like(system._zl.toarray())
            for group, part in zip(system._groups, parts, strict=True):
                for j in range(group.width):
                    rows[np.arange(len(y)), group.start + group.codes * group.width + j] = part[:, j]
            sides.append(rows @ rows.T)
        difference = (sides[0] - sides[1]) / (2 * step)
        np.testing.assert_allclose(system.slope_of_v(i, y), difference @ y, rtol=1e-6, atol=1e-6)


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_separation_leaves_no_information():
    data = pd.DataFrame({"g": np.arange(120) % 6, "x": np.linspace(-1, 1, 120)})
    data["y"] = (data["x"] > 0).astype(int)
    table = augment(glmer("y ~ x + (1 | g)", data, "binomial"), influence=True)
    assert len(table) == 120
    assert (table[".hat"].isna() | table[".hat"].between(0, 1 + 1e-9)).all()
    assert np.isfinite(table[".fitted"]).all()
