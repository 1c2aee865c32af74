"""Case deletion against fits of the other rows, and in its edge cases."""

from __future__ import annotations

import contextlib
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import polars as pl
import pytest

import mixedmodels as mm
from mixedmodels.case_deletion import deletion
from mixedmodels.errors import ArgumentError, MissingColumnError
from mixedmodels.fit import wide_sets
from shared_fits import fits

pytestmark = pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(8)
    n = 240
    g, h = rng.integers(0, 12, n), rng.integers(0, 9, n)
    x = rng.normal(size=n)
    eta = 0.4 + 0.5 * x + rng.normal(size=12)[g] * 0.7 + rng.normal(size=9)[h] * 0.4
    return pd.DataFrame(
        {
            "y": eta + rng.normal(size=n),
            "count": rng.poisson(np.exp(eta)),
            "x": x,
            "big": 1e4 + 1e3 * rng.normal(size=n),
            "g": [f"g{v}" for v in g],
            "h": [f"h{v}" for v in h],
            "site": np.where(rng.random(n) < 0.3, "north", "south"),
            "w": rng.uniform(0.5, 2.0, n),
            "o": rng.normal(size=n),
        }
    )


FORMULAS = [
    "y ~ x + (1 | g)",
    "y ~ x + (x | g)",
    "y ~ x + (1 | g) + (1 | h)",
    "y ~ x + cs(x | g) + (1 | h)",
    "y ~ 1 + (1 | g)",
]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("groups", ["g", "site"])
def test_exact_deletion_is_a_fit_of_the_other_rows(data, formula, groups):
    weights, offset = data["w"], data["o"]
    model = mm.lmer(formula, data, weights=weights, offset=offset)
    found = model.influence(groups=groups)
    for level in list(found.cooks_distance.index)[:3]:
        chosen = (data[groups] == level).to_numpy()
        rest = mm.lmer(formula, data[~chosen], weights=weights[~chosen], offset=offset[~chosen])
        error = np.sqrt(np.diag(rest.vcov()))
        gap = found.dfbeta.loc[level] - (rest.fixef() - model.fixef())
        assert (np.abs(gap / error) < 1e-4).all()
        assert found.sigma[level] == pytest.approx(rest.sigma, rel=1e-4)
        d = (rest.fixef() - model.fixef()).to_numpy()
        full, deleted = model.vcov().to_numpy(), rest.vcov().to_numpy()
        p = len(d)
        expected = {
            "cooks_distance": d @ np.linalg.solve(full, d) / p,
            "mdffits": d @ np.linalg.solve(deleted, d) / p,
            "covtrace": abs(np.trace(np.linalg.solve(full, deleted)) - p),
            "covratio": np.linalg.det(deleted) / np.linalg.det(full),
        }
        for name, value in expected.items():
            assert getattr(found, name)[level] == pytest.approx(value, rel=1e-3, abs=1e-5), name
        assert found.n_rows[level] == chosen.sum()


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("groups", ["g", "site", None])
def test_one_step_is_exact_with_theta_held(data, formula, reml, groups):
    options = {"weights": data["w"], "offset": data["o"]}
    model = mm.lmer(formula, data, REML=reml, **options)
    found = model.influence(groups=groups, method="one-step")
    theta = model._fitted.estimates.theta
    for at in (0, 1, len(found.cooks_distance) - 1):
        level = found.cooks_distance.index[at]
        chosen = np.arange(len(data)) == at if groups is None else (data[groups] == level).to_numpy()
        rest = mm.lmer(formula, data[~chosen], REML=reml, **{k: v[~chosen] for k, v in options.items()})
        state = rest._fitted.engine.evaluate(theta, reml)
        error = state["sigma"] * np.sqrt(np.diag(state["xtvx_inv"]))
        gap = found.dfbeta.iloc[at] - (state["beta"] - model.fixef().to_numpy())
        assert (np.abs(gap) < 1e-8 * error).all()
        assert found.sigma.iloc[at] == pytest.approx(state["sigma"], rel=1e-8)
        np.testing.assert_allclose(found.dfbetas.iloc[at], found.dfbeta.iloc[at] / error, rtol=1e-7)


