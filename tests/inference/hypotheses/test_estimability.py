"""Estimable functions are those in the row space of X."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from mixedmodels import lmer
from mixedmodels.inference.hypotheses.estimability import Undetermined

pytestmark = pytest.mark.filterwarnings(
    "ignore::mixedmodels.errors.SingularFitWarning", "ignore::mixedmodels.errors.RankDeficiencyWarning"
)

FORMULAS = [
    "a * b * z",
    "a * b + z + I(2 * z - 1)",
    "0 + a:b + c",
    "a + b + c + z:c",
    "poly(z, 2) + z + a * c",
    "a + b",
]


def frame(seed: int) -> pd.DataFrame:
    r = np.random.default_rng(seed)
    d = pd.DataFrame(
        {"a": r.choice(list("stuv"), 60), "b": r.choice(list("wxy"), 60), "z": r.normal(5, 2, 60)}
    )
    d["c"] = np.where(d["a"] < "u", "early", "late")
    d["g"] = np.arange(60) % 8
    d["y"] = r.normal(size=60)
    # Some cells are empty.
    return d[~((d["a"] == "s") & (d["b"] != "w")) & ~((d["a"] == "v") & (d["b"] == "y"))]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("seed", range(4))
def test_estimable_is_in_the_row_space(formula, seed):
    model = lmer(f"y ~ {formula} + (1 | g)", frame(seed))
    fitted = model._fitted
    x = fitted.design.x
    undetermined = Undetermined(fitted)
    assert undetermined.estimable(x).all()
    size = np.linalg.norm(x, axis=0)
    size[size == 0] = 1.0
    _, values, right = np.linalg.svd(x / size)
    basis = right[: np.count_nonzero(values > 1e-9 * values[0])]
    r = np.random.default_rng(seed)
    combinations = r.normal(size=(20, len(x))) @ x
    grid = pd.DataFrame(
        [(a, b, z) for a in "stuv" for b in "wxy" for z in (1.0, 4.5)], columns=["a", "b", "z"]
    )
    grid["c"] = np.where(grid["a"] < "u", "early", "late")
    rows = np.vstack([np.eye(x.shape[1]), combinations, fitted.design.recipe.new_x(grid)])
    scaled = rows / size
    outside = np.linalg.norm(scaled - scaled @ basis.T @ basis, axis=1)
    wanted = outside < 1e-7 * np.linalg.norm(scaled, axis=1)
    assert undetermined.estimable(rows).tolist() == wanted.tolist()
    assert undetermined.estimable(combinations).all()


def test_nothing_is_computed_for_a_matrix_of_full_rank():
    model = lmer("y ~ a + z + (1 | g)", frame(0))
    undetermined = Undetermined(model._fitted)
    rows = np.full((2, 5), np.nan)
    assert undetermined.estimable(rows).all()
    assert "directions" not in vars(undetermined)
