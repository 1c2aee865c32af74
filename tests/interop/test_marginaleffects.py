"""Predictions, comparisons and slopes by the package marginaleffects."""

from __future__ import annotations

import numpy as np
import pytest

from mixedmodels import glmer, lmer, load_sleepstudy, load_verbagg, vcov_cluster
from mixedmodels.errors import ArgumentError
from shared_fits import fits

pl = pytest.importorskip("polars")
me = pytest.importorskip("marginaleffects")

from mixedmodels.interop.marginaleffects import adapt  # noqa: E402

# It calls functions of polars that are deprecated in version 1 and gone in version 2.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
# Its standard errors of slopes are differences of differences, with the rounding error of both.
SLOPE_ERROR = 1e-4
factors = pytest.mark.skipif(
    int(pl.__version__.split(".")[0]) >= 2, reason="marginaleffects 0.6 compares factors with polars 1 only"
)


@pytest.fixture(scope="module")
def sleep():
    return fits("sleepstudy")


@pytest.fixture(scope="module")
def verbagg():
    return glmer("r2 ~ Anger + Gender + btype + (1 | id) + (1 | item)", load_verbagg(), "binomial")


def test_slopes_and_comparisons_of_a_linear_model(sleep):
    for table, rtol in ((me.avg_slopes(adapt(sleep)), SLOPE_ERROR), (me.avg_comparisons(adapt(sleep)), 1e-6)):
        assert table["estimate"][0] == pytest.approx(float(sleep.params["Days"]), rel=1e-6)
        assert table["std_error"][0] == pytest.approx(float(sleep.bse["Days"]), rel=rtol)


def test_predictions_of_a_linear_model(sleep):
    adapted = adapt(sleep)
    table = me.predictions(adapted, newdata=me.datagrid(model=adapted, Days=[0, 9]))
    np.testing.assert_allclose(table["estimate"], sleep.predict({"Days": [0, 9]}, re_form="~0"))
    rows = np.array([[1.0, 0.0], [1.0, 9.0]])
    errors = np.sqrt(np.diag(rows @ sleep.vcov().to_numpy() @ rows.T))
    np.testing.assert_allclose(table["std_error"], errors, rtol=1e-6)


def test_robust_errors(sleep):
    table = me.avg_slopes(adapt(sleep), vcov="CR0")
    error = np.sqrt(vcov_cluster(sleep, type="CR0").covariance[1, 1])
    assert table["std_error"][0] == pytest.approx(error, rel=SLOPE_ERROR)


@factors
def test_slopes_of_a_generalized_model(verbagg):
    mean = verbagg.predict(re_form="~0", type="response")
    table = me.avg_slopes(adapt(verbagg), variables="Anger")
    by_hand = verbagg.params["Anger"] * np.mean(mean * (1 - mean))
    assert table["estimate"][0] == pytest.approx(by_hand, rel=1e-5)


def test_predictions_of_a_generalized_model(verbagg):
    mean = verbagg.predict(re_form="~0", type="response")
    predicted = me.predictions(adapt(verbagg))
    np.testing.assert_allclose(predicted["estimate"], mean, rtol=1e-10)
    link = me.predictions(adapt(verbagg, "link"))
    np.testing.assert_allclose(link["estimate"], verbagg.predict(re_form="~0"), rtol=1e-10)


@factors
def test_comparisons_of_a_factor(verbagg):
    table = me.avg_comparisons(adapt(verbagg), variables="btype")
    data = load_verbagg()
    means = {
        level: verbagg.predict(data.assign(btype=level), re_form="~0", type="response").mean()
        for level in ("curse", "scold", "shout")
    }
    found = dict(zip(table["contrast"], table["estimate"], strict=True))
    for level in ("scold", "shout"):
        contrast = next(value for name, value in found.items() if level in name)
        assert contrast == pytest.approx(means[level] - means["curse"], rel=1e-8)
    assert (table["std_error"] > 0).all()


def test_wrong_arguments(sleep):
    with pytest.raises(ArgumentError, match="type must be one of"):
        adapt(sleep, "probability")
    offset = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy(), offset="Days")
    with pytest.raises(ArgumentError, match="offset in the formula"):
        me.predictions(adapt(offset))
