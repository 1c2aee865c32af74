"""Models from formulas, which statsmodels' formula engines read."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.formula
from numpy.testing import assert_allclose
from statsmodels.regression.mixed_linear_model import MixedLM as Theirs

from mixedmodels import lmer
from mixedmodels.statsmodels import MixedLM, VCSpec, mixedlm


def data(n=240):
    rng = np.random.default_rng(8)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "g": rng.integers(0, 12, n),
            "h": rng.integers(0, 8, n),
            "k": rng.choice(["red", "green", "blue"], n),
            "flag": rng.random(n) > 0.5,
        }
    )
    nested = rng.normal(size=(12, 3))[frame["g"], pd.factorize(frame["k"])[0]]
    frame["y"] = 1 + frame["x"] * rng.normal(1, 0.5, 12)[frame["g"]] + rng.normal(size=12)[frame["g"]]
    frame["y"] += nested + rng.normal(size=8)[frame["h"]] + rng.normal(size=n)
    frame["both"] = frame["g"].astype(str) + frame["k"]
    frame["one"] = 1
    return frame


@pytest.fixture(params=["patsy", "formulaic"])
def engine(request):
    options = statsmodels.formula.options
    before = options.formula_engine
    options.formula_engine = request.param
    yield request.param
    options.formula_engine = before


def same(result, ours):
    assert_allclose(result.fe_params, ours.fixef(), rtol=1e-6)
    assert_allclose(result.llf, ours.logLik(), rtol=1e-10)
    assert_allclose(result.scale, ours.sigma**2, rtol=1e-5)


def test_correlated_coefficients(engine):
    result = mixedlm("y ~ C(k) + x", data(), groups="g", re_formula="~x").fit()
    same(result, lmer("y ~ k + x + (x | g)", data()))


def test_components_within_groups(engine):
    result = mixedlm("y ~ x", data(), groups="g", re_formula="1", vc_formula={"k": "0 + k"}).fit()
    same(result, lmer("y ~ x + (1 | g) + (1 | both)", data()))


def test_components_of_one_group_are_crossed_factors(engine):
    components = {"g": "0 + C(g)", "h": "0 + C(h)"}
    result = mixedlm("y ~ x", data(), groups="one", vc_formula=components).fit(reml=False)
    ours = lmer("y ~ x + (1 | g) + (1 | h)", data(), REML=False)
    same(result, ours)
    assert_allclose(np.sqrt(result.vcomp / result.scale), ours.getME("theta"), rtol=1e-5)


FORMULAS = ["1", "0 + x", "0 + k", "~ 0 + C(h)", "0 + C(h) + x", "0 + flag", "0 + k:x", "k", "0 + np.exp(x)"]


@pytest.mark.parametrize("formula", FORMULAS)
def test_components_are_those_of_statsmodels(formula, engine):
    arguments = {"groups": "g", "vc_formula": {"b": formula, "a": "0 + C(h)"}, "data": data()}
    ours, theirs = (cls.from_formula("y ~ x", **arguments).exog_vc for cls in (MixedLM, Theirs))
    assert isinstance(ours, VCSpec)
    assert ours.names == theirs.names == ["a", "b"]
    assert ours.colnames == theirs.colnames
    for own, other in zip(ours.mats, theirs.mats, strict=True):
        for one, two in zip(own, other, strict=True):
            assert_allclose(one, two)


def test_functions_of_the_caller(engine):
    def double(values):
        return 2 * values

    model = mixedlm("y ~ double(x)", data(), groups="g", vc_formula={"a": "0 + double(x)"})
    assert model.exog_names == ["Intercept", "double(x)"]
    assert_allclose(model.exog[:, 1], 2 * data()["x"])
    given = MixedLM.from_formula("y ~ f(x)", data(), groups="g", eval_env={"f": double})
    assert_allclose(given.exog, model.exog)
    with pytest.raises(Exception, match="double"):
        MixedLM.from_formula("y ~ double(x)", data(), groups="g", eval_env=-1)


def test_variables_of_the_caller_do_not_hide_functions_of_formulas(engine):
    C = 3.0
    assert len(mixedlm("y ~ C(k)", data(), groups="g").exog_names) == 3
    assert C == 3.0


def test_subsets_are_used():
    frame = data()
    mask = frame["x"] > 0
    whole = mixedlm("y ~ x", frame[mask], groups="g").fit()
    for subset in (mask, mask.to_numpy(), frame.index[mask], mask.iloc[::-1]):
        model = mixedlm("y ~ x", frame, groups="g", subset=subset)
        assert model.nobs == mask.sum()
        assert_allclose(model.fit().params, whole.params)
    by_values = mixedlm("y ~ x", frame, groups=frame["g"], subset=mask)
    assert_allclose(by_values.fit().llf, whole.llf)
    with pytest.raises(ValueError, match="10 truth values, but data has 240 rows"):
        mixedlm("y ~ x", frame, groups="g", subset=mask.to_numpy()[:10])
    with pytest.raises(ValueError, match="999 is not in the index"):
        mixedlm("y ~ x", frame, groups="g", subset=[0, 999])


def test_an_index_may_repeat_itself():
    frame = data().set_index(np.zeros(240, dtype=int))
    arguments = {"groups": "g", "vc_formula": {"k": "0 + k"}}
    assert_allclose(
        mixedlm("y ~ x", frame, **arguments).fit().params, mixedlm("y ~ x", data(), **arguments).fit().params
    )


def test_polars_and_dictionaries():
    expected = mixedlm("y ~ x", data(), groups="g", re_formula="~x").fit()
    for own in (pl.from_pandas(data()), data().to_dict("list")):
        assert_allclose(mixedlm("y ~ x", own, groups="g", re_formula="~x").fit().params, expected.params)


@pytest.mark.parametrize("column", ["y", "x", "g", "k", "h"])
def test_missing_values_of_any_formula(column):
    frame = data()
    frame.loc[7, column] = None
    arguments = {"groups": "g", "re_formula": "~x", "vc_formula": {"k": "0 + k", "h": "0 + C(h)"}}
    with pytest.raises(ValueError, match=f"'{column}'" if column != "g" else "groups"):
        mixedlm("y ~ x", frame, **arguments)
    model = mixedlm("y ~ x", frame, missing="drop", **arguments)
    assert model.nobs == 239
    assert_allclose(model.fit().llf, mixedlm("y ~ x", data().drop(index=7), **arguments).fit().llf)
    assert 7 not in model.rows_used


def test_missing_values_elsewhere_do_not_matter():
    frame = data()
    frame["z"] = np.nan
    assert mixedlm("y ~ x", frame, groups="g", missing="drop").nobs == 240


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({}, TypeError, "needs groups"),
        ({"groups": "nobody"}, KeyError, "no column 'nobody'"),
        ({"groups": ["g", "h"]}, ValueError, "for factors within groups use vc_formula"),
        ({"groups": "g", "formula": "flag ~ x"}, ValueError, "labels and truth values become a column each"),
        ({"groups": "g", "formula": "~ x"}, ValueError, "no response"),
        ({"groups": "g", "re_formula": 3}, TypeError, "must be a string"),
    ],
)
def test_arguments_that_do_not_fit(arguments, error, match):
    with pytest.raises(error, match=match):
        mixedlm(**{"formula": "y ~ x", "data": data(), **arguments})


@pytest.mark.parametrize("groups", ["g", "one"])
@pytest.mark.parametrize("formula", ["0 + C(level)", "0 + level"])
def test_unused_levels_of_a_categorical_have_effects_of_zero(groups, formula):
    """In the order of the levels, and for each group, as there."""
    frame = data().assign(one=1)
    text = np.array(["b", "a", "c"])[np.arange(len(frame)) % 3]
    frame["level"] = pd.Categorical(text, categories=["c", "unused", "b", "a"])
    options = {"groups": groups, "vc_formula": {"part": formula}}
    ours = mixedlm("y ~ x", frame, **options).fit()
    plain = mixedlm("y ~ x", frame.assign(level=text), **options).fit()
    assert_allclose(ours.llf, plain.llf)
    name = formula.removeprefix("0 + ")
    for group, effects in ours.random_effects.items():
        assert list(effects.index) == [f"part[{name}[{level}]]" for level in ("c", "unused", "b", "a")]
        assert effects.iloc[1] == 0.0
        assert_allclose(
            effects.drop(effects.index[1])[plain.random_effects[group].index], plain.random_effects[group]
        )


def test_levels_that_a_group_lacks_are_zero():
    frame = data()
    frame["level"] = pd.Categorical(np.where(frame["g"] == frame["g"].iloc[0], "a", "b"))
    frame.loc[frame.index[::2], "level"] = "a"
    cells = frame["g"].astype(str) + frame["level"].astype(str)
    frame["y"] += 3 * np.random.default_rng(2).normal(size=2 * len(frame))[pd.factorize(cells)[0]]
    result = mixedlm("y ~ x", frame, groups="g", re_formula="1", vc_formula={"part": "0 + level"}).fit()
    effects = result.random_effects[frame["g"].iloc[0]]
    assert list(effects.index) == ["g", "part[level[a]]", "part[level[b]]"]
    assert effects.iloc[2] == 0.0
    assert effects.iloc[1] != 0.0
