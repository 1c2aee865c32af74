"""`fit_many` against `lmer` on every response, and what it does with responses that cannot be fitted."""

import numpy as np
import pandas as pd
import pytest

from mixedmodels import (
    ArgumentError,
    ConvergenceWarning,
    DataError,
    FormulaError,
    MissingColumnError,
    MixedModelsWarning,
    RankDeficiencyWarning,
    SingularFitWarning,
    fit_many,
    lmer,
    load_sleepstudy,
)

pytestmark = pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")


def simulated(seed=1, n=120, m=8):
    """Rows of two crossed factors, and responses with random effects from none to large."""
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "f": rng.choice(["a", "b", "c"], n),
            "g": rng.integers(0, 25, n).astype(str),
            "h": rng.integers(0, 9, n).astype(str),
            "w": rng.uniform(0.5, 2.0, n),
            "o": rng.normal(size=n),
        }
    )
    g, h = data["g"].astype(int).to_numpy(), data["h"].astype(int).to_numpy()
    size = np.resize([0.0, 0.4, 1.0, 8.0], m)
    y = 3.0 + data["x"].to_numpy()[:, None] + rng.normal(size=(n, m))
    y += size * (rng.normal(size=(25, m))[g] + 0.5 * rng.normal(size=(9, m))[h])
    y += 0.5 * size * rng.normal(size=(25, m))[g] * data["x"].to_numpy()[:, None]
    return data, y


