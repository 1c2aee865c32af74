"""Cross-validation, against textbook formulas of the predictive distribution."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mixedmodels import (
    cross_validate,
    glmer,
    lmer,
    load_cbpp,
    load_penicillin,
    load_sleepstudy,
    load_sleepstudy_x,
    pb_compare,
)
from mixedmodels.errors import ArgumentError, MissingColumnError
from mixedmodels.fit.changes import fitted_to_rows
from mixedmodels.inference.estimates.variance_components import variance_components
from mixedmodels.prediction.uncertainty import variances_given_theta
from mixedmodels.prediction.validation.folds import make_folds
from mixedmodels.prediction.validation.held_out import held_out
from shared_fits import fits

SLEEP = load_sleepstudy()
PENICILLIN = load_penicillin()
LINEAR = {
    "slopes": ("Reaction ~ Days + (Days | Subject)", SLEEP, "Subject", {}),
    "weights": ("Reaction ~ Days + (1 | Subject)", load_sleepstudy_x(), "Subject", {"weights": "w"}),
    "offset": ("Reaction ~ Days + (1 | Subject)", load_sleepstudy_x(), "Subject", {"offset": "w"}),
    "crossed": ("diameter ~ 1 + (1 | plate) + (1 | sample)", PENICILLIN, "plate", {}),
    "structure": ("Reaction ~ Days + ar1(0 + factor(Days) | Subject)", SLEEP, "Subject", {}),
}


def covariance_of_all(model: Any, trained: Any) -> np.ndarray:
    """The covariance matrix of all responses at the estimates of a fit to some."""
    full = model._fitted
    weights = full.prior_weights
    v = np.diag(trained.sigma**2 / weights)
    for term, part in zip(full.design.terms, variance_components(trained), strict=True):
        codes = term.group.codes
        v += np.where(codes[:, None] == codes, term.z @ part.cov @ term.z.T, 0.0)
    return v


def predictive(model: Any, trained: Any, held: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of held-out responses given the others, with coefficients by least squares."""
    full = model._fitted
    v, x = covariance_of_all(model, trained), full.design.x
    offset = 0.0 if full.design.offset is None else full.design.offset
    y = full.design.y - offset
    rest = ~held
    inverse = np.linalg.inv(v[np.ix_(rest, rest)])
    vcov = np.linalg.inv(x[rest].T @ inverse @ x[rest])
    beta = vcov @ x[rest].T @ inverse @ y[rest]
    gain = v[np.ix_(held, rest)] @ inverse
    left = x[held] - gain @ x[rest]
    mean = x[held] @ beta + gain @ (y[rest] - x[rest] @ beta)
    covariance = v[np.ix_(held, held)] - gain @ v[np.ix_(rest, held)] + left @ vcov @ left.T
    return mean + np.broadcast_to(offset, y.shape)[held], covariance


@pytest.mark.parametrize("by", ["rows", "groups"])
@pytest.mark.parametrize("name", LINEAR)
def test_linear_models(name, by):
    formula, data, group, options = LINEAR[name]
    model = lmer(formula, data, **options)
    result = cross_validate(model, 4, by="rows" if by == "rows" else group, rng=1)
    partition, y = result.partition, model._fitted.design.y
    rows, units = result.rows.set_index("row"), result.units
    for fold in range(4):
        held = partition.held_out(fold)
        trained = fitted_to_rows(model._fitted, ~held)
        mean, covariance = predictive(model, trained, held)
        np.testing.assert_allclose(rows.loc[np.flatnonzero(held), "predicted"], mean, rtol=1e-8)
        places = np.flatnonzero(held)
        own = units[units["fold"] == fold + 1]
        for unit, score in zip(own["unit"], own["log_score"], strict=True):
            if by == "rows":
                i = np.flatnonzero(places == unit)
            else:
                i = np.flatnonzero(np.array(partition.units.levels)[partition.units.codes[places]] == unit)
            wanted = stats.multivariate_normal.logpdf(y[places[i]], mean[i], covariance[np.ix_(i, i)])
            assert score == pytest.approx(wanted, rel=1e-6)
        error = y[held] - mean
        weights = model._fitted.prior_weights[held]
        row = result.folds.iloc[fold]
        assert row["rmse"] == pytest.approx(np.sqrt(np.average(error**2, weights=weights)), rel=1e-6)
        assert row["log_score"] == pytest.approx(own["log_score"].sum())
    assert result.log_score == pytest.approx(result.units["log_score"].sum())
    assert result.folds["n"].sum() == len(y)