def test_rows_of_a_model_without_random_effects_are_those_of_lm(data):
    rng = np.random.default_rng(1)
    flat = pd.DataFrame({"x": rng.normal(size=60), "g": np.resize(list("abcdef"), 60)})
    residual = rng.normal(size=60)
    residual -= pd.Series(residual).groupby(flat["g"]).transform("mean").to_numpy()
    flat["y"] = 1 + flat["x"] + residual
    model = mm.lmer("y ~ x + (1 | g)", flat)
    assert model.is_singular()
    x = np.column_stack([np.ones(60), flat["x"]])
    hat = np.einsum("ij,jk,ik->i", x, np.linalg.inv(x.T @ x), x)
    e = flat["y"] - x @ np.linalg.lstsq(x, flat["y"], rcond=None)[0]
    s2 = (e**2).sum() / 58
    deleted = np.sqrt(((e**2).sum() - e**2 / (1 - hat)) / 57)
    np.testing.assert_allclose(model.hatvalues(), hat, rtol=1e-8)
    np.testing.assert_allclose(model.rstandard(), e / np.sqrt(s2 * (1 - hat)), rtol=1e-7)
    np.testing.assert_allclose(model.rstudent(), e / deleted / np.sqrt(1 - hat), rtol=1e-7)
    np.testing.assert_allclose(model.cooks_distance(), e**2 * hat / (2 * s2 * (1 - hat) ** 2), rtol=1e-7)
    step = model.influence(method="one-step")
    np.testing.assert_allclose(step.cooks_distance, model.cooks_distance(), rtol=1e-6)
    np.testing.assert_allclose(step.rstudent, model.rstudent(), rtol=1e-8)
    np.testing.assert_allclose(step.dffits, model.rstudent() * np.sqrt(hat / (1 - hat)), rtol=1e-7)


@pytest.mark.parametrize("family", ["poisson", "nbinom2"])
def test_generalized_models(data, family):
    model = mm.glmer("count ~ x + (1 | g)", data, family)
    found = model.influence(groups="g")
    step = model.influence(groups="g", method="one-step")
    level = found.cooks_distance.index[0]
    rest = mm.glmer("count ~ x + (1 | g)", data[data["g"] != level], family)
    error = np.sqrt(np.diag(rest.vcov()))
    assert (np.abs(found.dfbeta.loc[level] - (rest.fixef() - model.fixef())) < 1e-3 * error).all()
    assert np.isfinite(found.to_frame().to_numpy(dtype=float)).all()
    # The step leaves the variances where they are.
    assert np.corrcoef(step.dfbeta["x"], found.dfbeta["x"])[0, 1] > 0.95
    rows = model.influence(method="one-step")
    assert np.isfinite(rows.to_frame().to_numpy(dtype=float)).all()


@pytest.mark.parametrize("what", ["row", "level"])
def test_coefficients_that_the_other_rows_do_not_determine_are_nan(data, what):
    """Whatever the coding: a level of a factor of the fixed part, and the only row with a value."""
    chosen = {"a": np.arange(len(data)) % 3 == 0} if what == "level" else {"a": [11]}
    flag = np.where(np.arange(len(data)) % 3 == 0, "p", np.where(np.arange(len(data)) % 3 == 1, "q", "r"))
    marked = data.assign(f=flag, only=(np.arange(len(data)) == 11).astype(float))
    for base in ("p", "q"):
        formula = "y ~ x + f + (1 | g)" if what == "level" else "y ~ x + only + (1 | g)"
        marked["f"] = pd.Categorical(flag, categories=[base, *sorted(set("pqr") - {base})])
        changed = mm.lmer(formula, marked).influence(groups=chosen).dfbeta.loc["a"]
        lost = {"row": ["only"], "level": ["(Intercept)", "f[T.q]", "f[T.r]"]}[what]
        if base == "q" and what == "level":
            lost = ["f[T.p]"]
        assert list(changed.index[changed.isna()]) == lost