def assert_same(fits, j, model):
    assert fits.status[j] == "converged"
    assert fits.objective[j] == pytest.approx(model.objective, rel=1e-10, abs=1e-8)
    # lmer may stop a little before the optimum: by about the Newton step that its gradient asks for.
    state = model._fitted
    end, reml = state.estimates.theta, state.reml
    ours, theirs = (state.engine.gradient(theta, reml) for theta in (fits.theta[j], end))
    assert np.abs(ours).max() <= max(np.abs(theirs).max(), 1e-8)
    step = np.linalg.lstsq(state.engine.hessian(end, reml), theirs, rcond=None)[0]
    assert np.abs(fits.theta[j] - end).max() <= 1e-6 + 2 * np.abs(step).max()
    assert fits.sigma[j] == pytest.approx(model.sigma, rel=1e-5)
    np.testing.assert_allclose(fits.beta[j], model.fixef().to_numpy(), rtol=1e-5, atol=1e-6)
    errors = np.sqrt(np.diag(model.vcov()))
    np.testing.assert_allclose(fits.std_errors[j], errors, rtol=1e-5)
    assert fits.singular[j] == model.is_singular()
    assert fits.n_obs[j] == model.nobs


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(
    "right",
    [
        "x + (1 | g)",
        "x * f + (1 | g)",
        "0 + (1 | g)",
        "x + (0 + x | g)",
        "x + (x | g)",
        "x + (x || g)",
        "x + (1 | g) + (1 | h)",
        "scale(x) + offset(o) + (1 | h)",
    ],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_every_response_is_fitted_as_by_lmer(right, reml, weighted):
    data, y = simulated()
    extra = {"weights": "w", "offset": "o"} if weighted else {}
    fits = fit_many(f"~ {right}", data, y, reml, **extra)
    for j in range(y.shape[1]):
        assert_same(fits, j, lmer(f"y ~ {right}", data.assign(y=y[:, j]), reml, **extra))


def test_a_balanced_design_with_a_covariate_of_the_group():
    rng = np.random.default_rng(5)
    subject = np.repeat(np.arange(30), 4)
    data = pd.DataFrame({"subject": subject, "old": subject % 2, "time": np.tile(np.arange(4), 30)})
    y = rng.normal(size=(120, 12)) + np.resize([0, 1], 12) * rng.normal(size=(30, 12))[subject]
    fits = fit_many("~ old * time + (1 | subject)", data, y)
    assert fits.singular.any()
    assert not fits.singular.all()
    for j in range(12):
        assert_same(fits, j, lmer("y ~ old * time + (1 | subject)", data.assign(y=y[:, j])))


def test_a_singular_fit_has_exactly_no_variance():
    data, y = simulated(m=20)
    fits = fit_many("~ x + (1 | g)", data, y)
    np.testing.assert_array_equal(fits.singular, fits.theta[:, 0] == 0.0)
    assert fits.singular.any()


@pytest.mark.parametrize("right", ["x + (1 | g)", "x + (x | g)"])
def test_missing_values_of_a_response_concern_it_alone(right):
    data, y = simulated()
    data.loc[3, "x"] = np.nan
    holes = y.copy()
    holes[[5, 60], 1] = holes[[5, 60], 4] = np.nan
    holes[data["g"].to_numpy() == "7", 2] = np.nan
    fits = fit_many(f"~ {right}", data, holes)
    for j in range(y.shape[1]):
        assert_same(fits, j, lmer(f"y ~ {right}", data.assign(y=holes[:, j])))
    whole = fit_many(f"~ {right}", data, y)
    np.testing.assert_array_equal(fits.theta[[0, 3]], whole.theta[[0, 3]])
    with pytest.raises(DataError, match="'y2'"):
        fit_many(f"~ {right}", data.fillna({"x": 0.0}), holes, na_action="fail")


def test_a_subset_takes_the_rows_of_the_responses_along():
    data, y = simulated()
    fits = fit_many("~ x + (1 | g)", data, y, subset="h != '3'")
    model = lmer("y ~ x + (1 | g)", data.assign(y=y[:, 2]), subset="h != '3'")
    assert_same(fits, 2, model)


def test_a_failure_is_reported_in_its_row_and_touches_no_other():
    data, y = simulated(m=8)
    expected = fit_many("~ x + (1 | g)", data, y)
    bad = y.copy()
    bad[:, 0] = 4.0
    bad[7, 1] = np.inf
    bad[:, 2] = np.nan
    bad[:, 3] = data["x"] * 2 + 1
    _, first = np.unique(data["g"], return_index=True)
    bad[np.setdiff1d(np.arange(len(bad)), first), 4] = np.nan
    with pytest.warns(MixedModelsWarning, match=r"5 of 8 responses could not be fitted \(y1, y2, y3, ...\)"):
        fits = fit_many("~ x + (1 | g)", data, bad)
    table = fits.summary_frame()
    assert table["status"].tolist()[:5] == ["failed"] * 5
    for name, reason in {
        "y1": "constant",
        "y2": "row 7",
        "y3": "missing",
        "y4": "exactly",
        "y5": "as many levels",
    }.items():
        assert reason in table.loc[name, "message"]
        assert table.loc[name, ["objective", "sigma", "sd_(Intercept)|g"]].isna().all()
    np.testing.assert_array_equal(fits.theta[5:], expected.theta[5:])
    np.testing.assert_array_equal(fits.beta[5:], expected.beta[5:])
    assert np.isnan(fits.beta[:5]).all()


def test_nearly_exact_and_nearly_absent_groups():
    data, _ = simulated()
    g = data["g"].astype(int).to_numpy()
    rng = np.random.default_rng(9)
    noise = rng.normal(size=len(data))
    hard = np.column_stack([1e-5 * noise + np.sin(g), 1e-2 * noise + np.sin(g), noise + 1e-3 * np.sin(g)])
    fits = fit_many("~ x + (1 | g)", data, 1e6 + hard)
    for j in range(3):
        model = lmer("y ~ x + (1 | g)", data.assign(y=1e6 + hard[:, j]))
        assert fits.objective[j] == pytest.approx(model.objective, abs=1e-6)
        np.testing.assert_allclose(fits.theta[j], model.theta, rtol=1e-4, atol=1e-6)


def test_a_dropped_column_is_nan():
    data, y = simulated()
    data["twice"] = 2 * data["x"]
    with pytest.warns(RankDeficiencyWarning, match="twice"):
        fits = fit_many("~ x + twice + (1 | g)", data, y)
    assert np.isnan(fits.beta[:, 2]).all()
    assert_same(fits, 1, lmer("y ~ x + twice + (1 | g)", data.assign(y=y[:, 1])))


def test_responses_by_name_by_matrix_and_by_data_frame():
    data, y = simulated(m=3)
    names = ["one", "two", "three"]
    frame = pd.DataFrame(y, columns=names)
    by_matrix = fit_many("~ x + (1 | g)", data, y)
    by_frame = fit_many("~ x + (1 | g)", data, frame)
    by_name = fit_many("~ x + (1 | g)", pd.concat([data, frame], axis=1), names)
    assert by_matrix.responses == ("y1", "y2", "y3")
    assert by_frame.responses == by_name.responses == tuple(names)
    for other in (by_frame, by_name):
        np.testing.assert_array_equal(other.theta, by_matrix.theta)
    everything = pd.concat([data[["x", "w", "g"]], frame], axis=1)
    dot = fit_many("~ . + (1 | g)", everything, names)
    assert dot.predictors.x_names == ("(Intercept)", "x", "w")


def test_frames_have_a_row_for_each_response():
    data, y = simulated(m=3)
    fits = fit_many("~ x + (x | g)", data, y)
    model = lmer("y ~ x + (x | g)", data.assign(y=y[:, 2]))
    table = fits.to_frame()
    assert list(table.columns) == ["response", "term", "estimate", "std.error", "statistic"]
    assert len(table) == 6
    np.testing.assert_allclose(table["statistic"], table["estimate"] / table["std.error"])
    with pytest.warns(DeprecationWarning, match=r"std_error is now std\.error"):
        assert table["std_error"] is not None
    row = fits.summary_frame().loc["y3"]
    group = model.VarCorr()["g"]
    np.testing.assert_allclose([row["sd_(Intercept)|g"], row["sd_x|g"]], group.sd, rtol=1e-5)
    assert row["cor_x.(Intercept)|g"] == pytest.approx(group.corr[1, 0], abs=1e-5)
    assert row["loglik"] == pytest.approx(model.logLik(), abs=1e-8)
    assert len(repr(fit_many("~ x + (1 | g)", data, np.tile(y, 30))).splitlines()) < 20


@pytest.mark.parametrize(
    ("formula", "responses", "error", "match"),
    [
        ("y ~ x + (1 | g)", "matrix", FormulaError, "without|must not name a response"),
        ("~ x", "matrix", FormulaError, "random-effects"),
        ("~ x + (1 | nope)", "matrix", MissingColumnError, "nope"),
        ("~ x + (1 | g)", "w", ArgumentError, r"\['w'\]"),
        ("~ x + (1 | g)", ["w", "nope"], MissingColumnError, "nope"),
        ("~ x + (1 | g)", ["w", "w"], ArgumentError, "more than once"),
        ("~ x + (1 | g)", ["f"], DataError, "'f'"),
        ("~ x + (1 | g)", np.zeros(120), ArgumentError, "one column per response"),
        ("~ x + (1 | g)", np.zeros((5, 2)), ArgumentError, "5 rows"),
        ("~ x + (1 | g)", np.zeros((120, 0)), ArgumentError, "no columns"),
        ("~ x + (1 | g)", np.full((120, 2), "a"), DataError, "real numbers"),
    ],
)
def test_arguments_that_do_not_fit(formula, responses, error, match):
    data, y = simulated()
    data["y"] = y[:, 0]
    with pytest.raises(error, match=match):
        fit_many(formula, data, y if isinstance(responses, str) and responses == "matrix" else responses)


def test_warnings_count_the_responses_concerned():
    data, y = simulated(m=20)
    with pytest.warns(SingularFitWarning, match="of 20 responses have a singular fit"):
        fit_many("~ x + (1 | g)", data, y)
    with pytest.warns(ConvergenceWarning, match="of 20 responses did not converge"):
        fits = fit_many("~ x + (1 | g)", data, y, control={"max_evaluations": 2})
    assert "max_evaluations" in fits.status


def test_progress_is_printed_on_request(capsys):
    fit_many("~ Days + (1 | Subject)", load_sleepstudy(), ["Reaction"], verbose=True)
    assert capsys.readouterr().out.startswith("0 of 1 responses")


def test_results_are_closed_to_writing():
    data, y = simulated(m=2)
    fits = fit_many("~ x + (1 | g)", data, y)
    with pytest.raises(ValueError, match="read-only"):
        fits.theta[0, 0] = 1.0


def test_one_response_is_one_model():
    data = pd.DataFrame({"g": np.repeat(list("abcdef"), 5), "y": np.random.default_rng(1).normal(size=30)})
    assert str(fit_many("~ 1 + (1 | g)", data, ["y"])).startswith("1 linear mixed model fitted by REML")
    two = fit_many("~ 1 + (1 | g)", data.assign(z=-data["y"]), ["y", "z"])
    assert str(two).startswith("2 linear mixed models fitted by REML")
