"""Every spelling in the tables of the page on lme4 is one that works, and synonyms have the same value."""

from __future__ import annotations

import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from shared_fits import fits

PAGE = (Path(__file__).parents[2] / "docs" / "coming-from-lme4.md").read_text(encoding="utf-8")
CODE = re.compile(r"`([^`]+)`")


def cells(table: str, column: int) -> list[str]:
    """The pieces of code in a column of a table of the page, read as Python."""
    rows = PAGE.partition(f"<!-- {table}: begin -->\n")[2].partition(f"<!-- {table}: end -->")[0].splitlines()
    found = []
    for row in rows[2:]:
        cell = re.split(r"(?<!\\)\|", row)[column + 1]
        found += [code.replace(r"\|", "|") for code in CODE.findall(cell)]
    return [code for code in dict.fromkeys(found) if not code.startswith(".")]


@cache
def names() -> dict[str, Any]:
    """What the pieces of code call f, data, m, ..."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame(
        {
            "g": np.repeat([f"g{i}" for i in range(15)], 12),
            "a": pd.Categorical(np.tile(["p", "q", "r"], 60)),
            "b": pd.Categorical(np.tile(np.repeat(["u", "v"], 3), 30)),
            "x": rng.normal(size=180) + 2.0,
            "w": rng.uniform(0.5, 2.0, 180),
            "ill": rng.integers(0, 2, 180),
            "count": rng.negative_binomial(2, 0.3, 180),
        }
    )
    levels = np.repeat(rng.normal(size=15), 12)
    data["y"] = data["x"] + levels + rng.normal(size=180)
    m = mm.lmer("y ~ x + a * b + (1 | g)", data)
    return {
        **{name: getattr(mm, name) for name in ("lmer", "glmer", "families", "Control", "anova")},
        "f": "y ~ x + a + (1 | g)",
        "data": data,
        "newdata": data.head(3),
        "y": data["y"].to_numpy()[::-1].copy(),
        "L": np.eye(m.rank)[1:2],
        "m": m,
        "m0": mm.lmer("y ~ x + a + b + (1 | g)", data),
        "m1": mm.lmer("y ~ x + (1 | g)", data),
        "g": fits("cbpp"),
        "e": m.emmeans("~ a"),
    }


# The response of the formula where the family needs another one.
RESPONSES = {"probit": "ill", "nbinom2": "count", "NegativeBinomial": "count"}


def value(code: str) -> Any:
    local = dict(names())
    for word, response in RESPONSES.items():
        if word in code:
            local["f"] = local["f"].replace("y", response)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mm.MixedModelsWarning)
        return eval(code, {"print": lambda *_: None}, local)


HERE = [code for table in ("fitting", "results", "tests") for code in cells(table, 1)]
SYNONYMS = [code for table in ("results", "tests") for code in cells(table, 2)]


@pytest.mark.parametrize("code", HERE + SYNONYMS)
def test_the_page_is_right_about(code):
    value(code)


def test_there_is_something_to_check():
    assert len(HERE) > 50
    assert len(SYNONYMS) > 15


@pytest.mark.parametrize(
    ("here", "synonym"),
    [
        ("m.fixef()", "m.params"),
        ("m.se", "m.bse"),
        ("m.coef_test()['t value']", "m.tvalues"),
        ("m.coef_test()['Pr(>|t|)']", "m.pvalues"),
        ("m.vcov()", "m.cov_params()"),
        ("m.confint().loc['x']", "m.conf_int().loc['x']"),
        ("m.fitted()", "m.fittedvalues"),
        ("m.residuals()", "m.resid"),
        ("float(m.logLik())", "m.llf"),
        ("m.AIC()", "m.aic"),
        ("m.BIC()", "m.bic"),
        ("m.df_residual", "m.df_resid"),
        ("m.convergence.converged", "m.converged"),
        ("m.convergence.n_evaluations", "m.n_evaluations"),
        ("m.linear_hypothesis(L)['F value']", "m.f_test(L)['F value']"),
    ],
)
def test_synonyms_have_the_same_value(here, synonym):
    np.testing.assert_array_equal(np.asarray(value(here)), np.asarray(value(synonym)))
