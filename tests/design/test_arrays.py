"""Models given as arrays: the same as the formula that says the same, or a clear refusal."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array

from mixedmodels import (
    ArgumentError,
    ArrayTerm,
    DataError,
    FormulaWarning,
    GeneralizedLinearMixedModel,
    LinearMixedModel,
    RankDeficiencyWarning,
    glmer,
    lmer,
    load_cbpp,
    load_penicillin,
    load_sleepstudy,
)
from shared_fits import fits

SLEEP = load_sleepstudy()
Y = SLEEP["Reaction"].to_numpy()
DAYS = SLEEP["Days"].to_numpy(dtype=float)
SUBJECT = SLEEP["Subject"].to_numpy()
X = np.column_stack([np.ones(len(Y)), DAYS])


def sleep(*terms, y=Y, x=X, **options):
    return LinearMixedModel.from_arrays(
        y, x, list(terms) or ArrayTerm(SUBJECT, X, group="Subject"), **options
    )


@pytest.mark.parametrize(
    ("terms", "formula"),
    [
        ([ArrayTerm(SUBJECT, X)], "Reaction ~ Days + (Days | Subject)"),
        ([ArrayTerm(SUBJECT)], "Reaction ~ Days + (1 | Subject)"),
        ([ArrayTerm(SUBJECT), ArrayTerm(SUBJECT, DAYS)], "Reaction ~ Days + (Days || Subject)"),
        ([ArrayTerm(SUBJECT, X, structure="cs")], "Reaction ~ Days + cs(Days | Subject)"),
        ([ArrayTerm(SUBJECT, X, structure="diag")], "Reaction ~ Days + (Days || Subject)"),
    ],
)
def test_the_fit_is_that_of_the_formula(terms, formula):
    model, other = sleep(*terms).fit(), lmer(formula, SLEEP)
    assert model.objective == pytest.approx(other.objective, rel=1e-10)
    np.testing.assert_allclose(model.fixef(), other.fixef(), rtol=1e-8)
    np.testing.assert_allclose(model.fitted(), other.fitted(), rtol=1e-6)


@pytest.mark.parametrize("structure", ["ar1", "ou", "cs"])
def test_labels_stand_for_a_column_of_each_level(structure):
    labels = pd.Categorical(SLEEP["Days"].astype(int))
    model = sleep(ArrayTerm(SUBJECT, labels, ["day"], "Subject", structure)).fit()
    text = "numFactor(Days)" if structure == "ou" else "factor(Days)"
    other = lmer(f"Reaction ~ Days + {structure}(0 + {text} | Subject)", SLEEP)
    assert model.objective == pytest.approx(other.objective, rel=1e-9)
    assert sleep(ArrayTerm(SUBJECT, labels.astype(str))).formula == "y ~ 1 + x1 + (0 + level | group)"


def test_crossed_factors():
    data = load_penicillin()
    terms = [ArrayTerm(data[name].to_numpy(), group=name) for name in ("plate", "sample")]
    model = LinearMixedModel.from_arrays(data["diameter"].to_numpy(), np.ones(len(data)), terms).fit()
    assert model.objective == pytest.approx(fits("penicillin").objective, rel=1e-10)
    assert model.formula == "y ~ 1 + (1 | plate) + (1 | sample)"


def test_the_binomial_family_from_counts_proportions_and_frames():
    data = load_cbpp()
    cases, size = data["incidence"].to_numpy(dtype=float), data["size"].to_numpy(dtype=float)
    x = np.column_stack([np.ones(len(data)), *(data["period"] == p for p in ("2", "3", "4"))])
    term = ArrayTerm(data["herd"].to_numpy(), group="herd")
    make = GeneralizedLinearMixedModel.from_arrays
    counts = make(np.column_stack([cases, size - cases]), x, term, "binomial").fit()
    shares = make(cases / size, x, term, "binomial", weights=size).fit()
    framed = make(pl.DataFrame({"a": cases, "b": size - cases}), pl.DataFrame(x), term, "binomial").fit()
    for model in (counts, shares, framed):
        assert model.objective == pytest.approx(fits("cbpp").objective, rel=1e-9)
    np.testing.assert_allclose(counts.fixef(), fits("cbpp").fixef(), rtol=1e-4)


def test_names_come_from_frames_and_series():
    frame = pd.DataFrame({"const": 1.0, "Days": DAYS})
    model = sleep(ArrayTerm(SLEEP["Subject"], frame), y=SLEEP["Reaction"], x=frame)
    assert model.formula == "Reaction ~ 1 + Days + (1 + Days | Subject)"
    assert sleep(x=pl.DataFrame({"a b": DAYS})).formula == "y ~ 0 + `a b` + (1 + `a b` | Subject)"
    assert sleep(names=["Intercept", "d"]).formula == "y ~ 1 + d + (1 + d | Subject)"
    named = sleep(ArrayTerm(SUBJECT, X, ["one", "slope"], "g"), names=["const", "t"], response="rt")
    assert named.formula == "rt ~ 1 + t + (0 + one + slope | g)"


def test_columns_without_names_are_numbered():
    z = np.column_stack([np.ones(len(Y)), DAYS**2])
    assert sleep(ArrayTerm(SUBJECT, z)).formula == "y ~ 1 + x1 + (1 + z1 | group)"
    assert sleep(x=DAYS, names=None).formula == "y ~ 0 + x1 + (1 + x1 | Subject)"
    two = sleep(ArrayTerm(SUBJECT), ArrayTerm(np.roll(SUBJECT, 3), z))
    assert two.formula == "y ~ 1 + x1 + (1 | group) + (1 + z2_1 | group2)"


def test_a_later_column_of_ones_is_an_ordinary_column():
    model = sleep(x=X[:, ::-1].copy(), names=["Days", "const"]).fit()
    assert list(model.fixef().index) == ["Days", "const"]
    np.testing.assert_allclose(model.fixef()[::-1], fits("sleepstudy").fixef(), rtol=1e-8)


def test_series_are_matched_by_their_index():
    shuffled = SLEEP.sample(frac=1.0, random_state=1)
    model = LinearMixedModel.from_arrays(
        SLEEP["Reaction"],
        shuffled[["Days"]],
        ArrayTerm(shuffled["Subject"]),
        weights=pd.Series(np.arange(1.0, 181.0), index=SLEEP.index)[::-1],
    )
    other = lmer("Reaction ~ 0 + Days + (1 | Subject)", SLEEP, weights=np.arange(1.0, 181.0))
    assert model.fit().objective == pytest.approx(other.objective, rel=1e-10)


@pytest.mark.parametrize("action", ["omit", "exclude"])
def test_rows_with_missing_values(action):
    y, x, subject = Y.copy(), X.copy(), SUBJECT.astype(object)
    y[3], x[5, 1], subject[9] = np.nan, np.nan, None
    model = sleep(ArrayTerm(subject, x, group="Subject"), y=y, x=x, na_action=action).fit()
    data = SLEEP.assign(Reaction=y, Days=x[:, 1], Subject=subject)
    other = lmer("Reaction ~ Days + (Days | Subject)", data, na_action=action)
    assert model.objective == pytest.approx(other.objective, rel=1e-10)
    assert len(model.residuals()) == len(other.residuals()) == (177 if action == "omit" else 180)


@pytest.mark.parametrize("row", [0, 7])
def test_columns_with_missing_values_are_the_same_column(row):
    x, codes = X.copy(), SUBJECT.astype(float)
    x[row, 1], codes[row] = np.nan, np.nan
    model = sleep(ArrayTerm(codes), ArrayTerm(codes.copy(), x[:, 1].copy()), x=x)
    assert model.formula == "y ~ 1 + x1 + (1 | group) + (0 + x1 | group)"
    named = sleep(ArrayTerm(SUBJECT, x.copy(), names=["const", "Days"]), x=x, names=["const", "Days"])
    assert named.formula == "y ~ 1 + Days + (1 + Days | group)"


@pytest.mark.filterwarnings("ignore::mixedmodels.SingularFitWarning")
def test_a_column_of_X_may_be_the_grouping_factor_too():
    years = SLEEP["Days"].to_numpy()
    model = sleep(ArrayTerm(years, group="Days"), names=["const", "Days"], response="Reaction").fit()
    other = lmer("Reaction ~ Days + (1 | Days)", SLEEP)
    assert model.objective == pytest.approx(other.objective, rel=1e-10)
    assert list(model.ranef()["Days"].index) == list(other.ranef()["Days"].index)


def test_masked_values_are_missing():
    hidden = np.zeros(X.shape, bool)
    hidden[4, 1] = True
    x, y = np.ma.array(X, mask=hidden), np.ma.array(Y, mask=np.arange(180) == 9)
    groups = np.ma.array(SUBJECT.astype(int), mask=np.arange(180) == 20)
    model = sleep(ArrayTerm(groups, x), y=y, x=x)
    assert model.size[0] == 177
    assert model.formula == "y ~ 1 + x1 + (1 + x1 | group)"


@pytest.mark.parametrize(
    "y", [Y[:, None], SLEEP[["Reaction"]], Y[:, None].tolist()], ids=["array", "frame", "list"]
)
def test_the_response_may_be_a_matrix_of_one_column(y):
    model = sleep(y=y)
    assert model.formula.startswith("Reaction ~" if isinstance(y, pd.DataFrame) else "y ~")
    assert model.objective(model.start) == sleep().objective(sleep().start)


def test_weights_offset_subset_and_held_parameters():
    weights, offset, rows = np.linspace(0.5, 2.0, 180), DAYS * 2.0, DAYS > 0
    options = {"weights": weights, "offset": offset, "subset": rows, "fixed": {"sigma": 25.0}}
    model, other = sleep(**options).fit(), lmer("Reaction ~ Days + (Days | Subject)", SLEEP, **options)
    assert model.objective == pytest.approx(other.objective, rel=1e-10)


def test_dependent_columns_are_dropped():
    with pytest.warns(RankDeficiencyWarning, match="dropped column x2"):
        model = sleep(x=np.column_stack([X, 2.0 * DAYS])).fit()
    assert np.isnan(model.fixef()["x2"])


def test_the_same_term_twice_is_left_out():
    with pytest.warns(FormulaWarning, match="left out"):
        sleep(ArrayTerm(SUBJECT, X), ArrayTerm(SUBJECT))


def numbers(model, table, **options):
    """The numbers in a table of a model."""
    found = getattr(model, table)(**options)
    frame = found.to_frame() if hasattr(found, "to_frame") else pd.DataFrame(found)
    return frame.select_dtypes("number").to_numpy(dtype=float)


def test_what_works_above_a_formula_works_above_arrays():
    model = sleep(names=["const", "Days"], response="Reaction").fit()
    other = fits("sleepstudy")
    new = {"Days": np.array([1.0, 20.0]), "Subject": np.array(["308", "new"])}
    np.testing.assert_allclose(
        model.predict(new, allow_new_levels=True), other.predict(new, allow_new_levels=True), rtol=1e-7
    )
    np.testing.assert_allclose(
        model.predict(pd.DataFrame(new).iloc[:1]), other.predict(pd.DataFrame(new).iloc[:1])
    )
    np.testing.assert_allclose(model.predict(), model.fitted())
    for table in ("coef_test", "anova", "VarCorr", "confint", "tidy", "residuals", "hatvalues"):
        np.testing.assert_allclose(numbers(model, table), numbers(other, table), rtol=1e-5, atol=1e-9)
    roger = {"ddf": "kenward-roger"}
    np.testing.assert_allclose(
        numbers(model, "coef_test", **roger), numbers(other, "coef_test", **roger), rtol=1e-6
    )
    np.testing.assert_allclose(model.simulate(2, rng=1), other.simulate(2, rng=1), rtol=1e-6)
    assert len(model.bootstrap(3, rng=1).to_frame()) == len(other.bootstrap(3, rng=1).to_frame())
    np.testing.assert_allclose(model.influence().cooks_distance, other.influence().cooks_distance, rtol=1e-4)
    np.testing.assert_allclose(model.confint(method="profile"), other.confint(method="profile"), rtol=1e-5)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(
        again.predict(new, allow_new_levels=True), model.predict(new, allow_new_levels=True)
    )
    assert model.refit(Y * 2.0).fixef()["Days"] == pytest.approx(2.0 * model.fixef()["Days"])
    assert model.update("~ . - Days").formula == "Reaction ~ 1 + (1 + Days | Subject)"


@pytest.mark.parametrize(
    "call",
    [
        lambda m: m.emmeans("x1"),
        lambda m: m.emtrends("~ 1", "x1"),
        lambda m: m.predict_effects("x1"),
        lambda m: m.joint_tests(),
    ],
)
def test_means_need_the_variables_of_a_formula(call):
    with pytest.raises(ArgumentError, match="this model was made from arrays"):
        call(sleep().fit())


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: sleep(x=X[:-1]), ArgumentError, "X has 179 rows, but y has 180"),
        (lambda: sleep(ArrayTerm(SUBJECT[:-1])), ArgumentError, "groups of the term has 179 rows"),
        (lambda: sleep(ArrayTerm(SUBJECT, DAYS[:-1])), ArgumentError, "Z of the term has 179 rows"),
        (
            lambda: sleep(ArrayTerm(SUBJECT), ArrayTerm(Y[:-1])),
            ArgumentError,
            r"groups of terms\[1\] has 179",
        ),
        (lambda: sleep(y="Reaction"), ArgumentError, "y must be an array"),
        (lambda: sleep(y=np.ones((180, 3))), ArgumentError, r"y has shape \(180, 3\)"),
        (lambda: sleep(x=np.ones((2, 2, 2))), ArgumentError, "needs rows and columns"),
        (lambda: sleep(x=SLEEP[["Subject"]]), ArgumentError, "column 'Subject' of X contains labels"),
        (lambda: sleep(x=[["a"]] * 180), ArgumentError, "X must contain numbers"),
        (lambda: sleep(names=["a"]), ArgumentError, "names has 1 entries for 2 columns of X"),
        (lambda: sleep(names="ab"), ArgumentError, "names must be a list of names"),
        (lambda: sleep(names=["a", "a"]), ArgumentError, "X has two columns called 'a'"),
        (lambda: sleep(names=["a", 3]), ArgumentError, "names must be a name, not 3"),
        (lambda: sleep(x=csr_array(X)), ArgumentError, r"X is a sparse matrix; give .* X.toarray\(\)"),
        (
            lambda: sleep(ArrayTerm(SUBJECT, csr_array(X))),
            ArgumentError,
            r"Z of the term is .* Z.toarray",
        ),
        (lambda: sleep(x=None), ArgumentError, r"an array of shape \(n, 0\) has no columns"),
        (
            lambda: sleep(x=np.array("2020-01-01", "M8[D]") + np.arange(180)),
            ArgumentError,
            "factors and dates",
        ),
        (lambda: sleep(names=["a", None]), ArgumentError, "names must be a name, not None"),
        (lambda: sleep(ArrayTerm(SUBJECT, names=3)), ArgumentError, "names of the term must be a list"),
        (lambda: sleep(ArrayTerm(SUBJECT, SUBJECT, 3)), ArgumentError, "names of the term must be a list"),
        (lambda: sleep(ArrayTerm(SUBJECT, X, 3)), ArgumentError, "names of the term must be a list"),
        (lambda: sleep(names=["a", "b`c"]), ArgumentError, "contains a backtick"),
        (lambda: sleep(names=["a", "(Intercept)"]), ArgumentError, "the name of a first column of ones"),
        (lambda: sleep(names=["const", "y"]), DataError, "X and y both have a column 'y'"),
        (lambda: sleep(ArrayTerm(SUBJECT, DAYS**2, ["x1"])), DataError, "both have a column 'x1'"),
        (lambda: sleep(ArrayTerm(SUBJECT, group="g"), ArrayTerm(Y, group="g")), DataError, "column 'g'"),
        (lambda: sleep(ArrayTerm("Subject")), ArgumentError, "groups of the term must be an array"),
        (lambda: sleep(ArrayTerm(SUBJECT, names=["a"])), ArgumentError, "has names but no Z"),
        (lambda: sleep(ArrayTerm(SUBJECT, np.ones((180, 0)))), ArgumentError, "has no columns"),
        (lambda: sleep(ArrayTerm(SUBJECT, X, structure="css")), ArgumentError, "did you mean 'cs'"),
        (lambda: LinearMixedModel.from_arrays(Y, X, []), ArgumentError, "at least one random-effects term"),
        (lambda: LinearMixedModel.from_arrays(Y, X, [SUBJECT]), ArgumentError, "terms must be ArrayTerm"),
        (lambda: sleep(y=SUBJECT), DataError, "the response y is not numeric"),
    ],
)
def test_bad_arrays_are_refused(call, error, said):
    with pytest.raises(error, match=said):
        call()


def test_the_gaussian_family_is_a_linear_model():
    with pytest.raises(ArgumentError, match=r"LinearMixedModel.from_arrays\(\.\.\., REML=False\)"):
        GeneralizedLinearMixedModel.from_arrays(Y, X, ArrayTerm(SUBJECT), "gaussian")


def test_later_changes_to_the_arrays_do_not_reach_the_model():
    y, x = Y.copy(), X.copy()
    model = sleep(y=y, x=x)
    y[:], x[:] = 0.0, 0.0
    assert model.fit().objective == pytest.approx(fits("sleepstudy").objective)


def test_glmer_and_arrays_agree_with_quadrature():
    data = load_cbpp()
    x = np.column_stack([np.ones(len(data)), *(data["period"] == p for p in ("2", "3", "4"))])
    y = np.column_stack([data["incidence"], data["size"] - data["incidence"]])
    model = GeneralizedLinearMixedModel.from_arrays(y, x, ArrayTerm(data["herd"]), "binomial", nAGQ=5).fit()
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    assert model.objective == pytest.approx(glmer(formula, data, "binomial", nAGQ=5).objective, rel=1e-9)
