"""What the arguments of marginal means and contrasts take, by label and type, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mixedmodels import lmer, load_sleepstudy
from mixedmodels.errors import ArgumentError
from shared_fits import fits

# Labels of means


WEIGHTS = {"A": 1.0, "B": -1.0, "C": 0.0}
LABELLED: dict[str, Any] = {
    "data frame": pd.DataFrame([WEIGHTS], index=["A-B"]),
    "data frame in another order": pd.DataFrame([[-1, 1, 0]], index=["A-B"], columns=["B", "A", "C"]),
    "mapping to a Series": {"A-B": pd.Series(WEIGHTS)[::-1]},
    "mapping to some labels": {"A-B": pd.Series({"B": -1, "A": 1})},
    "Series": pd.Series({"B": -1, "A": 1}),
    "list of Series": [pd.Series(WEIGHTS)[::-1]],
    "no labels": {"A-B": pd.Series([1, -1, 0])},
    "list": {"A-B": [1, -1, 0]},
}


@pytest.mark.parametrize("form", LABELLED)
def test_labels_of_weights(machines, form):
    pairs = machines.pairs().to_frame()
    found = machines.contrast(LABELLED[form]).to_frame()
    np.testing.assert_allclose(found["estimate"], pairs["estimate"][:1], rtol=1e-12)


def test_labels_as_tables_show_them(periods):
    wanted = periods.contrast("dunnett", ref="period2").to_frame()
    for ref in ("2", 1, np.int64(1), np.int8(1)):
        pd.testing.assert_frame_equal(periods.contrast("dunnett", ref=ref).to_frame(), wanted)
    weights = [pd.Series({first: 1, "period1": -1}) for first in ("2", "period2")]
    one, other = (periods.contrast({"x": row}).to_frame() for row in weights)
    pd.testing.assert_frame_equal(one, other)


def test_labels_within_groups(ham):
    """Each group has its own; levels that are numbers are names when they are strings."""
    grouped = ham.contrast({"x": pd.Series({"2": 1.0, "1": -1.0})}, by="Product").to_frame()
    wanted = ham.pairs(by="Product", reverse=True).to_frame()
    np.testing.assert_allclose(grouped["estimate"], wanted["estimate"], rtol=1e-12)
    one, other = (ham.contrast("dunnett", "none", ref=ref) for ref in ("2 1", "Product2 Information1"))
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())


def test_unknown_labels(machines):
    for given in (pd.DataFrame([[1, -1]], columns=["A", "D"]), {"x": pd.Series({"D": 1})}):
        with pytest.raises(ArgumentError, match="there is no mean 'D'; the means are: A, B, C"):
            machines.contrast(given)
    for ref in ("D", True, 3, -1, 1.0):
        with pytest.raises(ArgumentError, match="ref must be one of A, B, C"):
            machines.contrast("dunnett", ref=ref)


# Another covariance matrix after a linear approximation


CHANGED: dict[str, Any] = {
    "regrid": lambda e: e.regrid(),
    "regrid to logs": lambda e: e.regrid("log"),
    "eff_size": lambda e: e.eff_size(2.0, 20),
    "regrid, then eff_size": lambda e: e.regrid().eff_size(0.5, 20),
}


@pytest.mark.parametrize("change", CHANGED)
def test_linear_approximations_keep_their_coefficients(change):
    """Kenward and Roger's method refits by REML: rows computed with ML estimates are not its rows."""
    data = load_sleepstudy().iloc[::3]
    model = lmer("log(Reaction) ~ Days + (Days | Subject)", data, REML=False)
    at = {"Days": [1, 5]}
    means = model.emmeans("~ Days", at=at, type="response")
    changed = CHANGED[change](means)
    with pytest.raises(ArgumentError, match=r"by REML.* give ddf= to emmeans\(\)"):
        changed.contrast("identity", ddf="kenward-roger")
    early = CHANGED[change](model.emmeans("~ Days", at=at, type="response", ddf="kenward-roger"))
    np.testing.assert_allclose(
        early.contrast("identity", ddf="kenward-roger").vcov(), early.contrast("identity").vcov(), rtol=1e-10
    )
    # A matrix for the same coefficients, and a REML fit, are fine.
    doubled = changed.contrast("identity", vcov=model.vcov().to_numpy())
    np.testing.assert_allclose(doubled.vcov(), changed.contrast("identity").vcov(), rtol=1e-8)
    by_reml = CHANGED[change](model.refit(REML=True).emmeans("~ Days", at=at, type="response"))
    assert np.isfinite(by_reml.contrast("identity", ddf="kenward-roger").to_frame()["SE"]).all()


# Numbers of other types


@pytest.mark.parametrize("number", [1, 1.0, np.int64(1), np.float32(1), np.int8(1)])
def test_offsets_are_numbers_of_any_type(number):
    model = fits("cbpp")
    wanted = model.emmeans("~ period", offset=0.0).confint()["emmean"] + 1.0
    np.testing.assert_allclose(model.emmeans("~ period", offset=number).confint()["emmean"], wanted)


@pytest.mark.parametrize("value", [True, np.nan, np.inf, "1", [1.0]])
def test_offsets_that_are_not_numbers(value):
    model = fits("cbpp")
    with pytest.raises(ArgumentError, match="offset must be a finite number"):
        model.emmeans("~ period", offset=value)


# Arguments without effect


@pytest.mark.parametrize("type", [None, "link"])
@pytest.mark.parametrize("name", ["cbpp", "sleepstudy"])
def test_bias_adjustment_is_for_the_response(name, type):
    model = fits(name)
    options = {} if type is None else {"type": type}
    with pytest.raises(ArgumentError, match="bias_adjust=True needs type='response'"):
        model.emmeans("~ 1", bias_adjust=True, **options)


def test_names_after_by_are_of_by(ham):
    model = fits("ham", "Informed.liking ~ Product * Information + (1 | Consumer)")
    for call in (
        lambda: model.joint_tests(by="x"),
        lambda: model.emmeans("~ Product", by="x"),
        lambda: model.emtrends("~ Product", "Product", by="x"),
        lambda: ham.pairs(by="x"),
    ):
        with pytest.raises(ArgumentError, match=r"^by: .*'x'.*'Product', 'Information'"):
            call()
    with pytest.raises(ArgumentError, match=r"^specs: the model has no predictor 'x'"):
        model.emmeans("~ Product | x", by="Information")


@pytest.mark.parametrize("ddf", ["inf", "residual", "satterthwaite", "kenward-roger"])
def test_other_degrees_of_freedom_keep_the_covariance_matrix(ddf):
    model = fits("machines")
    robust, matrix = model.vcov_cluster(), 4 * model.vcov().to_numpy()
    with pytest.raises(ArgumentError, match="brings its own degrees of freedom"):
        model.emmeans("~ Machine", vcov=robust).pairs(ddf=ddf)
    means = model.emmeans("~ Machine", vcov=matrix)
    if ddf in ("inf", "residual"):
        np.testing.assert_allclose(
            means.pairs(ddf=ddf).to_frame()["SE"], 2 * model.emmeans("~ Machine").pairs().to_frame()["SE"]
        )
    else:
        with pytest.raises(ArgumentError, match="the model's own covariance matrix"):
            means.pairs(ddf=ddf)