def test_a_row_that_determines_its_fitted_value_has_no_measures(data):
    marked = data.assign(only=(np.arange(len(data)) == 11).astype(float))
    for model in (
        mm.lmer("y ~ x + only + (1 | g)", marked),
        mm.glmer("count ~ x + only + (1 | g)", marked.assign(count=marked["count"] + 1), "poisson"),
    ):
        assert model.hatvalues()[11] == pytest.approx(1.0)
        assert np.isnan(model.cooks_distance()[11])
        for values in (model.rstandard(), model.rstudent()):
            assert np.isnan(values[11])
            assert np.isnan(values).sum() == 1
        assert 11 not in model.check_outliers().table["row"].tolist()


@pytest.mark.parametrize(
    ("family", "link", "response"),
    [
        ("binomial", "cloglog", "b"),
        ("binomial", "probit", "b"),
        ("beta", "logit", "p"),
        ("gamma", "log", "a"),
        ("inverse_gaussian", "log", "a"),
    ],
)
def test_ratios_of_one_step_compare_covariances_of_one_kind(data, family, link, response):
    rng = np.random.default_rng(4)
    mean = 1 / (1 + np.exp(-data["y"] / 2))
    own = data.assign(b=(rng.random(len(data)) < mean).astype(int), p=rng.beta(4 * mean, 4 * (1 - mean)))
    own = own.assign(a=rng.gamma(2.0, np.exp(own["x"] / 2)), w=np.where(np.arange(len(own)) == 7, 1e-9, 1.0))
    weights = None if family == "binomial" else "w"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mm.MixedModelsWarning)
        model = mm.glmer(f"{response} ~ x + (1 | g)", own, family, link, weights=weights)
    found = model.influence(method="one-step")
    if weights:
        nothing = found.to_frame().iloc[7]
        np.testing.assert_allclose(nothing[["covratio", "covtrace", "cooksd"]], [1, 0, 0], atol=1e-6)
    assert found.covratio.median() == pytest.approx(model.influence().covratio.median(), abs=0.01)


def test_one_level_that_is_left_is_no_fit(data):
    model = mm.lmer("y ~ x + (1 | g)", data)
    found = model.influence(groups={"all but one": (data["g"] != "g3").to_numpy(), "some": [1, 2]})
    assert found.messages.tolist() == ["one level of g is left", ""]
    assert np.isnan(found.cooks_distance.iloc[0])
    assert np.isfinite(found.cooks_distance.iloc[1])


def test_without_coefficients_the_variances_are_shown(data):
    model = mm.lmer("y ~ 0 + (1 | g)", data)
    for found in (model.influence(groups="g"), model.influence()):
        text = str(found)
        assert "largest changes of variances" in text
        assert "No coefficients are estimated" in text
        assert "rvc.Residual" in text
        assert "cooksd" not in text


def test_rows_of_data_without_an_index_have_their_positions(data):
    gaps = data.assign(y=data["y"].where(np.arange(len(data)) != 2))
    model = mm.lmer("y ~ x + (1 | g)", pl.from_pandas(gaps), subset="x > -1")
    used = np.flatnonzero((np.arange(len(data)) != 2) & (data["x"] > -1))
    for labels in (
        model.cooks_distance().index,
        model.influence().cooks_distance.index,
        model.hatvalues(split=True).index,
        model.quantile_residuals(60, rng=1).to_frame().index,
    ):
        assert labels.tolist() == used.tolist()
    assert set(model.check_outliers().table["row"]) <= set(used.tolist())


