"""Linear hypotheses: every spelling, and each against the estimates and covariances it is made of."""

import numpy as np
import pandas as pd
import pytest
from dietox import fit
from numpy.testing import assert_allclose
from scipy import stats
from statsmodels.tools.sm_exceptions import ValueWarning

from mixedmodels import RankDeficiencyWarning, load_dietox
from mixedmodels.statsmodels import mixedlm


@pytest.fixture(scope="module")
def copper():
    return mixedlm("Weight ~ Time + C(Cu)", load_dietox(), groups="Pig", re_formula="~Time").fit()


def test_t_tests_take_texts_vectors_and_matrices():
    result = fit(True, True)
    by_text = result.t_test("Time = 7")
    by_values = result.t_test(([0, 1], 7))
    assert_allclose(by_text.tvalue, (result.fe_params["Time"] - 7) / result.bse_fe["Time"])
    assert_allclose(by_text.tvalue, by_values.tvalue)
    assert_allclose(result.t_test([0, 1]).tvalue, result.tvalues["Time"])
    assert_allclose(np.ravel(result.t_test(np.eye(2)).sd), result.bse_fe)
    by_t = result.t_test("Time = 7", use_t=True)
    assert_allclose(by_t.pvalue, 2 * stats.t.sf(abs(by_t.tvalue), result.df_resid))


def test_t_tests_are_for_fixed_effects():
    with pytest.raises(ValueError, match="should have 2 columns"):
        fit(True, True).t_test(np.eye(3))


def test_wald_tests_take_a_column_for_each_fixed_effect_or_parameter(copper):
    narrow = np.eye(4)[1:3]
    wide = np.hstack([narrow, np.zeros((2, 3))])
    text = f"{copper.params.index[1]} = 0, {copper.params.index[2]} = 0"
    found = [copper.wald_test(r, use_f=False).statistic for r in (narrow, wide, text)]
    estimate, cov = copper.fe_params.iloc[1:3], copper.cov_params().iloc[1:3, 1:3]
    assert_allclose(found, estimate @ np.linalg.solve(cov, estimate))
    assert_allclose(copper.f_test(narrow).fvalue, found[0] / 2)


def test_tests_of_terms(copper):
    table = copper.wald_test_terms(scalar=True).table
    assert list(table.index) == ["Intercept", "C(Cu)", "Time"]
    assert_allclose(table.loc["C(Cu)", "statistic"], copper.wald_test(np.eye(4)[1:3]).statistic)
    assert list(table["df_constraint"]) == [1, 2, 1]


def test_pairs_of_levels(copper):
    frame = copper.t_test_pairwise("C(Cu)").result_frame
    difference = copper.t_test([0, -1, 1, 0])
    assert list(frame.index) == ["Cu035-Cu000", "Cu175-Cu000", "Cu175-Cu035"]
    assert_allclose(frame.loc["Cu175-Cu035", "coef"], difference.effect)
    assert_allclose(frame.loc["Cu175-Cu035", "std err"], difference.sd)


def test_contrasts_of_covariances(copper):
    rows = np.eye(7)[:2]
    assert_allclose(copper.cov_params(r_matrix=rows), copper.cov_params().iloc[:2, :2])
    assert_allclose(copper.cov_params(r_matrix=rows[0], other=rows[1]), copper.cov_params().iloc[0, 1])
    assert_allclose(copper.cov_params(column=[1, 2]), copper.cov_params().iloc[1:3, 1:3])


def test_a_variance_of_zero_leaves_tests_of_fixed_effects_alone():
    """Group means that are equal: the variance is zero, and has no standard error."""
    group = np.repeat(np.arange(6), 4)
    x = np.tile([1.0, 2.0, 3.0, 4.0], 6)
    y = x + np.tile([0.3, -0.3, -0.3, 0.3], 6)
    with pytest.warns(Warning, match="singular"):
        result = mixedlm("y ~ x", pd.DataFrame({"y": y, "x": x, "g": group}), groups="g").fit()
    assert result.cov_re.iloc[0, 0] == 0.0
    assert np.isnan(result.bse_re).all()
    assert np.isfinite(result.bse_fe).all()
    assert np.isfinite(result.t_test("x = 1").pvalue)
    assert np.isfinite(result.f_test(np.eye(2)).pvalue)
    assert all((effects == 0.0).all() for effects in result.random_effects.values())
    assert "nan" not in str(result.summary())


@pytest.fixture(scope="module", params=["k", "twice", "C(copy)"])
def dependent(request):
    """Columns that depend on those before: a constant, a multiple, and the levels of a factor."""
    data = load_dietox()
    data = data.assign(k=3.0, twice=2 * data["Time"] + 1, copy=data["Cu"].astype(str) + "!")
    with pytest.warns(RankDeficiencyWarning, match="exog: column"):
        return mixedlm(f"Weight ~ Time + C(Cu) + {request.param}", data, groups="Pig").fit(), request.param


def test_tests_of_terms_leave_dropped_columns_out(dependent, copper):
    result, term = dependent
    table = result.wald_test_terms(scalar=True).table
    plain = mixedlm("Weight ~ Time + C(Cu)", load_dietox(), groups="Pig").fit()
    expected = plain.wald_test_terms(scalar=True).table
    assert table.loc[term, "df_constraint"] == 0
    assert np.isnan(table.loc[term, ["statistic", "pvalue"]].astype(float)).all()
    assert_allclose(table.drop(term).astype(float), expected.astype(float), rtol=1e-6)


def test_joint_tests_with_dropped_columns(dependent):
    result, _ = dependent
    gone = np.eye(result.k_fe)[np.isnan(result.bse_fe)]
    alone = result.f_test(gone)
    assert alone.df_num == 0
    assert np.isnan(alone.fvalue)
    assert np.isnan(result.t_test(gone).tvalue).all()
    time = np.eye(result.k_fe)[[list(result.fe_params.index).index("Time")]]
    with pytest.warns(ValueWarning, match="left out of a joint test"):
        both = result.f_test(np.vstack([time, gone]))
    assert_allclose(both.fvalue, result.f_test("Time = 0").fvalue)
    assert both.df_num == 1


def test_pairs_need_a_factor(copper):
    for name in ("Cu", "Time", "Intercept"):
        with pytest.raises(ValueError, match=r"main effect of a factor, one of 'C\(Cu\)'; got"):
            copper.t_test_pairwise(name)


@pytest.mark.parametrize("alpha", [95, 0, 1, -0.1, np.nan])
def test_levels_of_intervals_are_between_zero_and_one(copper, alpha):
    for method in (copper.conf_int, copper.summary):
        with pytest.raises(ValueError, match="alpha must be between 0 and 1"):
            method(alpha=alpha)
