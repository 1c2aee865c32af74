"""Every spelling in the tables of the page on MixedModels.jl is one that works."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tables_of_names import cells

import mixedmodels as mm
from shared_fits import fits

PAGE = "coming-from-julia.md"
HERE = [code for table in ("fitting", "extractors") for code in cells(PAGE, table, 1)]


@cache
def names() -> dict[str, Any]:
    """What the pieces of code call f, data, m, ..."""
    rng = np.random.default_rng(5)
    data = pd.DataFrame(
        {
            "g": np.repeat([f"g{i}" for i in range(15)], 12),
            "a": pd.Categorical(np.tile(["p", "q", "r"], 60)),
            "b": pd.Categorical(np.tile(np.repeat(["u", "v"], 3), 30)),
            "x": rng.normal(size=180) + 2.0,
            "w": rng.uniform(0.5, 2.0, 180),
            "n": rng.integers(3, 9, 180),
        }
    )
    data["ill"] = rng.binomial(data["n"], 0.4)
    data["y"] = data["x"] + np.repeat(rng.normal(size=15), 12) + rng.normal(size=180)
    f = "y ~ x + a + (1 | g)"
    exported = (*("lmer", "glmer", "anova", "Formula", "LinearMixedModel", "ArrayTerm", "Control"),)
    return {
        **{name: getattr(mm, name) for name in exported},
        "f": f,
        "data": data,
        "newdata": data.head(3),
        "y": data["y"].to_numpy()[::-1].copy(),
        "X": np.column_stack([np.ones(180), data["x"]]),
        "groups": data["g"].to_numpy(),
        "m": mm.lmer(f, data, REML=False),
        "m0": mm.lmer("y ~ x + (1 | g)", data, REML=False),
        "m1": fits("dyestuff", REML=False),
        "g": fits("cbpp"),
        "unfitted": mm.LinearMixedModel.from_formula(f, data, REML=False),
    }


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> str:
    file = str(tmp_path_factory.mktemp("optimum") / "optimum.json")
    names()["m"].save_optimum(file)
    return file


@pytest.mark.parametrize("code", HERE)
def test_the_page_is_right_about(code, path):
    local = {**names(), "path": path}
    if "glmer" in code and "cbind" not in code:
        # A response that the family can have.
        local["data"] = local["data"].assign(many=local["data"]["n"] > 5)
        local["f"] = local["f"].replace("y ~", "n ~" if "poisson" in code else "many ~")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mm.MixedModelsWarning)
        value = eval(code, {}, local)
    if code.startswith("plot") or ".plot" in code:
        import matplotlib.pyplot as plt

        plt.close("all")
    assert value is not None or "save" in code


def test_there_is_something_to_check():
    assert len(HERE) > 60


def test_the_spellings_of_independent_effects_are_one_model():
    data = mm.load_sleepstudy()
    random = ("zerocorr(1 + Days | Subject)", "(Days || Subject)", "(1 | Subject) + (0 + Days | Subject)")
    models = [mm.lmer(f"Reaction ~ Days + {part}", data, REML=False) for part in random]
    for model in models:
        # MixedModels.jl prints 1752.0033.
        assert model.objective == pytest.approx(1752.0033, abs=5e-5)