def test_rows_that_were_not_used_are_nan(data):
    gaps = data.assign(y=data["y"].where(np.arange(len(data)) % 50 != 7))
    gaps.index = [f"row {i}" for i in range(len(data))]
    kept = mm.lmer("y ~ x + (1 | g)", gaps, na_action="exclude")
    short = mm.lmer("y ~ x + (1 | g)", gaps)
    for method in ("exact", "one-step"):
        own, other = kept.influence(method=method), short.influence(method=method)
        assert len(own.cooks_distance) == len(data)
        assert own.cooks_distance.isna().sum() == data["y"].size - short.nobs
        assert list(own.cooks_distance.index) == list(gaps.index)
        pd.testing.assert_frame_equal(own.to_frame().loc[other.cooks_distance.index], other.to_frame())
    assert kept.cooks_distance().isna().sum() == kept.hatvalues(split=True)["fixed"].isna().sum() == 5


def test_a_level_that_alone_determines_a_column(data):
    alone = data.assign(special=(data["g"] == "g3").astype(float))
    model = mm.lmer("y ~ x + special + (1 | h)", alone)
    for method in ("exact", "one-step"):
        found = model.influence(groups="g", method=method)
        assert np.isnan(found.dfbeta.loc["g3", "special"])
        assert found.dfbeta.drop("g3").notna().all().all()
        assert np.isnan(found.cooks_distance["g3"])
        assert "g3" in str(found)
    assert np.isfinite(model.influence(groups="g").dfbeta.loc["g3", "x"])


def test_held_parameters_stay(data):
    fixed = {"sigma": 1.0, "x": 0.5}
    model = mm.lmer("y ~ x + (1 | g)", data, fixed=fixed)
    for method in ("exact", "one-step"):
        found = model.influence(groups="g", method=method)
        assert found.names == ("(Intercept)",)
        np.testing.assert_allclose(found.sigma, 1.0)
        assert found.cooks_distance.notna().all()


def test_sets_of_rows(data):
    model = mm.lmer("y ~ x + (1 | g)", data)
    mask = (data["site"] == "north").to_numpy()
    sets = {"north": mask, "the same": np.flatnonzero(mask), "first": [0, 1, 2]}
    found = model.influence(groups=sets)
    by_site = model.influence(groups="site")
    assert found.cooks_distance["north"] == found.cooks_distance["the same"]
    assert found.cooks_distance["north"] == pytest.approx(by_site.cooks_distance["north"], rel=1e-12)
    labels = model.influence(groups=data["site"])
    np.testing.assert_array_equal(labels.cooks_distance, by_site.cooks_distance)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ("one", "one level"),
        ({"a": [0, 900]}, "between 0 and"),
        ({"a": [0.5]}, "positions"),
        ({"a": range(240)}, "none are left"),
        ({}, "no sets"),
        ([1, 2], "label for each"),
        (5, "must name a factor or a column, or hold a label for each row, not 5"),
        ([[0, 1, 2], range(5, 10)], "not a list of lists"),
    ],
)
def test_bad_groups(data, groups, message):
    model = mm.lmer("y ~ x + (1 | g)", data.assign(one="same"))
    with pytest.raises(ArgumentError, match=message):
        model.influence(groups=groups)


def test_bad_arguments(data):
    model = mm.lmer("y ~ x + (1 | g)", data)
    with pytest.raises(MissingColumnError):
        model.influence(groups="nowhere")
    with pytest.raises(ArgumentError, match="groups='g'"):
        model.influence("g")
    with pytest.raises(ArgumentError, match="rows"):
        model.influence(data.head(10))
    with pytest.raises(ArgumentError, match="column 'x' of data has other values"):
        model.influence(data.assign(x=data["x"] + 1))
    with pytest.raises(ArgumentError, match="column 'g' of data has other values"):
        model.influence(data.assign(g=data["g"].to_numpy()[::-1]))
    with pytest.raises(ArgumentError, match="method"):
        model.influence(method="fast")
    with pytest.raises(ArgumentError, match="single rows"):
        _ = model.influence(groups="g").dffits


