"""Tests, tables and intervals of degenerate models: typed errors, or NaN with a note, and nothing raw."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    anova,
    checkConv,
    coef_test,
    condition_number,
    drop1,
    emmeans,
    glmer,
    joint_tests,
    linear_hypothesis,
    lmer,
    load_cake,
    t_test,
    tidy,
    vcov_cluster,
    vif,
)
from mixedmodels.errors import MixedModelError, MixedModelsWarning

N = 120


def frame():
    rng = np.random.default_rng(4)
    data = pd.DataFrame(
        {
            "a": rng.choice(list("xyz"), N),
            "b": rng.choice(list("pq"), N),
            "x": rng.normal(size=N),
            "g": rng.integers(0, 10, N).astype(str),
            "w": rng.uniform(0.5, 2, N),
            "rows": np.arange(N),
        }
    )
    effects = rng.normal(size=10)[data["g"].astype(int)]
    data["y"] = effects + data["x"] + rng.normal(size=N)
    data["hit"] = (data["y"] > 0).astype(int)
    data["count"] = rng.poisson(np.exp(0.3 * data["x"] + 0.5 * effects))
    # In y, all is between the rows of a group.
    data["flat"] = data["y"] - data.groupby("g")["y"].transform("mean")
    data["of_a"] = (data["a"] == "x").astype(int)
    data["twice"] = 2 * data["x"]
    data["far"] = data["x"] + 1e9
    data["between"] = np.where(data["g"].astype(int) < 5, "s", "t")
    return data


DATA = frame()
CELLS = DATA[~((DATA["a"] == "z") & (DATA["b"] == "q"))]
SEPARATED = pd.DataFrame(
    {
        "g": (rng := np.random.default_rng(1)).integers(0, 12, 90),
        "a": rng.choice(list("abcde"), 90),
        "b": rng.choice(list("uvw"), 90),
        "y": (rng.random(90) < 0.15).astype(int),
    }
)
# All groups but one have a single row.
ONE_A_LEVEL = pd.DataFrame(
    {"y": rng.normal(size=60), "x": rng.normal(size=60), "g": np.maximum(np.arange(60), 1)}
)

MODELS: dict[str, Any] = {
    "empty cell": lambda: lmer("y ~ a * b + (1 | g)", CELLS),
    "empty cell, binomial": lambda: glmer("hit ~ a * b + (1 | g)", CELLS, "binomial"),
    "aliased": lambda: lmer("y ~ x + twice + a + (1 | g)", DATA),
    "aliased, poisson": lambda: glmer("count ~ x + twice + a + (1 | g)", DATA, "poisson"),
    "nearly aliased": lambda: lmer("y ~ x * far + a + (1 | g)", DATA),
    "undetermined covariance": lambda: lmer("y ~ between * x + (between | g)", DATA),
    "undetermined covariance, poisson": lambda: glmer("count ~ between * x + (between | g)", DATA, "poisson"),
    "redundant variances": lambda: lmer(
        "angle ~ recipe + (recipe | replicate) + (1 | replicate:recipe)", load_cake()
    ),
    "variance zero": lambda: lmer("flat ~ a * x + (1 | g)", DATA),
    "separation": lambda: glmer("y ~ a * b + (1 | g)", SEPARATED, "binomial"),
    "separation by a factor": lambda: glmer("of_a ~ a + x + (1 | g)", DATA, "binomial"),
    "one observation a level": lambda: lmer("y ~ x + (1 | g)", ONE_A_LEVEL),
    "no fixed effects": lambda: lmer("y ~ 0 + (1 | g)", DATA),
    "no fixed effects, poisson": lambda: glmer("count ~ 0 + (1 | g)", DATA, "poisson"),
    "intercept": lambda: lmer("y ~ 1 + (1 | g)", DATA),
    "no minimum": lambda: lmer("y ~ a * b + x + (1 | g)", DATA, start=[9.0], optimizer=None),
    "nAGQ = 0": lambda: glmer("hit ~ a * b + (1 | g)", DATA, "binomial", nAGQ=0),
    "fixed and random": lambda: lmer("y ~ x + g + (1 | g)", DATA),
    "zero weights": lambda: lmer(
        "y ~ a * x + (1 | g)", DATA.assign(w=DATA["w"] * (DATA["rows"] > 20)), weights="w"
    ),
}
METHODS = [None, "kenward-roger", "residual", "inf"]


def rows(model):
    """All coefficients that are kept."""
    fitted = model._fitted
    return np.eye(len(model.beta))[fitted.estimates.kept]


def means_of(model, ddf):
    for name in ("a", "b", "recipe"):
        if name in model._fitted.design.recipe.memory.columns:
            means = emmeans(model, [name], ddf=ddf)
            yield means.confint()
            yield means.joint()
            for method, adjust in [
                ("pairwise", "tukey"),
                ("pairwise", "holm"),
                ("eff", "fdr"),
                ("eff", "scheffe"),
            ]:
                contrasts = means.contrast(method, adjust=adjust)
                yield contrasts.confint()
                yield contrasts.test()


CALLS: dict[str, Any] = {
    "summary": lambda m, ddf: m.summary(ddf=ddf),
    "anova, type 1": lambda m, ddf: anova(m, type=1, ddf=ddf),
    "anova, type 2": lambda m, ddf: anova(m, type=2, ddf=ddf),
    "anova, type 3": lambda m, ddf: anova(m, type=3, ddf=ddf),
    "anova, chisq": lambda m, ddf: [anova(m, type=k, test="Chisq") for k in (1, 2, 3)],
    "drop1": lambda m, ddf: drop1(m, test="F", ddf=ddf),
    "tidy": lambda m, ddf: tidy(m, ddf=ddf, conf_int=True),
    "conf_int": lambda m, ddf: m.conf_int(ddf=ddf),
    "coef_test": lambda m, ddf: coef_test(m, ddf=ddf),
    "linear_hypothesis": lambda m, ddf: linear_hypothesis(m, rows(m), ddf=ddf),
    "t_test": lambda m, ddf: t_test(m, rows(m), ddf=ddf),
    "means": lambda m, ddf: list(means_of(m, ddf)),
    "joint_tests": lambda m, ddf: joint_tests(m, ddf=ddf),
}
OTHERS: dict[str, Any] = {
    "vcov": lambda m: (m.vcov(), m.corr_fixef(), m.bse, m.pvalues, m.vcov_theta(), m.hessian()),
    "checkConv": checkConv,
    "vif": vif,
    "condition_number": condition_number,
    "getME": lambda m: m.getME("ALL"),
    "robust": lambda m: coef_test(m, vcov=vcov_cluster(m)),
}


@pytest.fixture(scope="module")
def models():
    made = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        for name, make in MODELS.items():
            try:
                made[name] = make()
            except MixedModelError:
                made[name] = None
    return made


def ask(model, call, *arguments):
    """The result, or nothing after a typed error; any other warning is an error."""
    if model is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", MixedModelsWarning)
        try:
            result = call(model, *arguments)
        except MixedModelError:
            return None
        str(result)
        return result


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("call", CALLS)
def test_nothing_raw(models, name, call):
    for ddf in METHODS:
        result = ask(models[name], CALLS[call], ddf)
        if not isinstance(result, pd.DataFrame):
            continue
        for df, p in (("df", "p.value"), ("DenDF", "Pr(>F)"), ("df", "Pr(>|t|)")):
            if df in result and p in result:
                assert result.loc[result[df].isna(), p].isna().all()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("call", OTHERS)
def test_nothing_raw_of_others(models, name, call):
    ask(models[name], OTHERS[call])


def test_a_missing_number_has_a_note(models):
    for name, model in models.items():
        for ddf in METHODS if model is not None else []:
            table = ask(model, anova, ddf) if ddf is None else ask(model, CALLS["anova, type 3"], ddf)
            if table is None:
                continue
            tested = table[table["NumDF" if "NumDF" in table else "Df"] > 0]
            if tested[[c for c in tested if c.startswith("Pr(")]].isna().any(axis=None):
                assert table.notes, (name, ddf)


def test_a_separated_model_has_tables_of_every_type(models):
    for kind in (1, 2, 3):
        table = ask(models["separation"], CALLS[f"anova, type {kind}"], None)
        assert list(table["Df"]) == [4, 2, 8]


def test_nearly_dependent_columns_keep_their_tests():
    """By cross-products half of the digits would be lost."""
    data = DATA.assign(near=DATA["x"] + 1e-5 * DATA["w"])
    model = lmer("y ~ x + near + (1 | g)", data)
    apart = lmer("y ~ x + w + (1 | g)", data)
    np.testing.assert_allclose(anova(model, type=1)["F value"], anova(apart, type=1)["F value"], rtol=1e-5)
