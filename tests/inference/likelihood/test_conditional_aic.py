"""cAIC()."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from mixedmodels import cAIC, lmer, load_dyestuff2, load_penicillin, load_sleepstudy
from mixedmodels.errors import ArgumentError
from shared_fits import fits

SLEEP = ("Reaction ~ Days + (Days | Subject)", load_sleepstudy)
PENICILLIN = ("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin)


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize(("formula", "load"), [SLEEP, PENICILLIN])
def test_degrees_of_freedom_are_the_derivative_of_the_fitted_values(formula, load, reml):
    # By differences over refits.
    model = lmer(formula, load(), REML=reml)
    y = model._fitted.design.y
    step = 0.02 * y.std()
    trace = 0.0
    for i in range(len(y)):
        up, down = y.copy(), y.copy()
        up[i] += step
        down[i] -= step
        trace += (model.refit(up).fitted()[i] - model.refit(down).fitted()[i]) / (2 * step)
    # The differences are good to the square of the step.
    assert cAIC(model).df == pytest.approx(trace + 1, rel=5e-6)


def test_parts():
    model = lmer(*[SLEEP[0], SLEEP[1]()])
    value = cAIC(model)
    residual = model.residuals()
    sigma2 = model.sigma**2
    by_hand = -0.5 * (len(residual) * np.log(2 * np.pi * sigma2) + residual @ residual / sigma2)
    assert value.logLik == pytest.approx(by_hand, rel=1e-12)
    assert float(value) == pytest.approx(-2 * value.logLik + 2 * value.df)
    assert cAIC(model, "vaida-blanchard").df == pytest.approx(29.0220678231721 + 1, rel=1e-8)
    assert pickle.loads(pickle.dumps(value)).df == value.df


def test_weights_and_offset():
    data = load_sleepstudy()
    data["w"] = 1.0 + (np.arange(len(data)) % 3)
    plain = cAIC(lmer("Reaction ~ Days + (1 | Subject)", data, weights="w"))
    moved = data.assign(Reaction=data["Reaction"] + 3 * data["Days"], o=3 * data["Days"])
    shifted = cAIC(lmer("Reaction ~ Days + offset(o) + (1 | Subject)", moved, weights="w"))
    assert float(shifted) == pytest.approx(float(plain), rel=1e-9)
    assert shifted.df == pytest.approx(plain.df, rel=1e-7)


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.SingularFitWarning")
def test_a_variance_of_zero_counts_as_known():
    value = cAIC(lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff2()))
    assert value.df == pytest.approx(2.0)
    assert "the variance of (Intercept) within Batch" in value.notes[0]


def test_not_for_generalized_models():
    model = fits("cbpp")
    with pytest.raises(ArgumentError, match="linear mixed models"):
        cAIC(model)