def test_the_data_of_the_fit_are_taken_in_any_form(data):
    gaps = data.assign(y=data["y"].where(np.arange(len(data)) != 2))
    model = mm.lmer("y ~ x + (1 | g)", gaps)
    wanted = model.cooks_distance()
    for own in (gaps, pl.from_pandas(gaps), gaps.assign(g=gaps["g"].astype("category")), gaps.dropna()):
        np.testing.assert_array_equal(model.cooks_distance(own), wanted)


def test_executors_and_progress_change_nothing(data):
    model = mm.glmer("count ~ x + (1 | g)", data, "poisson")
    told = []
    with ThreadPoolExecutor(2) as executor:
        other = model.influence(groups="g", executor=executor, progress=lambda d, n: told.append((d, n)))
    pd.testing.assert_frame_equal(other.to_frame(), model.influence(groups="g").to_frame())
    assert told[-1] == (12, 12)


def test_the_data_of_the_fit_may_be_given():
    model, data = fits("sleepstudy"), mm.load_sleepstudy()
    found = mm.influence(model, data)
    assert len(found.cooks_distance) == 180
    assert mm.cooks_distance(model, data).max() == pytest.approx(4.332, abs=1e-3)


def test_deletions_after_which_the_residual_variance_vanishes_are_named():
    rng = np.random.default_rng(3)
    codes = np.append(np.arange(14), [0, 1])
    data = pd.DataFrame({"g": [f"g{i:02d}" for i in codes], "x": rng.normal(size=16)})
    data["y"] = data["x"] + 8.0 * rng.normal(size=14)[codes] + 0.1 * rng.normal(size=16)
    model = mm.lmer("y ~ x + (1 | g)", data)
    found = model.influence()
    for row, message in found.messages.items():
        with pytest.warns() if message else contextlib.nullcontext():
            rest = mm.lmer("y ~ x + (1 | g)", data.drop(index=row))
        assert rest.convergence.converged == (message == "")
        assert message == "" or "residual variance tends to zero" in message
    assert 0 < (found.messages != "").sum() < 16
    assert "3 deletions did not converge: 0, 1, 14; see messages" in str(found)
    both = model.influence(groups={"a": [0, 1], "b": [2, 3]})
    assert "as many levels" in both.messages["a"]
    assert both.messages["b"] == ""


def test_a_factor_called_rows_has_levels(data):
    named = data.rename(columns={"g": "rows"})
    model, other = mm.lmer("y ~ x + (1 | rows)", named), mm.lmer("y ~ x + (1 | g)", data)
    for method in ("exact", "one-step"):
        found = model.influence(groups="rows", method=method)
        expected = other.influence(groups="g", method=method)
        np.testing.assert_array_equal(found.to_frame(), expected.to_frame())
        assert "the levels of rows" in str(found)
    labels = other.influence(groups=data["g"].rename("rows"), method="one-step")
    np.testing.assert_array_equal(labels.cooks_distance, expected.cooks_distance)