@pytest.mark.parametrize("kind", ["crossed", "binomial"])
def test_joint_covariances_have_the_variances_of_predictions(kind):
    """Held-out plates share the estimated samples; held-out herds share the coefficients."""
    if kind == "crossed":
        model, by = lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", PENICILLIN), "plate"
    else:
        model, by = fits("cbpp"), "herd"
    fitted = model._fitted
    folds = make_folds(fitted, 3, by, 1)
    rows = folds.held_out(0)
    trained = fitted_to_rows(fitted, ~rows)
    held = held_out(fitted, trained, fitted.arguments.data, rows)
    every = np.arange(len(held.rows))
    covariance = held.covariance(every)
    np.testing.assert_allclose(np.diag(covariance), variances_given_theta(held.predicted), rtol=1e-7)
    assert np.linalg.eigvalsh(covariance).min() > -1e-10


def test_generalized_models():
    model = fits("cbpp")
    rows = cross_validate(model, 5, rng=1)
    groups = cross_validate(model, 5, by="herd", rng=1)
    again = cross_validate(model, 5, by="herd", rng=1)
    pd.testing.assert_frame_equal(groups.units, again.units)
    # Herds of one row would have the score of the row; sums are of the same size as the log-likelihood.
    likelihood = float(model.logLik())
    assert likelihood - 40 < groups.log_score < likelihood
    assert likelihood - 40 < rows.log_score
    assert ((rows.rows["predicted"] > 0) & (rows.rows["predicted"] < 1)).all()
    worse = glmer("cbind(incidence, size - incidence) ~ 1 + (1 | herd)", load_cbpp(), "binomial")
    table = groups.compare(cross_validate(worse, 5, by="herd", rng=1), names=["period", "none"])
    assert list(table.index) == ["period", "none"]
    assert table.loc["none", "difference"] < 0


def test_comparison_is_paired():
    model = fits("sleepstudy")
    one, two = (cross_validate(m, 6, rng=3) for m in (model, model.update("Reaction ~ Days + (1 | Subject)")))
    table = two.compare(one, names=["intercepts", "slopes"])
    difference = two.units["log_score"] - one.units["log_score"]
    assert table.loc["intercepts", "difference"] == pytest.approx(difference.sum())
    assert table.loc["intercepts", "std.error"] == pytest.approx(np.sqrt(180) * difference.std())
    assert np.isnan(table.loc["slopes", "std.error"])
    for other, message in (
        (cross_validate(model, 6, rng=4), "have other folds"),
        (cross_validate(model, 6, by="Subject", rng=3), "have other folds"),
        (cross_validate(model.refit(SLEEP["Reaction"] / 2), 6, rng=3), "did not predict the same rows"),
        (model, "results of cross_validate"),
    ):
        with pytest.raises(ArgumentError, match=message):
            one.compare(other)
    with pytest.raises(ArgumentError, match="names must be 2"):
        one.compare(two, names=["a"])


def test_transforms_and_levels_come_from_the_other_folds():
    """A column that is centred by all rows would leak the fold into the fit."""
    data = SLEEP.assign(arm=np.where(np.arange(180) % 7 == 0, "x", "y"))
    model = lmer("Reaction ~ scale(Days) + arm + (1 | Subject)", data)
    plain = lmer("Reaction ~ Days + arm + (1 | Subject)", data)
    one, two = (cross_validate(m, 5, rng=1) for m in (model, plain))
    np.testing.assert_allclose(one.rows["predicted"], two.rows["predicted"], rtol=1e-6)


def test_rows_that_cannot_be_predicted():
    data = SLEEP.assign(k=np.where(np.arange(180) == 17, "rare", np.where(np.arange(180) % 2, "a", "b")))
    for own in (data, data.assign(k=data["k"].astype("category"))):
        result = cross_validate(lmer("Reaction ~ k + (1 | Subject)", own), 5, rng=1)
        assert result.folds["n"].sum() == 179
        assert 17 not in result.rows["row"].to_numpy()
        assert any("1 row not predicted" in note for note in result.notes)


def test_missing_rows_subsets_and_new_responses():
    data = SLEEP.copy()
    data.loc[[3, 50], "Reaction"] = np.nan
    formula = "Reaction ~ Days + (Days | Subject)"
    full = cross_validate(lmer(formula, data, subset="Days > 0"), 5, rng=1)
    complete = data[data["Days"] > 0].dropna().reset_index(drop=True)
    rows = cross_validate(lmer(formula, complete), 5, rng=1)
    pd.testing.assert_frame_equal(full.folds, rows.folds)
    used = data[data["Days"] > 0].dropna()
    assert full.rows["row"].tolist() == full.units["unit"].tolist() == used.index.tolist()
    np.testing.assert_allclose(data.loc[full.rows["row"], "Reaction"], full.rows["observed"])
    columns = lmer(formula, data.to_dict("list"), subset="Days > 0")
    assert cross_validate(columns, 5, rng=1).rows["row"].tolist() == used.index.tolist()
    named = lmer(formula, used.set_axis([f"r{i}" for i in range(len(used))]))
    assert cross_validate(named, 5, rng=1).rows["row"].tolist() == [f"r{i}" for i in range(len(used))]
    model = fits("sleepstudy")
    half = cross_validate(model.refit(SLEEP["Reaction"] / 2), 5, rng=1)
    whole = cross_validate(model, 5, rng=1)
    np.testing.assert_allclose(half.rows["predicted"] * 2, whole.rows["predicted"], rtol=1e-6)
    assert half.log_score == pytest.approx(whole.log_score + 180 * np.log(2), rel=1e-6)


