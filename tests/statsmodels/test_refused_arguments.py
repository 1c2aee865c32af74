"""Arguments that no model can have are refused in the words of statsmodels."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose
from statsmodels.tools.sm_exceptions import ConvergenceWarning, MissingDataError, SingularMatrixWarning

from mixedmodels import DataError, FormulaWarning, load_dietox
from mixedmodels.errors import ArgumentError, MixedModelsWarning
from mixedmodels.statsmodels import MixedLM, MixedLMParams, VCSpec, mixedlm

DATA = load_dietox()
RNG = np.random.default_rng(8)
GROUPS = np.arange(40) // 4
X = np.column_stack([np.ones(40), RNG.normal(size=40)])
Y = RNG.normal(size=40) + 2 * RNG.normal(size=10)[GROUPS]
TEXT = np.array(list("ab") * 20)
DATES = pd.Series(pd.date_range("2020-01-01", periods=40))


def infinite(values, row=7):
    changed = np.array(values, dtype=float)
    changed[row] = np.inf
    return changed


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"endog": "y ~ x"}, TypeError, "MixedLM.from_formula or mixedlm"),
        ({"groups": "Pig"}, TypeError, "groups must be an array .* not 'Pig'"),
        ({"endog": None}, TypeError, "endog must be an array"),
        ({"exog": None}, TypeError, "exog must be an array"),
        ({"groups": 3}, TypeError, "groups must be an array .* not 3"),
        ({"endog": np.ones((40, 2))}, ValueError, "endog must have one column, not 2"),
        ({"endog": TEXT}, ValueError, "endog must be numbers, not text"),
        ({"endog": TEXT.astype(object)}, ValueError, "endog must be numbers, not text"),
        ({"endog": pd.Series(TEXT, dtype="category")}, ValueError, "endog must be numbers, not category"),
        ({"exog": DATES.to_frame("when")}, ValueError, "column 'when' of exog must be numbers, not dates"),
        ({"exog_re": DATES}, ValueError, "exog_re must be numbers, not dates"),
        ({"exog": X + 1j}, ValueError, "exog must be numbers, not complex"),
        ({"groups": np.column_stack([GROUPS, GROUPS])}, ValueError, "one column of labels"),
        ({"groups": pd.DataFrame({"g": GROUPS})}, ValueError, "one column of labels"),
        ({"exog_vc": np.ones((40, 3))}, TypeError, "exog_vc must be a VCSpec"),
        ({"exog_re": X[:5]}, ValueError, "exog_re has 5 rows, but endog has 40"),
    ],
)
def test_arrays(arguments, error, match):
    with pytest.raises(error, match=match):
        MixedLM(**{"endog": Y, "exog": X, "groups": GROUPS, **arguments})


@pytest.mark.parametrize("missing", ["none", "drop", "raise"])
@pytest.mark.parametrize("name", ["endog", "exog", "exog_re"])
def test_infinite_values_are_no_missing_ones(name, missing):
    given = {"endog": Y, "exog": X, "exog_re": X}
    with pytest.raises(MissingDataError, match=f"{name} has infinite values, the first in row 7$"):
        MixedLM(**{**given, name: infinite(given[name])}, groups=GROUPS, missing=missing)
    labelled = pd.DataFrame(infinite(given[name]), index=[f"r{i}" for i in range(40)])
    with pytest.raises(MissingDataError, match="the first in row 'r7'"):
        MixedLM(**{**given, name: labelled}, groups=GROUPS, missing=missing)


def test_missing_values_say_how_to_leave_them_out():
    y = Y.copy()
    y[9] = np.nan
    with pytest.raises(
        MissingDataError, match="endog has missing values, the first in row 9; use missing='drop'"
    ):
        MixedLM(y, X, GROUPS)


@pytest.mark.parametrize("kind", [np.asarray, pd.DataFrame, lambda x: pd.DataFrame(x).astype("Float64")])
def test_objects_that_are_numbers_are_numbers(kind):
    plain = MixedLM(Y, X, GROUPS).fit()
    objects = kind(X.astype(object))
    assert_allclose(MixedLM(Y.astype(object), objects, GROUPS).fit().params, plain.params)


def test_lazy_frames_are_collected():
    lazy = pl.from_pandas(DATA).lazy()
    assert_allclose(
        mixedlm("Weight ~ Time", lazy, groups="Pig").fit().params,
        mixedlm("Weight ~ Time", DATA, groups="Pig").fit().params,
    )


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"groups": 5}, TypeError, r"a column whose name is no text give its values, data\[5\]"),
        ({"groups": DATA[["Pig"]]}, ValueError, "one column of labels"),
        ({"groups": ["Pig", "Litter"]}, ValueError, "groups='Pig', vc_formula=.'Litter'"),
        ({"data": None}, TypeError, "data must be a data frame or a dict of columns, not NoneType"),
        ({"vc_formula": "0 + C(Litter)"}, TypeError, "vc_formula must be a dict"),
        ({"vc_formula": {"z": "0"}}, ValueError, "component 'z' of vc_formula .* has no columns"),
        ({"re_formula": "0"}, ValueError, "no random effects"),
        ({"subset": "Time > 3"}, ValueError, "subset must be a truth value for each row"),
        ({"formula": "Weight + Start ~ Time"}, ValueError, "2 columns, Weight, Start: it must be one column"),
    ],
)
def test_formulas_and_data(arguments, error, match):
    with pytest.raises(error, match=match):
        mixedlm(**{"formula": "Weight ~ Time", "data": DATA, "groups": "Pig", **arguments})


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"free": [1, 1, 0]}, TypeError, "free must be a MixedLMParams"),
        ({"free": MixedLMParams.from_components(np.ones(2), np.eye(3))}, ValueError, "3 random coefficients"),
        ({"fe_pen": 0.3}, TypeError, "fe_pen must be a penalty"),
        ({"cov_pen": 0.3}, TypeError, "cov_pen must be a penalty"),
        ({"reml": "ML"}, TypeError, "reml must be True or False"),
        ({"maxiter": -2}, ValueError, "maxiter must be a whole number"),
        ({"method": 3}, TypeError, "method must be a name"),
    ],
)
def test_fits(arguments, error, match):
    with pytest.raises(error, match=match):
        mixedlm("Weight ~ Time", DATA, groups="Pig").fit(**arguments)


@pytest.mark.parametrize(
    ("alpha", "match"),
    [([0, 1, 2], "a number, or 2 numbers"), ("a", "finite"), (-1, "not negative"), ([0, np.inf], "finite")],
)
def test_weights_of_penalties(alpha, match):
    with pytest.raises(ValueError, match=match):
        mixedlm("Weight ~ Time", DATA, groups="Pig").fit_regularized(alpha=alpha)


def test_searches_that_stop_early_name_maxiter():
    with pytest.warns(ConvergenceWarning, match="allow more by maxiter=$"):
        mixedlm("Weight ~ Time", DATA, groups="Pig", re_formula="~Time").fit(maxiter=2)


def test_models_at_a_start_are_not_converged():
    model = mixedlm("Weight ~ Time", DATA, groups="Pig")
    assert not model.fit(do_cg=False).converged
    assert model.fit().converged


@pytest.mark.parametrize(
    ("options", "name"),
    [({}, "the random intercept"), ({"re_formula": "~1"}, "re_formula")],
)
def test_one_row_a_group_is_refused_in_the_words_of_the_call(options, name):
    rows = DATA.groupby("Pig").head(1)
    with pytest.raises(DataError, match=rf"as many levels .* drop {name} or"):
        mixedlm("Weight ~ Start", rows, groups="Pig", **options).fit()
    x = np.ones((len(rows), 1))
    with pytest.raises(DataError, match=r"as many levels .* drop exog_re or"):
        MixedLM(rows["Weight"], x, rows["Pig"], exog_re=x).fit()


def test_components_that_repeat_others_are_named():
    parts = {"litter": "0 + C(Litter)"}
    with pytest.warns((FormulaWarning, SingularMatrixWarning)) as found:
        result = mixedlm("Weight ~ Time", DATA, groups="Pig", re_formula="~Time", vc_formula=parts).fit()
    assert np.isfinite(result.bse_fe).all()
    messages = [str(warning.message) for warning in found]
    assert messages[0].startswith("component 'litter' is left out, as re_formula contains it")
    assert not any("|" in message for message in messages)


def test_components_of_matrices_without_columns():
    empty = VCSpec(["z"], [[[]] * 10], [[np.zeros((4, 0))] * 10])
    with pytest.raises(ValueError, match=r"component 'z' .* has no columns"):
        MixedLM(Y, X, GROUPS, exog_vc=empty).fit()


def test_single_effects_have_no_variance():
    frame = DATA.assign(one=1)
    with pytest.raises(DataError, match="component 'slope' has a single effect"):
        mixedlm("Weight ~ Start", frame, groups="one", vc_formula={"slope": "0 + Time"}).fit()


def test_as_many_coefficients_as_rows_are_told_without_bars():
    rows = DATA.groupby("Pig").head(2)
    with pytest.warns(MixedModelsWarning, match="re_formula has 144 .* free=") as found:
        mixedlm("Weight ~ Time", rows, groups="Pig", re_formula="~Time").fit()
    assert not any("|" in str(warning.message) for warning in found)


@pytest.mark.parametrize(
    ("method", "arguments", "match"),
    [
        ("bootstrap", {"nrep": "a"}, "nrep must be a whole number"),
        ("bootstrap", {"nrep": 0}, "nrep must be a whole number"),
        ("profile_re", {"re_ix": 0, "vtype": "re", "num_low": "a"}, "num_low must be a whole number"),
        ("profile_re", {"re_ix": 0, "vtype": "re", "num_high": 1.5}, "num_high must be a whole number"),
        ("profile_re", {"re_ix": 0, "vtype": "re", "dist_high": np.nan}, "dist_high must be"),
    ],
)
def test_methods_of_results(method, arguments, match):
    result = mixedlm("Weight ~ Time", DATA, groups="Pig").fit()
    with pytest.raises(ArgumentError, match=match):
        getattr(result, method)(**arguments)


def test_profiles_of_a_variance_of_zero_go_upwards():
    y = Y - (np.bincount(GROUPS, Y) / 4)[GROUPS]
    with pytest.warns(SingularMatrixWarning):
        result = MixedLM(y, np.ones((40, 1)), GROUPS).fit()
    with pytest.raises(ValueError, match="use num_low=0"):
        result.profile_re(0, "re")
    found = result.profile_re(0, "re", num_low=0, num_high=3)
    assert_allclose(found[0], [0.0, result.llf], atol=1e-8)
    assert np.all(np.diff(found[:, 1]) < 0)
