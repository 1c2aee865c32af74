"""R's names of coefficients: as lme4's `names(fixef(m))` has them for the same formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedmodels import glmer, lmer
from mixedmodels.design import r_names


def data() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    groups = np.tile(rng.normal(size=10), 6)
    return pd.DataFrame(
        {
            "y": groups + rng.normal(size=60),
            "n": rng.poisson(np.exp(1.0 + groups)),
            "f": list("abc") * 20,
            "o": pd.Categorical([1, 2, 3, 4] * 15, ordered=True),
            "six": pd.Categorical([1, 2, 3, 4, 5, 6] * 10, ordered=True),
            "x": rng.normal(size=60),
            "l": [True, False, False, True, False] * 12,
            "u": pd.Categorical(list("pq") * 30, ["p", "q", "unused"]),
            "g": list(range(10)) * 6,
        }
    )


CUSTOM = pd.DataFrame({"low": [-1, 1, 0], "high": [0, -1, 1]}, index=list("abc"))

CASES: list[tuple[str, Any, list[str]]] = [
    ("f * x + o", None, ["fb", "fc", "x", "o.L", "o.Q", "o.C", "fb:x", "fc:x"]),
    (
        "f * o",
        {"f": "sum"},
        ["f1", "f2", "o.L", "o.Q", "o.C", "f1:o.L", "f2:o.L", "f1:o.Q", "f2:o.Q", "f1:o.C", "f2:o.C"],
    ),
    ("f", {"f": "helmert"}, ["f1", "f2"]),
    ("f", {"f": "SAS"}, ["fa", "fb"]),
    ("f", {"f": ("treatment", "b")}, ["fa", "fc"]),
    ("f", {"f": CUSTOM}, ["flow", "fhigh"]),
    ("f", {"f": CUSTOM.to_numpy(float)}, ["f1", "f2"]),
    ("six", None, ["six.L", "six.Q", "six.C", "six^4", "six^5"]),
    ("I(x^2) + log(x + 10) + f:x", None, ["I(x^2)", "log(x + 10)", "fa:x", "fb:x", "fc:x"]),
    ("poly(x, 2) + factor(l)", None, ["poly(x, 2)1", "poly(x, 2)2", "factor(l)TRUE"]),
    ("l * x", None, ["lTRUE", "x", "lTRUE:x"]),
    ("f + I(x > 0) + f:I(x > 0)", None, ["fb", "fc", "I(x > 0)TRUE", "fb:I(x > 0)TRUE", "fc:I(x > 0)TRUE"]),
    ("u * f", {"u": "sum"}, ["u1", "fb", "fc", "u1:fb", "u1:fc"]),
]


@pytest.mark.parametrize(("terms", "contrasts", "wanted"), CASES)
def test_every_coding(terms, contrasts, wanted):
    model = lmer(f"y ~ {terms} + (1 | g)", data(), contrasts=contrasts)
    ours, others = list(model.fixef().index), r_names(model._fitted.design.recipe)
    theirs = {name: other for other, name in others.items()}
    assert [theirs.get(name, name) for name in ours] == ["(Intercept)", *wanted]


@pytest.mark.parametrize(("terms", "contrasts", "wanted"), CASES)
@pytest.mark.parametrize("kind", ["lmer", "glmer"])
def test_hypotheses_by_every_name(kind, terms, contrasts, wanted):
    fit = lmer if kind == "lmer" else (lambda f, d, **k: glmer(f.replace("y ~", "n ~"), d, "poisson", **k))
    model: Any = fit(f"y ~ {terms} + (1 | g)", data(), contrasts=contrasts)
    eye = np.eye(len(model.beta))
    for j, name in enumerate(["(Intercept)", *wanted]):
        row = model.t_test(eye[j])["Estimate"].item()
        for form in (f"{name} = 0", f"`{name}`", {name: 1.0}, f"3*{name} - 2*{name} = 0"):
            assert model.t_test(form)["Estimate"].item() == pytest.approx(row, rel=1e-12)
    frame = pd.DataFrame(eye, columns=["(Intercept)", *wanted])[["(Intercept)", *wanted[::-1]]]
    np.testing.assert_allclose(
        model.t_test(frame)["Estimate"], model.beta if not len(model.dropped_columns) else np.nan, rtol=1e-12
    )


def test_our_own_name_goes_before_one_of_r():
    """A column called as R would call a contrast is the one that is meant."""
    model = lmer("y ~ f + fb + (1 | g)", data().assign(fb=lambda d: d["x"]))
    assert model.t_test("fb")["Estimate"].item() == model.fixef()["fb"]
    assert model.t_test("fc")["Estimate"].item() == model.fixef()["f[T.c]"]


def test_levels_under_sum_contrasts_are_numbers_of_columns():
    """With levels 1, 2, 3 the second column of Helmert contrasts is f2 in R, that of level 3."""
    numbered = data().assign(f=lambda d: d["f"].map({"a": "1", "b": "2", "c": "3"}))
    model = lmer("y ~ f + (1 | g)", numbered, contrasts={"f": "helmert"})
    assert model.t_test("f2")["Estimate"].item() == model.fixef()["f[H.3]"]
