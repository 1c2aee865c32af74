"""Standard errors of predictions against dense textbook algebra, and what must not change them."""

from __future__ import annotations

import dataclasses
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import mixedmodels as mm
from mixedmodels.design.theta import factors
from mixedmodels.errors import ArgumentError, EstimabilityWarning, MixedModelsWarning, UndeterminedWarning
from shared_fits import fits


def fitted_quietly(fit: Any, *args: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return fit(*args, **options)


def crossed(n: int = 150, seed: int = 1) -> pd.DataFrame:
    """Subjects and items of which not every pair was observed, items nested in lists, and a slope."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"s": rng.integers(0, 12, n), "i": rng.integers(0, 15, n), "x": rng.normal(size=n)})
    data = data[(data.s + data.i) % 3 != 0].reset_index(drop=True)
    b = rng.normal(size=(12, 2)) * [1.0, 0.5]
    eta = 0.5 + 0.3 * data.x + b[data.s, 0] + b[data.s, 1] * data.x + rng.normal(size=15)[data.i] * 0.7
    data["y"] = eta + rng.normal(size=len(data))
    data["count"] = rng.poisson(np.exp(eta / 2))
    data["w"] = rng.uniform(0.5, 2.0, len(data))
    data["list"] = "l" + (data.i // 4).astype(str)
    return data.assign(s="s" + data.s.astype(str), i="i" + data.i.astype(str))


def dense_variances(model: Any, new: pd.DataFrame) -> np.ndarray:
    """c'Cc with the inverse of the whole joint matrix; z'Gz for new levels."""
    fitted = model._fitted
    design, estimates = fitted.design, fitted.estimates
    weights = fitted.prior_weights
    if not fitted.exact_likelihood:
        weights = weights * fitted.family.expected_information(fitted.linear_predictor, fitted.dispersion)
    columns, starts = [design.x[:, estimates.kept]], []
    lambdas = factors(design, estimates.theta)
    first = len(estimates.kept)
    for term, factor in zip(design.terms, lambdas, strict=True):
        starts.append(first)
        levels, k = len(term.group.levels), len(factor)
        z = np.zeros((fitted.n_obs, levels, k))
        z[np.arange(fitted.n_obs), term.group.codes] = term.z @ factor
        columns.append(z.reshape(fitted.n_obs, -1))
        first += levels * k
    stacked = np.hstack(columns)
    joint = stacked.T @ (weights[:, None] * stacked)
    joint[np.arange(len(estimates.kept), first), np.arange(len(estimates.kept), first)] += 1.0
    inverse = fitted.scale**2 * np.linalg.inv(joint)
    c = np.zeros((len(new), first))
    c[:, : len(estimates.kept)] = design.recipe.new_x(new)[:, estimates.kept]
    extra = np.zeros(len(new))
    for start, factor, part in zip(starts, lambdas, design.recipe.new_random(new, True), strict=True):
        u, k = part.z @ factor, len(factor)
        for row, code in enumerate(part.codes):
            if code < 0:
                extra[row] += fitted.scale**2 * u[row] @ u[row]
            else:
                c[row, start + code * k : start + (code + 1) * k] += u[row]
    return np.einsum("ij,jk,ik->i", c, inverse, c) + extra


NEW = pd.DataFrame(
    {
        "s": ["s0", "s0", "s1", "s3", "new", "s5", "new"],
        "i": ["i0", "i1", "i2", "i3", "i4", "new", "new"],
        "list": ["l0", "l0", "l0", "l0", "l1", "l1", "other"],
        "x": [0.0, 1.0, -2.0, 3.0, 0.5, 1.0, 1.0],
    }
)
LINEAR = [
    "y ~ x + (x | s)",
    "y ~ x + (x | s) + (1 | i)",
    "y ~ x + (1 | s) + (x | i) + (1 | list)",
    "y ~ x + (x || s) + (1 | list/i)",
    "y ~ 0 + (1 | s) + (1 | i)",
    "y ~ x + (0 + x | s) + (1 | s) + (1 | i)",
    "y ~ x + diag(x | s) + (1 | i)",
]


@pytest.mark.parametrize("formula", LINEAR)
@pytest.mark.parametrize("weights", [None, "w"])
def test_linear_models_against_dense_algebra(formula, weights):
    model = fitted_quietly(mm.lmer, formula, crossed(), weights=weights)
    out = model.predict(NEW, allow_new_levels=True, se_fit=True)
    np.testing.assert_allclose(out["se_fit"] ** 2, dense_variances(model, NEW), rtol=1e-7, atol=1e-12)
    np.testing.assert_allclose(out["fit"], model.predict(NEW, allow_new_levels=True), rtol=1e-12)


@pytest.mark.parametrize("formula", [f.replace("y ~", "count ~") for f in LINEAR])
def test_generalized_models_against_dense_algebra(formula):
    model = fitted_quietly(mm.glmer, formula, crossed(), "poisson")
    out = model.predict(NEW, allow_new_levels=True, se_fit=True)
    np.testing.assert_allclose(out["se_fit"] ** 2, dense_variances(model, NEW), rtol=1e-6, atol=1e-12)


def test_a_level_alone_and_among_many_rows_has_one_standard_error():
    """Columns are solved for by the pairs in the data: which other rows there are must not matter."""
    model = fitted_quietly(mm.lmer, "y ~ x + (x | s) + (1 | i) + (1 | list)", crossed())
    every = pd.MultiIndex.from_product(
        [[f"s{j}" for j in range(12)], [f"i{j}" for j in range(15)], ["l0", "l3"]], names=["s", "i", "list"]
    ).to_frame(index=False)
    every["x"] = np.linspace(-1, 1, len(every))
    together = model.predict(every, se_fit=True)["se_fit"]
    for row in (0, 77, len(every) - 1):
        alone = model.predict(every.iloc[[row]], se_fit=True)["se_fit"]
        assert alone.iloc[0] == pytest.approx(together[row], rel=1e-10)


def test_the_rows_of_the_fit_as_new_data():
    model = fits("penicillin")
    np.testing.assert_allclose(
        model.predict(se_fit=True)["se_fit"], model.predict(model.data, se_fit=True)["se_fit"], rtol=1e-12
    )


def test_a_subset_of_the_terms():
    model = fitted_quietly(mm.lmer, "y ~ x + (x | s) + (1 | i)", crossed())
    item = model.predict(NEW, "~(1 | i)", True, se_fit=True)
    left_out = model.predict(NEW.drop(columns=["s", "list"]), "~(1 | i)", True, se_fit=True)
    pd.testing.assert_frame_equal(item, left_out)
    none = model.predict(NEW, "~0", se_fit=True)
    x = np.column_stack([np.ones(len(NEW)), NEW.x])
    np.testing.assert_allclose(none["se_fit"] ** 2, np.einsum("ij,jk,ik->i", x, model.vcov(), x), rtol=1e-10)


def test_a_variance_of_zero_leaves_the_fixed_part():
    singular = fitted_quietly(mm.lmer, "Reaction ~ Days + (1 | Subject) + (1 | Days)", mm.load_sleepstudy())
    without = fits("sleepstudy", "Reaction ~ Days + (1 | Subject)")
    pd.testing.assert_frame_equal(
        singular.predict(interval="confidence"), without.predict(interval="confidence"), rtol=1e-5
    )
    held = mm.lmer("Reaction ~ Days + (1 | Subject)", mm.load_sleepstudy(), fixed={"sd__(Intercept)": 0})
    both = [held.predict(re_form=form, se_fit=True)["se_fit"] for form in (None, "~0")]
    np.testing.assert_allclose(both[0], both[1], rtol=1e-12)


def test_held_coefficients_have_no_error():
    model = mm.lmer("Reaction ~ Days + (1 | Subject)", mm.load_sleepstudy(), fixed={"Days": 10.0})
    far = model.predict({"Days": [0, 1e6]}, "~0", se_fit=True)["se_fit"]
    assert far[0] == pytest.approx(far[1], rel=1e-12)
    subject = {"Days": [0, 1e6], "Subject": ["308", "308"]}
    known = model.predict(subject, se_fit=True, interval="prediction")
    assert known["se_fit"][0] == pytest.approx(known["se_fit"][1], rel=1e-9)


def test_undetermined_cells_are_missing():
    data = mm.load_machines().query("not (Machine == 'A' and Worker == '1')").copy()
    data["half"] = np.where(data.Worker.isin(["1", "2"]), "a", "b")
    data = data.query("not (Machine == 'C' and half == 'a')")
    model = fitted_quietly(mm.lmer, "score ~ Machine * half + (1 | Worker)", data)
    new = pd.DataFrame({"Machine": ["A", "C"], "half": ["a", "a"], "Worker": ["2", "2"]})
    with pytest.warns(EstimabilityWarning, match="Machine = 'C'"):
        out = model.predict(new, interval="prediction")
    assert out.loc[0].notna().all()
    assert out.loc[1].isna().all()


def test_rows_keep_their_labels_and_missing_rows_their_places():
    data = mm.load_sleepstudy().set_index(pd.Index([f"r{i}" for i in range(180)]))
    data.loc["r3", "Reaction"] = np.nan
    model = mm.lmer("Reaction ~ Days + (Days | Subject)", data, na_action="exclude")
    out = model.predict(interval="confidence")
    assert out.index.equals(data.index)
    assert out.loc["r3"].isna().all()
    assert list(out.columns) == ["fit", "se_fit", "lower", "upper"]
    new = data.iloc[[7, 2]].assign(Days=[np.nan, 4.0])
    found = model.predict(new, se_fit=True)
    assert found.index.tolist() == ["r7", "r2"]
    assert found.loc["r7"].isna().all()
    polars = pl.DataFrame({"Days": [4.0], "Subject": ["308"]})
    assert model.predict(polars, se_fit=True)["se_fit"][0] == pytest.approx(found.loc["r2", "se_fit"])


def test_names_of_lme4_and_wrong_arguments():
    model = fits("sleepstudy")
    new = {"Days": [1], "Subject": ["308"]}
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"interval": "both"}, "interval must be one of"),
        ({"se_fit": "yes"}, "se_fit must be True or False"),
        ({"se_fit": True, "level": 95}, "level"),
        ({"interval": "confidence", "weights": 2.0}, "weights= are those of new responses"),
        ({"interval": "confidence", "ddf": "kenward-roger"}, "re_form='~0'"),
        ({"interval": "confidence", "vcov": np.eye(2)}, "re_form='~0'"),
        ({"interval": "prediction", "weights": -1.0}, "weights must be positive"),
        ({"se_fit": True, "parameter_uncertainty": "profile"}, "parameter_uncertainty must be one of"),
        ({"se_fit": True, "parameter_uncertainty": "bootstrap", "nsim": 0}, "nsim"),
        ({"interval": "confidence", "ddf": 12.0}, "ddf must be one of"),
        # Arguments that would change nothing.
        ({"level": 0.5}, "level= needs interval="),
        ({"se_fit": True, "level": 0.5}, "level= needs interval="),
        ({"ddf": "inf"}, "ddf= changes standard errors"),
        ({"re_form": "~0", "vcov": np.eye(2)}, "vcov= changes standard errors"),
        ({"parameter_uncertainty": "delta"}, "parameter_uncertainty= changes standard errors"),
        ({"se_fit": True, "nsim": 50}, "nsim= needs parameter_uncertainty='bootstrap'"),
    ]
    for options, message in wrong:
        with pytest.raises(mm.MixedModelError, match=message):
            model.predict(new, **options)
    binomial = fits("cbpp")
    with pytest.raises(ArgumentError, match="type='response'"):
        binomial.predict(interval="prediction")
    with pytest.raises(ArgumentError, match="numbers of trials"):
        binomial.predict({"herd": ["1"], "period": ["1"]}, type="response", interval="prediction")


@pytest.mark.parametrize("method", ["delta", "bootstrap"])
@pytest.mark.parametrize("name", ["sleepstudy", "cbpp"])
def test_another_covariance_matrix_leaves_no_room_for_the_parameters(name, method):
    model = fits(name)
    options: dict[str, Any] = {"se_fit": True, "parameter_uncertainty": method}
    with pytest.raises(ArgumentError, match="vcov= replaces"):
        model.predict(None, "~0", vcov=model.vcov(), **options)
    if name == "sleepstudy":
        with pytest.raises(ArgumentError, match="'kenward-roger' allows for the estimation"):
            model.predict(None, "~0", ddf="KR", **options)


@pytest.mark.parametrize("interval", ["confidence", "prediction"])
def test_limits_rest_on_one_degree_of_freedom_at_least(interval):
    """A residual variance that the data can hardly tell from that of the effects of days."""
    data = mm.load_sleepstudy().query("Days < 4").copy()
    data["day"] = data["Days"].astype(str)
    model = fitted_quietly(mm.lmer, "Reaction ~ Days + ar1(0 + day | Subject)", data)
    with pytest.warns(
        UndeterminedWarning, match=r"less than 1 degree of freedom in 72 of 72 rows \(down to 0"
    ):
        out = model.predict(interval=interval)
    variance = out["se_fit"] ** 2 + (model.sigma**2 if interval == "prediction" else 0.0)
    np.testing.assert_allclose(out["upper"] - out["fit"], 12.706205 * np.sqrt(variance), rtol=1e-6)


@pytest.mark.parametrize("interval", ["confidence", "prediction"])
def test_limits_without_degrees_of_freedom_say_so(interval, monkeypatch):
    model = mm.lmer("Reaction ~ Days + (1 | Subject)", mm.load_sleepstudy())
    known = model._fitted.parameter_covariance()
    unknown = dataclasses.replace(known, matrix=np.full_like(known.matrix, np.nan))
    monkeypatch.setattr(type(model._fitted), "parameter_covariance", lambda self: unknown)
    with pytest.warns(UndeterminedWarning, match=r"in 180 of 180 rows.*use the residual ones \(178\)"):
        out = model.predict(interval=interval)
    pd.testing.assert_frame_equal(out, model.predict(interval=interval, ddf="residual"))


@pytest.mark.parametrize("interval", ["confidence", "prediction"])
@pytest.mark.parametrize("re_form", [None, "~0"])
def test_limits_without_an_optimum_are_missing_and_say_so(interval, re_form):
    data = mm.load_sleepstudy()[:40].copy()
    data["row"] = [f"r{max(i, 1)}" for i in range(40)]
    model = fitted_quietly(mm.lmer, "Reaction ~ Days + (1 | row)", data)
    with pytest.warns(UndeterminedWarning, match="NaN for limits, as the likelihood has no finite optimum"):
        out = model.predict(re_form=re_form, interval=interval)
    assert out[["lower", "upper"]].isna().all(axis=None)
    np.testing.assert_array_equal(out["se_fit"], model.predict(re_form=re_form, se_fit=True)["se_fit"])


@pytest.mark.parametrize("method", ["delta", "bootstrap"])
def test_undetermined_errors_stay_undetermined(method):
    """A standard error that the data do not determine is not known with more of its uncertainty counted."""
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"g": np.repeat([f"g{i}" for i in range(30)], 3), "x": rng.normal(size=90)})
    data["h"] = np.where(data["g"].str[1:].astype(int) % 2, "odd", "even")
    data["y"] = rng.poisson(np.exp(1.0 + 0.5 * np.repeat(rng.normal(size=30), 3)))
    model = fitted_quietly(mm.glmer, "y ~ x + (0 + h | g)", data, "poisson")
    # Nothing tells the correlation of the two, and so the effect of a level on the other half.
    new = pd.DataFrame({"g": ["g0", "g0"], "h": ["even", "odd"], "x": [0.0, 0.0]})
    plain = model.predict(new, se_fit=True)["se_fit"]
    assert plain.isna().tolist() == [False, True]
    out = model.predict(
        new,
        se_fit=True,
        parameter_uncertainty=method,
        **({"nsim": 4, "rng": 1} if method != "delta" else {}),
    )
    assert out["se_fit"].isna().tolist() == [False, True]


@pytest.mark.parametrize("rows", [200, 20])
def test_the_residual_variance_has_degrees_of_freedom_of_its_own(rows):
    """A new response without random effects, by every way to the same covariance matrix."""
    rng = np.random.default_rng(6)
    data = pd.DataFrame({"g": np.repeat(list("abcde"), rows // 5), "x": rng.normal(size=rows)})
    data["y"] = data["x"] + np.repeat(2.0 * rng.normal(size=5), rows // 5) + 1.5 * rng.normal(size=rows)
    model = mm.lmer("y ~ x + (1 | g)", data)
    new = {"x": [0.0, 1.0]}
    own = model.predict(new, "~0", interval="prediction")
    adjusted = model.predict(new, "~0", interval="prediction", ddf="kenward-roger")
    np.testing.assert_allclose(adjusted["upper"], own["upper"], rtol=0.03)
    robust = model.predict(new, "~0", interval="prediction", vcov=model.vcov_cluster("g"))
    np.testing.assert_allclose(robust["upper"], own["upper"], rtol=0.05)
    # Those that were asked for stay.
    for ddf in ("inf", "residual"):
        given = model.predict(new, "~0", interval="prediction", ddf=ddf, vcov=model.vcov())
        pd.testing.assert_frame_equal(given, model.predict(new, "~0", interval="prediction", ddf=ddf))
