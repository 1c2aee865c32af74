"""params, bse, tvalues, pvalues, cov_params(), conf_int()."""

from __future__ import annotations

import numpy as np
import pytest

from mixedmodels import coef_test, lmer, load_sleepstudy
from mixedmodels.errors import ArgumentError
from shared_fits import fits


@pytest.fixture(scope="module")
def linear():
    return fits("sleepstudy")


def test_linear_model(linear):
    table = coef_test(linear)
    np.testing.assert_array_equal(linear.params, linear.fixef())
    np.testing.assert_array_equal(linear.bse, linear.se)
    np.testing.assert_array_equal(linear.cov_params(), linear.vcov())
    np.testing.assert_allclose(linear.tvalues, table["t value"])
    np.testing.assert_allclose(linear.pvalues, table["Pr(>|t|)"])
    assert list(linear.pvalues.index) == ["(Intercept)", "Days"]


def test_intervals_of_17_degrees_of_freedom(linear):
    # The 97.5 % quantile of t with 17 degrees of freedom, from tables.
    half = 2.1098155778 * linear.bse["Days"]
    low, high = linear.conf_int().loc["Days"]
    assert (low, high) == pytest.approx(
        (linear.params["Days"] - half, linear.params["Days"] + half), rel=1e-8
    )
    narrow = linear.conf_int(alpha=0.5)
    assert (narrow[1] - narrow[0] < linear.conf_int()[1] - linear.conf_int()[0]).all()
    np.testing.assert_allclose(linear.conf_int(ddf="inf").loc["Days"], linear.confint(ddf="inf").loc["Days"])
    with pytest.raises(ArgumentError, match="must be a number between 0 and 1"):
        linear.conf_int(alpha=5)


def test_generalized_model():
    model = fits("cbpp")
    np.testing.assert_allclose(model.tvalues, model.params / model.bse)
    np.testing.assert_allclose(model.pvalues, coef_test(model)["Pr(>|z|)"])
    assert list(model.conf_int().columns) == [0, 1]


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.RankDeficiencyWarning")
def test_dropped_columns_are_nan():
    data = load_sleepstudy()
    model = lmer("Reaction ~ Days + twice + (1 | Subject)", data.assign(twice=2 * data["Days"]))
    assert np.isnan(model.tvalues["twice"])
    assert np.isnan(model.pvalues["twice"])
    assert model.conf_int().loc["twice"].isna().all()
    assert np.isfinite(model.conf_int().loc["Days"]).all()
