"""What results show, keep and lose."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from dietox import fit
from numpy.testing import assert_allclose
from scipy import stats
from statsmodels.iolib.summary2 import Summary, summary_col

from mixedmodels import load_dietox
from mixedmodels.statsmodels import MixedLM, MixedLMResults, MixedLMResultsWrapper, mixedlm
from mixedmodels.statsmodels.groups import Groups

NAMES = ["Intercept", "Time", "Pig Var", "Pig x Time Cov", "Time Var"]


def arrays():
    data = load_dietox()
    x = np.column_stack([np.ones(len(data)), data["Time"]])
    return MixedLM(data["Weight"].to_numpy(), x, data["Pig"].astype(str).to_numpy(), x).fit()


def test_formulas_give_labels():
    result = fit(True, True)
    for found in (result.params, result.bse, result.tvalues, result.pvalues, result.conf_int()):
        assert list(found.index) == NAMES
    assert list(result.cov_params().columns) == NAMES
    assert list(result.bse_re.index) == NAMES[2:]
    assert list(result.fe_params.index) == list(result.bse_fe.index) == NAMES[:2]
    assert list(result.cov_re.columns) == list(result.cov_re_unscaled.index) == ["Pig", "Time"]
    assert isinstance(result.resid, pd.Series)


def test_arrays_give_arrays():
    result, labelled = arrays(), fit(True, True)
    for name in (
        "params",
        "bse",
        "tvalues",
        "pvalues",
        "fe_params",
        "bse_re",
        "cov_re",
        "resid",
        "fittedvalues",
    ):
        found = getattr(result, name)
        assert type(found) is np.ndarray
        assert_allclose(found, getattr(labelled, name), rtol=1e-5, atol=1e-8)
    assert type(result.cov_params()) is np.ndarray


def test_params_are_relative_and_the_rest_is_not():
    result = fit(True, True)
    assert_allclose(result.params["Time Var"] * result.scale, result.cov_re.loc["Time", "Time"])
    assert_allclose(result.cov_re_unscaled * result.scale, result.cov_re)
    assert_allclose(result.normalized_cov_params * result.scale, result.cov_params())


def test_intervals_and_p_values_are_normal():
    result = fit(True, True)
    limits = result.conf_int(alpha=0.1).loc["Time"]
    reach = stats.norm.ppf(0.95) * result.bse["Time"]
    assert_allclose(limits, [result.params["Time"] - reach, result.params["Time"] + reach])
    assert_allclose(result.pvalues, 2 * stats.norm.sf(np.abs(result.tvalues)))


def test_criteria():
    ml, reml = fit(True, False), fit(True, True)
    assert_allclose(ml.aic, -2 * ml.llf + 2 * 6)
    assert_allclose(ml.bic, -2 * ml.llf + np.log(861) * 6)
    assert np.isnan(reml.aic)
    assert np.isnan(reml.bic)
    assert (ml.method, reml.method) == ("ML", "REML")


def test_the_summary_has_the_layout_of_statsmodels():
    result = fit(True, True)
    page = result.summary()
    assert isinstance(page, Summary)
    facts, estimates = page.tables
    assert list(facts[0]) == [
        *("Model:", "No. Observations:", "No. Groups:"),
        *("Min. group size:", "Max. group size:", "Mean group size:"),
    ]
    assert list(estimates.index) == NAMES
    assert list(estimates.columns) == ["Coef.", "Std.Err.", "z", "P>|z|", "[0.025", "0.975]"]
    assert estimates.loc["Time Var", "Coef."] == f"{result.cov_re.loc['Time', 'Time']:.3f}"
    assert estimates.loc["Time Var", "Std.Err."] == f"{result.bse_re['Time Var']:.3f}" == "0.077"
    assert (estimates.loc["Time Var"].iloc[2:] == "").all()
    for text in (page.as_text(), page.as_latex()):
        assert "Mixed Linear Model Regression Results" in text
    assert "<td>0.077</td>" in page.as_html()


def test_names_of_the_summary_are_counted():
    with pytest.raises(ValueError, match="xname_fe should be a list of length 2"):
        fit(True, True).summary(xname_fe=["a"])
    with pytest.raises(ValueError, match="xname_re should be a list of length 3"):
        fit(True, True).summary(xname_re=["a"])


def test_tables_of_several_fits():
    text = str(summary_col([fit(False, True), fit(True, True)], model_names=["intercept", "slope"]))
    assert f"{fit(True, True).params['Time']:.4f}" in text
    assert f"({fit(True, True).bse['Time']:.4f})" in text


def test_predictions_leave_random_effects_out():
    result = fit(True, True)
    new = load_dietox().iloc[:3]
    assert_allclose(
        result.predict(new), result.fe_params["Intercept"] + result.fe_params["Time"] * new["Time"]
    )
    assert_allclose(result.predict(), result.model.exog @ result.fe_params)


def test_pickles_and_files(tmp_path):
    result = fit(True, True)
    path = tmp_path / "dietox.pickle"
    result.save(path)
    for copy in (pickle.loads(pickle.dumps(result)), MixedLMResults.load(path)):
        assert isinstance(copy, MixedLMResultsWrapper)
        pd.testing.assert_series_equal(copy.params, result.params)
        pd.testing.assert_series_equal(copy.resid, result.resid)
        assert str(copy.summary()) == str(result.summary())
        assert_allclose(copy.to_mixedmodels().llf, result.llf)


def test_results_without_their_data():
    result = mixedlm("Weight ~ Time", load_dietox(), groups="Pig").fit()
    before, new = str(result.summary()), load_dietox().iloc[:2]
    predicted, size = result.predict(new), len(pickle.dumps(result))
    result.remove_data()
    assert str(result.summary()) == before
    assert_allclose(result.predict(new), predicted)
    assert np.isfinite(result.t_test("Time = 7").pvalue)
    assert result.model.endog is None
    assert len(pickle.dumps(result)) < size / 2


def test_the_record_of_the_search():
    model = MixedLM.from_formula("Weight ~ Time", load_dietox(), groups="Pig")
    assert model.fit(full_output=True).hist[0]["converged"]
    assert model.fit().hist is None


def test_pickles_load_in_scripts(tmp_path):
    """At the top of a script, where statsmodels' own results fail to load; a function may be anywhere."""
    path = tmp_path / "squares.pickle"
    squared = np.square  # a name that only this function knows
    result = mixedlm("Weight ~ squared(Time)", load_dietox(), groups="Pig").fit()
    assert squared is np.square
    result.save(path)
    predict = "print(result.predict(load_dietox().iloc[:1]).round(4).iloc[0])"
    load = f"result = pickle.load(open({str(path)!r}, 'rb'))\n"
    start = "import pickle, numpy\nfrom mixedmodels import load_dietox\n"
    code = start + "squared = numpy.square\n" + load + predict
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == str(result.predict(load_dietox().iloc[:1]).round(4).iloc[0]), done.stderr
    without = start + load + "print(round(result.params['squared(Time)'], 4))"
    done = subprocess.run([sys.executable, "-c", without], capture_output=True, text=True)
    assert done.stdout.strip() == str(round(result.params["squared(Time)"], 4)), done.stderr


@pytest.mark.parametrize(
    "options",
    [
        {"groups": "Litter", "vc_formula": {"p": "0 + C(Pig)", "t": "0 + Time"}},
        {"groups": "Litter", "vc_formula": {"p": "0 + C(Pig):Time", "q": "0 + Pig"}, "missing": "drop"},
    ],
)
def test_components_are_pickled(options, tmp_path):
    data = load_dietox()
    data["Pig"] = data["Pig"].astype(str)
    result = mixedlm("Weight ~ Time", data, **options).fit()
    result.save(tmp_path / "components.pickle")
    copy = MixedLMResults.load(tmp_path / "components.pickle")
    assert copy.llf == result.llf
    for label, effects in result.random_effects.items():
        pd.testing.assert_series_equal(copy.random_effects[label], effects)
    assert_allclose(copy.model.fit().params, result.params)
    rows = np.arange(len(data)) > 3
    part = result.model.exog_vc.at_rows(rows, result.model.groups_of_rows, Groups(result.model.groups[rows]))
    assert pickle.loads(pickle.dumps(part)).colnames == part.colnames