def test_figures_show_the_measures(data):
    model = mm.lmer("y ~ x + (1 | g)", data)
    levels, rows = model.influence(groups="g", method="one-step"), model.influence(method="one-step")

    def stems(ax):
        return np.array([s for c in ax.collections if hasattr(c, "get_segments") for s in c.get_segments()])

    drawn = levels.plot(measure="covratio")
    np.testing.assert_allclose(stems(drawn)[:, 0, 1], 1.0)
    np.testing.assert_allclose(stems(drawn)[:, 1, 1], levels.covratio)
    assert [label.get_text() for label in drawn.get_xticklabels()] == list(levels.covratio.index)
    assert (drawn.get_xlabel(), drawn.get_ylabel()) == ("g", "COVRATIO")
    ax = rows.plot(kind="bubble")
    circles = max(ax.collections, key=lambda c: len(c.get_offsets()))
    order = np.argsort(-rows.cooks_distance.to_numpy(), kind="stable")
    np.testing.assert_allclose(circles.get_offsets()[:, 0], rows.leverage.iloc[order])
    np.testing.assert_allclose(circles.get_offsets()[:, 1], rows.rstudent.iloc[order])
    assert rows.plot(drawn) is drawn
    with pytest.raises(ArgumentError, match="single rows"):
        levels.plot(kind="bubble")
    with pytest.raises(ArgumentError, match="plot: kind"):
        levels.plot(kind="bubbles")
    # Without fixed effects there are no distances, nothing is named, and the figure says so.
    empty = mm.lmer("y ~ 0 + (1 | g)", data).influence(method="one-step")
    assert empty.cooks_distance.isna().all()
    assert [text.get_text() for text in empty.plot().texts] == ["no row has a value of Cook's distance"]


def test_optima_from_shared_points_are_those_of_refits(monkeypatch):
    rng = np.random.default_rng(7)
    n, sizes = 3000, (60, 40)
    g, h = rng.integers(0, sizes[0], n), rng.integers(0, sizes[1], n)
    x = rng.normal(size=n)
    y = x + rng.normal(size=60)[g] * 0.6 + rng.normal(size=40)[h] * 0.4 + rng.normal(size=n)
    # One level moves the optimum further than the points reach, and is fitted.
    y[g == 0] += 6.0
    large = pd.DataFrame({"y": y, "x": x, "g": g.astype(str), "h": h.astype(str)})
    model = mm.lmer("y ~ x + (1 | g) + (1 | h)", large)
    refits = model.influence(groups="g")
    left = []
    by_refits = deletion._by_refits
    monkeypatch.setattr(deletion, "_PATIENCE", 0.0)
    monkeypatch.setattr(
        deletion, "_by_refits", lambda f, s, *rest: left.append(len(s)) or by_refits(f, s, *rest)
    )
    told = []
    found = model.influence(groups="g", progress=lambda *step: told.append(step))
    assert left == [1]
    assert told[:6] == [(10, 60), (20, 60), (30, 60), (40, 60), (50, 60), (60, 60)]
    error = np.sqrt(np.diag(model.vcov()))
    assert (np.abs(found.dfbeta - refits.dfbeta) < 1e-3 * error).to_numpy().all()
    np.testing.assert_allclose(found.sigma, refits.sigma, rtol=1e-4)
    np.testing.assert_allclose(found.covratio, refits.covratio, rtol=2e-3)
    np.testing.assert_allclose(found.variance_change, refits.variance_change, atol=3e-3)
    np.testing.assert_allclose(found.cooks_distance, refits.cooks_distance, rtol=1e-2, atol=1e-5)


@pytest.mark.parametrize("method", ["exact", "one-step"])
def test_progress_is_checked_by_every_method(method):
    with pytest.raises(ArgumentError, match="progress must be"):
        fits("sleepstudy").influence(method=method, progress="yes")


@pytest.mark.parametrize("formula", FORMULAS)
def test_sets_that_touch_many_levels_have_the_same_estimates(data, formula, monkeypatch):
    alone = data.assign(special=(data["site"] == "north") * data["x"])
    model = mm.lmer(formula.replace("~ x", "~ x + special"), alone, weights=data["w"], offset=data["o"])
    for groups in ("site", "g"):
        closed = model.influence(groups=groups, method="one-step")
        with monkeypatch.context() as patch:
            patch.setattr(wide_sets, "_LARGEST", 20)
            wide = model.influence(groups=groups, method="one-step")
        np.testing.assert_allclose(wide.to_frame(), closed.to_frame(), rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(wide.sigma, closed.sigma, rtol=1e-9)