def test_leaving_out_one_at_a_time():
    model = fits("sleepstudy")
    result = cross_validate(model, None, by="Subject")
    assert len(result.folds) == 18
    assert "left out one at a time" in str(result)
    last = model.update(subset=(SLEEP["Subject"] != "372").to_numpy())
    rows = SLEEP["Subject"] == "372"
    wanted = last.predict(SLEEP[rows], allow_new_levels=True)
    got = result.rows.loc[rows.to_numpy(), "predicted"]
    np.testing.assert_allclose(got, wanted, rtol=1e-7)


def test_any_executor_and_progress():
    model, told = fits("sleepstudy"), []
    options: dict[str, Any] = {"by": "Subject", "rng": 9}
    alone = cross_validate(model, 5, **options)
    options["progress"] = lambda done, total: told.append((done, total))
    with ProcessPoolExecutor(2) as pool:
        other = cross_validate(model, 5, executor=pool, **options)
    pd.testing.assert_frame_equal(alone.units, other.units)
    assert told[-1] == (5, 5)


def test_folds_without_a_fit():
    """Without one of two groups there is none to estimate a variance from."""
    data = pd.DataFrame(
        {"y": np.random.default_rng(1).normal(size=20), "g": np.repeat(["a", "b", "c"], [9, 9, 2])}
    )
    model = lmer("y ~ 1 + (1 | g)", data, subset="g != 'c'", fixed={"sd__(Intercept)": 0.5})
    with pytest.raises(ArgumentError, match=r"could not be fitted without any fold: .*only one level"):
        cross_validate(model, 2, by="g")


def test_wrong_arguments():
    model = fits("sleepstudy")
    for arguments, message in (
        ({"folds": 1}, "folds must be a whole number of at least 2"),
        ({"folds": 181}, "folds = 181, but there are 180 rows"),
        ({"folds": 19, "by": "Subject"}, "folds = 19, but there are 18 levels of 'Subject'"),
        ({"by": np.ones(7)}, "by has shape"),
        ({"rng": "x"}, "rng must be"),
        ({"executor": 3}, "executor must be"),
        ({"progress": 3}, "progress must be"),
    ):
        with pytest.raises(ArgumentError, match=message):
            cross_validate(model, **arguments)
    with pytest.raises(MissingColumnError):
        cross_validate(model, by="nothing")
    labels = np.arange(180) // 30
    assert len(cross_validate(model, None, by=labels).folds) == 6


def test_the_monte_carlo_error_of_simulated_scores_is_reported():
    """Where a level has an effect for each row, too, scores are integrals over many dimensions."""
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(6), 15)
    eta = 1.0 + 0.5 * rng.standard_normal(6)[g] + 0.5 * rng.standard_normal(90)
    data = pd.DataFrame({"g": g, "row": np.arange(90), "y": rng.poisson(np.exp(eta))})
    model = glmer("y ~ 1 + (1 | g) + (1 | row)", data, "poisson")
    found = [cross_validate(model, None, by="g", rng=i) for i in (1, 2, 3)]
    errors = [np.sqrt(np.square(own.units["mc.error"]).sum()) for own in found]
    assert 0.0 < max(errors) < 0.02
    assert np.ptp([own.log_score for own in found]) < 5 * max(errors)
    assert "Log scores are simulated; Monte Carlo error of their sum" in str(found[0])
    assert "Monte Carlo error of a difference" in str(found[0].compare(found[1]))
    linear = cross_validate(lmer("y ~ 1 + (1 | g)", data), None, by="g")
    assert (linear.units["mc.error"] == 0).all()
    assert "Monte Carlo" not in str(linear)


def test_a_model_that_was_only_evaluated_is_not_compared_with_fits():
    model = lmer("Reaction ~ Days + (1 | Subject)", SLEEP, start=[1.0], optimizer=None)
    for repeat in (
        lambda: cross_validate(model, 5),
        lambda: model.permutation_test("Days", 5),
        lambda: model.exact_rlrt(nsim=5),
        lambda: model.exact_lrt(nsim=5),
        lambda: pb_compare(model, fits("sleepstudy"), 5),
    ):
        with pytest.raises(ArgumentError, match="was evaluated at start=, not fitted"):
            repeat()
