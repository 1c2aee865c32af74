"""Predictions where the data of the fit say nothing: NaN with a warning (R's predict gives some number)."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from mixedmodels import augment, emmeans, emtrends, glmer, lmer, load_cbpp, load_sleepstudy
from mixedmodels.errors import EstimabilityWarning
from mixedmodels.interop.marginaleffects import design_matrix, predicted

pytestmark = pytest.mark.filterwarnings(
    "ignore::mixedmodels.errors.SingularFitWarning", "ignore::mixedmodels.errors.RankDeficiencyWarning"
)


def frame():
    """Three by two cells, of which (y, q) is empty, and a covariate."""
    a, b = np.meshgrid(["x", "y", "z"], ["p", "q"])
    d = pd.DataFrame({"a": np.tile(a.ravel(), 6), "b": np.tile(b.ravel(), 6)})
    i = np.arange(len(d))
    d = d.assign(g=(i % 7).astype(str), x=(i + 1) * 7 % 5, y=(i + 1) * 13 % 11, k=(i * 5 + i // 4) % 2)
    return d[(d["a"] != "y") | (d["b"] != "q")]


DATA = frame()
CELLS = pd.DataFrame({"a": list("xyzxyz"), "b": list("pppqqq"), "x": 2.0})


@pytest.mark.parametrize(
    "fixed", ["a * b", "0 + a:b", "a + a:b", "b + a:b", "a * b + x", "a * b * x", "0 + a:b + I(x^2)"]
)
@pytest.mark.parametrize("contrasts", [None, {"a": "sum", "b": "helmert"}])
@pytest.mark.parametrize("kind", ["lmer", "glmer"])
def test_a_cell_without_observations(fixed, contrasts, kind):
    left, fit = ("y", lmer) if kind == "lmer" else ("k", glmer)
    more = {} if kind == "lmer" else {"family": "binomial"}
    model = fit(f"{left} ~ {fixed} + (1 | g)", DATA, contrasts=contrasts, **more)
    with pytest.warns(EstimabilityWarning, match="(a = 'y', b = 'q'|b = 'q', a = 'y')") as caught:
        got = model.predict(CELLS, re_form="~0")
    assert len(caught) == 1
    assert np.isnan(got).tolist() == [False] * 4 + [True, False]
    np.testing.assert_allclose(model.predict(DATA), model.predict(), rtol=1e-9, atol=1e-12)
    if "x" not in fixed:
        means = fit(f"{left} ~ 0 + a:b + (1 | g)", DATA, **more)
        with pytest.warns(EstimabilityWarning):
            np.testing.assert_allclose(got, means.predict(CELLS, re_form="~0"), rtol=1e-6, atol=1e-8)
    with pytest.warns(EstimabilityWarning):
        response = model.predict(CELLS, re_form="~0", type="response")
    assert np.isnan(response).tolist() == np.isnan(got).tolist()


def test_the_other_cells_agree_with_emmeans_of_r():
    # R 4, lme4 and emmeans: y ~ a * b + x + (1 | g), means at the mean of x.
    model = lmer("y ~ a * b + x + (1 | g)", DATA)
    at = CELLS.assign(x=DATA["x"].mean())
    with pytest.warns(EstimabilityWarning):
        got = model.predict(at, re_form="~0")
    np.testing.assert_allclose(got, [4.49, 6.56, 6.61, 5.02, np.nan, 3.49], atol=0.01)
    means = emmeans(model, "~ a * b").to_frame()["emmean"]
    np.testing.assert_allclose(got, means, rtol=1e-10)
    slopes = emtrends(lmer("y ~ a * b * x + (1 | g)", DATA), "~ a * b", "x").to_frame()["x.trend"]
    np.testing.assert_allclose(slopes, [-0.50, 0.00, 1.08, -1.29, np.nan, -0.50], atol=0.01)


def test_nothing_is_said_where_everything_is_determined():
    model = lmer("y ~ a + b + x + (1 | g)", DATA)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(model.predict(CELLS, re_form="~0")).all()
    model = lmer("y ~ a * b + (1 | g)", DATA)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(model.predict(CELLS.drop(index=4), re_form="~0")).all()


def test_an_aliased_covariate():
    data = load_sleepstudy().assign(twice=lambda d: 2 * d["Days"] + 1)
    for fixed in ("Days + twice", "twice + Days", "Days + twice + I(Days^2)"):
        model = lmer(f"Reaction ~ {fixed} + (1 | Subject)", data)
        np.testing.assert_allclose(model.predict(data), model.fitted(), rtol=1e-10)
        new = pd.DataFrame({"Days": [3.0, 3.0, 40.0], "twice": [7.0, 8.0, 81.0]})
        with pytest.warns(EstimabilityWarning, match="NaN in 1 row .*(twice = 8|Days = 3).*dropped column"):
            got = model.predict(new, re_form="~0")
        assert np.isnan(got).tolist() == [False, True, False]
        plain = lmer(f"Reaction ~ {'Days' if '^' not in fixed else 'Days + I(Days^2)'} + (1 | Subject)", data)
        np.testing.assert_allclose(got[[0, 2]], plain.predict(new, re_form="~0")[[0, 2]], rtol=1e-8)


def test_a_nested_factor():
    """Each batch has its own casks: a cask says which batch it is from."""
    data = load_cbpp().assign(
        farm=lambda d: d["herd"].astype(int) % 3, barn=lambda d: d["herd"].astype(int) % 6
    )
    data = data.astype({"farm": str, "barn": str})
    model = lmer("incidence ~ farm + barn + (1 | herd)", data)
    np.testing.assert_allclose(model.predict(data), model.fitted(), rtol=1e-9)
    new = {"farm": ["0", "0", "2"], "barn": ["3", "4", "5"]}
    with pytest.warns(EstimabilityWarning, match="NaN in 1 row"):
        got = model.predict(new, re_form="~0")
    assert np.isnan(got).tolist() == [False, True, False]
    barns = lmer("incidence ~ 0 + barn + (1 | herd)", data)
    np.testing.assert_allclose(got[[0, 2]], barns.predict(new, re_form="~0")[[0, 2]], rtol=1e-8)


def test_nearly_dependent_columns_leave_the_fitting_data_determined():
    data = load_sleepstudy()
    data["near"] = data["Days"] * (1 + 1e-9 * np.sin(np.arange(180.0)))
    model = lmer("Reaction ~ Days + near + (1 | Subject)", data)
    assert len(model.dropped_columns) == 1
    np.testing.assert_allclose(model.predict(data), model.fitted(), rtol=1e-8)
    with pytest.warns(EstimabilityWarning):
        assert np.isnan(model.predict({"Days": [1.0], "near": [2.0]}, re_form="~0")[0])


@pytest.mark.parametrize(
    "options",
    [
        {"weights": "w"},
        {"offset": "w"},
        {"subset": "x > 0"},
        {"na_action": "exclude"},
    ],
)
def test_with_other_arguments(options):
    data = DATA.assign(w=1.0 + DATA["x"], a=pd.Categorical(DATA["a"], ["never", "x", "y", "z"]))
    data.loc[data.index[:2], "y"] = np.nan
    model = lmer("y ~ a * b + (1 | g)", data, **options)
    new = CELLS.assign(w=0.0, g="1")
    with pytest.warns(EstimabilityWarning, match="a = 'y', b = 'q'"):
        got = model.predict(new)
    assert np.isnan(got).tolist() == [False] * 4 + [True, False]
    assert np.isnan(augment(model)[".fixed"]).sum() == 0


def test_rows_with_missing_values_are_no_cells():
    model = lmer("y ~ a * b + (1 | g)", DATA)
    new = pd.DataFrame({"a": ["x", None], "b": ["q", "q"]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(model.predict(new, re_form="~0")).tolist() == [False, True]


def test_many_rows_and_cells_are_named_shortly():
    data = pd.DataFrame(
        {"a": np.repeat([f"a{i}" for i in range(8)], 8), "b": [f"b{i}" for i in range(8)] * 8}
    )
    data = data.assign(g=np.arange(64) % 5, y=0.0)
    seen = pd.concat([data[data["a"].str[1] <= data["b"].str[1]]] * 3, ignore_index=True)
    order = np.arange(len(seen))
    model = lmer("y ~ a * b + (1 | g)", seen.assign(y=np.sin(order * 7.0), g=order % 5))
    with pytest.warns(EstimabilityWarning, match=r"NaN in 28 rows .*; \.\.\. \(28 in all\)") as caught:
        got = model.predict(data, re_form="~0")
    assert np.isnan(got).sum() == 28
    assert len(str(caught[0].message)) < 600


def test_matrices_for_other_packages():
    fitted = lmer("y ~ a * b + (1 | g)", DATA)._fitted
    with pytest.warns(EstimabilityWarning):
        matrix = design_matrix(fitted, CELLS)
    beta = fitted.estimates.beta[fitted.estimates.kept]
    assert np.isnan(predicted(fitted, "response", beta, matrix)).tolist() == [False] * 4 + [True, False]
