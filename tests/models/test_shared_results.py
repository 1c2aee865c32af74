"""What summaries, tests and tables share is computed once for each model."""

from __future__ import annotations

import copy
import pickle
import threading
from collections import Counter

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from mixedmodels import (
    anova,
    checkConv,
    drop1,
    emmeans,
    glmer,
    joint_tests,
    kr_compare,
    lmer,
    load_cbpp,
    load_machines,
    model_selection,
    tidy,
)

LINEAR = "score ~ Machine + (1 | Worker)"
GENERALIZED = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
EXPENSIVE = {
    "fit",
    "hessian",
    "joint_hessian",
    "gradient",
    "covariance_slopes",
    "kenward_roger",
    "conditional_variances",
}


class Counting:
    """An engine that counts the calls of its expensive methods."""

    def __init__(self, engine):
        self._engine, self.calls = engine, Counter()

    def __getattr__(self, name):
        found = getattr(self._engine, name)
        if name not in EXPENSIVE:
            return found

        def counted(*arguments, **options):
            self.calls[(name, *(a for a in arguments if isinstance(a, bool)))] += 1
            return found(*arguments, **options)

        return counted


def counted(model):
    engine = Counting(model._fitted.engine)
    object.__setattr__(model._fitted, "_engine", engine)
    return model, engine.calls


def look_at(model):
    for _ in range(2):
        str(model.summary())
        anova(model)
        tidy(model, "all", conf_int=True)
        joint_tests(model)
        checkConv(model)
        model.vcov_theta()
        model.hessian()
        model.conf_int()
        model.ranef(condVar=True)
        model.vcov(), model.pvalues, model.bse


def test_a_linear_model():
    model, calls = counted(lmer(LINEAR, load_machines()))
    look_at(model)
    str(emmeans(model, "~ Machine").pairs())
    for _ in range(2):
        for ddf in ("kenward-roger", "satterthwaite"):
            model.summary(ddf=ddf), anova(model, type=2, ddf=ddf), model.drop1(test="F", ddf=ddf)
    # Only once each, whatever was looked at.
    assert set(calls.values()) == {1}
    assert {name for name, *_ in calls} == EXPENSIVE - {"fit"}


def test_a_generalized_model():
    model, calls = counted(glmer(GENERALIZED, load_cbpp(), "binomial"))
    look_at(model)
    model.vcov_parameters(), model.vcov_parameters()
    assert set(calls.values()) == {1}


def test_refits_by_the_other_criterion():
    data = load_machines()
    model, calls = counted(lmer(LINEAR, data))
    other = lmer("score ~ 1 + (1 | Worker)", data, REML=False)
    for _ in range(2):
        anova(model, other), drop1(model), model_selection(model, other)
    assert calls["fit", False] == 1
    model, calls = counted(lmer(LINEAR, data, REML=False))
    for _ in range(2):
        model.summary(ddf="kenward-roger"), anova(model, ddf="kenward-roger"), kr_compare(model, other)
    assert calls["fit", True] == 1


@pytest.mark.parametrize(
    "fit", [lambda: lmer(LINEAR, load_machines()), lambda: glmer(GENERALIZED, load_cbpp(), "binomial")]
)
def test_models_stay_as_they_are(fit):
    model = fit()
    before = pickle.dumps(model)
    summary = model.summary()
    frames = [
        model.vcov(),
        model.hessian(),
        model.vcov_theta(),
        summary.coefficients,
        summary.residual_quantiles,
    ]
    for frame in frames:
        frame.iloc[:] = 0.0
    fresh = fit()
    pd.testing.assert_frame_equal(model.summary().coefficients, fresh.summary().coefficients)
    pd.testing.assert_series_equal(model.summary().residual_quantiles, fresh.summary().residual_quantiles)
    pd.testing.assert_frame_equal(model.hessian(), fresh.hessian())
    pd.testing.assert_frame_equal(model.vcov_theta(), fresh.vcov_theta())
    # Results are no part of a pickle, and a copy of the model has them.
    assert len(pickle.dumps(model)) == len(before)
    assert pickle.loads(pickle.dumps(model))._fitted._results == {}
    assert copy.copy(model)._fitted._results
    with pytest.raises(ValueError, match="read-only"):
        model._fitted.hessian()[0, 0] = 1.0


def test_refits_have_results_of_their_own():
    model = lmer(LINEAR, load_machines())
    first = model.summary().coefficients
    again = model.refit(load_machines()["score"].to_numpy() ** 3)
    assert not np.allclose(again.summary().coefficients, first)
    assert not np.allclose(again.hessian(), model.hessian())


def test_threads_get_the_same():
    model = lmer("score ~ Machine + (Machine | Worker)", load_machines())
    found = []
    threads = [threading.Thread(target=lambda: found.append(model._fitted.hessian())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(value) for value in found}) == 1


@pytest.mark.filterwarnings("ignore::mixedmodels.errors.MixedModelsWarning")
def test_dropped_columns_are_decomposed_once(monkeypatch):
    """Means, joint tests, hypotheses and predictions share what follows from dropped columns."""
    data = mm.load_sleepstudy()
    model = mm.lmer("Reaction ~ Days + twice + (1 | Subject)", data.assign(twice=2 * data["Days"]))
    calls, real = [], np.linalg.lstsq
    monkeypatch.setattr(np.linalg, "lstsq", lambda *args, **more: calls.append(1) or real(*args, **more))
    for _ in range(3):
        str(mm.emmeans(model, "~ Days"))
        str(mm.joint_tests(model))
        model.linear_hypothesis("(Intercept) = 0")
        model.predict()
    assert len(calls) == 1
