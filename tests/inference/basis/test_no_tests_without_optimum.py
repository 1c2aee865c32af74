"""
No p-values, statistics and limits where the likelihood has no finite optimum, at every door, with one note.

Estimates and standard errors stay: they are from the point where the search stopped, and the note says so.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from degenerate.operations import OPERATIONS, printed
from mixedmodels.errors import MixedModelError, MixedModelsWarning

NOTE = (
    "the likelihood has no finite optimum. Estimates and standard errors are from the point where the search "
    "stopped"
)
P_VALUES = r"^(p\.value|Pr\(.*)$"
TESTS = (
    r"^(p\.value|Pr\(.*|pvalues|tvalues|df|df2|DenDF|[tFz] value|[tFz]\.ratio|"
    r"(lower|upper)\.CL|conf\..*|.* %)$"
)


def slopes(groups: int, seed: int) -> pd.DataFrame:
    """Two rows a group, so that intercepts and slopes can be as many as the rows."""
    rng = np.random.default_rng(seed)
    n = 2 * groups
    d = pd.DataFrame({"g": np.repeat(np.arange(groups), 2), "x": rng.normal(size=n)})
    d["f"] = np.tile(list("abcd"), groups // 2)
    d["y"] = rng.normal(size=groups)[d.g] + d.x * rng.normal(size=groups)[d.g] + rng.normal(size=n)
    return d.assign(h=np.arange(n) % 3)


def one_shared_level() -> pd.DataFrame:
    rng = np.random.default_rng(51)
    d = pd.DataFrame({"y": rng.normal(size=60), "x": rng.normal(size=60), "g": np.arange(60)})
    d.loc[0, "g"] = 1
    return d


def levels_that_determine() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    d = pd.DataFrame({"g": np.arange(60) % 30, "x": rng.normal(size=60), "f": np.resize(list("abcd"), 60)})
    return d.assign(y=(rng.normal(size=30)[d.g] > 0).astype(int), h=np.arange(60) // 10)


FITS: dict[str, Callable[[], Any]] = {
    "one random effect": lambda: mm.lmer("y ~ x + (1 | g)", one_shared_level()),
    "slopes by REML": lambda: mm.lmer("y ~ f + x + (x | g)", slopes(12, 19)),
    "slopes by ML": lambda: mm.lmer("y ~ f + x + (x | g)", slopes(12, 19), REML=False),
    "binomial": lambda: mm.glmer("y ~ f + x + (1 | g)", levels_that_determine(), "binomial"),
    "binomial with two terms": lambda: mm.glmer(
        "y ~ x + (1 | g) + (1 | h)", levels_that_determine(), "binomial"
    ),
}


@cache
def fit(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return FITS[name]()


def frame_of(result: Any) -> pd.DataFrame:
    found = getattr(result, "coefficients", result)
    found = found.to_frame() if hasattr(found, "to_frame") else found
    if not isinstance(found, pd.DataFrame):
        return pd.DataFrame()
    return found[found["effect"] == "fixed"] if "effect" in found and "level" in found else found


def assert_untested(result: Any) -> bool:
    """Whether the result has tests at all; they are NaN, and the note says why."""
    frame = frame_of(result)
    found = frame.filter(regex=TESTS)
    assert found.isna().all(axis=None), f"tests without an optimum:\n{result}"
    assert "where the covariance matrix of the coefficients is singular" not in str(result)
    if not frame.filter(regex=P_VALUES).shape[1]:
        return False
    # Effect sizes from a table have its notes; a summary and all tables have their own.
    assert sum(NOTE in note for note in result.notes) == 1, result.notes
    return True


@pytest.mark.parametrize("name", FITS)
def test_every_function(name):
    model, tested = fit(name), 0
    assert model.convergence.unbounded
    for operation, function in OPERATIONS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MixedModelsWarning)
            try:
                result = printed(function(model))
            except (MixedModelError, AttributeError):
                continue
        # The df of a conditional AIC count effective parameters; they belong to no test.
        # A likelihood without a maximum still falls to one side: the profile of a coefficient that separates
        # has a finite limit there.
        if operation not in (
            "getME",
            "augment",
            "data",
            "predict rows",
            "cAIC",
            "confint profile",
            "profile",
        ):
            tested += assert_untested(result)
    assert tested > (12 if "binomial" in name else 20)


def doors() -> dict[str, Callable[..., Any]]:
    """Tests that take ddf= and vcov=."""
    return {
        "coef_test": mm.coef_test,
        "summary": lambda m, **o: m.summary(**o),
        "tidy": lambda m, **o: mm.tidy(m, conf_int=True, **o),
        "t_test": lambda m, **o: mm.t_test(m, "x = 0", **o),
        "linear_hypothesis": lambda m, **o: mm.linear_hypothesis(m, "x = 0", **o),
        "conf_int": lambda m, **o: m.conf_int(**o),
        "confint": lambda m, **o: mm.confint(m, **o),
        "emmeans": lambda m, **o: mm.emmeans(m, "~ x", **o).summary(),
        "emtrends": lambda m, **o: mm.emtrends(m, "~ 1", "x", **o).test(),
    }


@pytest.mark.parametrize("door", doors())
@pytest.mark.parametrize("name", FITS)
def test_given_covariance_matrices(name, door):
    model, function = fit(name), doors()[door]
    given: list[dict[str, Any]] = [{"vcov": np.eye(model.rank)}]
    if "binomial" not in name:
        given += [{"ddf": ddf} for ddf in ("satterthwaite", "kenward-roger", "residual", "inf")]
        given += [{"vcov": np.eye(model.rank), "ddf": "residual"}, {"vcov": mm.vcov_cluster(model)}]
    for options in given:
        try:
            result = function(model, **options)
        except TypeError:
            assert "vcov" in options
            continue
        assert_untested(result)


def test_standard_errors_stay():
    for name in FITS:
        model = fit(name)
        own = np.sqrt(np.diag(model.vcov()))
        table = model.summary().coefficients
        np.testing.assert_array_equal(table["Std. Error"], own)
        assert np.isfinite(own).all()
        np.testing.assert_array_equal(mm.tidy(model)["std.error"], own)
        text = str(model.summary())
        assert "do not interpret" in text
    robust = mm.vcov_cluster(fit("one random effect"))
    table = mm.coef_test(fit("one random effect"), vcov=robust)
    np.testing.assert_allclose(table["Std. Error"], np.sqrt(np.diag(robust.covariance)))


@pytest.mark.parametrize("name", ["slopes by ML", "slopes by REML", "binomial"])
def test_the_publication_table_has_neither_stars_nor_limits(name):
    table = mm.model_table(fit(name), show=["p.value", "conf.int"], stars=True)
    cells = table.frame.loc["fixed"].to_numpy().ravel().tolist()
    assert not any("*" in cell for cell in cells)
    assert all("NaN" in cell for cell in cells)
    assert any(NOTE in note for note in table.notes)


# Comparisons of fits of which only one has no optimum


def pair(larger: str, smaller: str, seed: int) -> tuple[Any, Any]:
    data = slopes(8, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return mm.lmer(larger, data, REML=False), mm.lmer(smaller, data, REML=False)


def test_a_smaller_model_without_an_optimum():
    full, reduced = pair("y ~ f + x + (x | g)", "y ~ f + (x | g)", 11)
    assert not full.convergence.unbounded
    assert reduced.convergence.unbounded
    for table in (mm.anova(full, reduced), mm.anova(full, reduced, names=["full", "reduced"])):
        assert table["Pr(>Chisq)"].isna().all()
        assert table["Chisq"].iloc[1] >= 0
    assert table.notes == (
        "No tests with reduced: the likelihood has no finite optimum. Estimates and standard errors are from "
        "the point where the search stopped; do not interpret them",
    )
    table = mm.pb_compare(full, reduced, nsim=3, rng=1)
    assert table["Pr(>statistic)"].isna().all()
    assert list(table.index) == ["LRT", "PBtest", "Bartlett", "Gamma", "F"]
    assert "No tests with the reduced model" in table.notes[0]
    table = mm.drop1(full)
    assert np.isnan(table.loc["x", "Pr(>Chisq)"])
    assert any("No tests of x:" in note for note in table.notes)
    assert full.summary().coefficients["Pr(>|t|)"].notna().all()


def test_terms_are_tested_where_both_fits_have_an_optimum():
    full, reduced = pair("y ~ f + x + (1 | g)", "y ~ f + (1 | g)", 11)
    assert mm.anova(full, reduced)["Pr(>Chisq)"].iloc[1] < 1
    assert mm.drop1(full)["Pr(>Chisq)"].notna().sum() == 2
    # Without the slopes there is an optimum, with them there is none.
    data = slopes(8, 11)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        slope = mm.lmer("y ~ f + (x | g)", data, REML=False)
    table = mm.ranova(slope)
    assert table.filter(like="Pr(").isna().all(axis=None)
    assert np.isfinite(table["LRT"].iloc[1])


def test_another_criterion_without_an_optimum():
    data = slopes(8, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        model = mm.lmer("y ~ f + x + (x | g)", data)
        assert not model.convergence.unbounded
        assert mm.refitML(model).convergence.unbounded
    assert model.summary().coefficients["Pr(>|t|)"].notna().all()
    # Tests of fixed effects by likelihoods need the fit by ML.
    assert mm.drop1(model)["Pr(>Chisq)"].isna().all()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        assert mm.anova(model, model.update(". ~ . - x"))["Pr(>Chisq)"].isna().all()
