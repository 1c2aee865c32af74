"""A covariance matrix of another model is refused at every door, and its own taken."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

from mixedmodels import (
    anova,
    coef_test,
    confint,
    drop1,
    emmeans,
    emtrends,
    glmer,
    joint_tests,
    linear_hypothesis,
    lmer,
    load_cbpp,
    load_sleepstudy,
    model_table,
    t_test,
    tidy,
    vcov_cluster,
)
from mixedmodels.errors import ArgumentError
from mixedmodels.inference.basis.choice import basis_of
from shared_fits import fits

SLEEP = load_sleepstudy()
FORMULA = "Reaction ~ Days + (1 | Subject)"


@pytest.fixture(scope="module")
def models():
    changed = SLEEP.assign(Reaction=3 * SLEEP["Reaction"] + 7)
    return fits("sleepstudy", "Reaction ~ Days + (1 | Subject)"), lmer(FORMULA, changed)


DOORS: dict[str, Any] = {
    "summary": lambda m, v: m.summary(vcov=v),
    "conf_int": lambda m, v: m.conf_int(vcov=v),
    "confint": lambda m, v: confint(m, vcov=v),
    "anova": lambda m, v: anova(m, vcov=v),
    "drop1": lambda m, v: drop1(m, test="F", vcov=v),
    "tidy": lambda m, v: tidy(m, vcov=v),
    "emmeans": lambda m, v: emmeans(m, "~ Days", vcov=v),
    "emtrends": lambda m, v: emtrends(m, "~ 1", "Days", vcov=v),
    "joint_tests": lambda m, v: joint_tests(m, vcov=v),
    "t_test": lambda m, v: t_test(m, "Days = 0", vcov=v),
    "linear_hypothesis": lambda m, v: linear_hypothesis(m, "Days = 0", vcov=v),
    "coef_test": lambda m, v: coef_test(m, vcov=v),
    "model_table": lambda m, v: model_table(m, vcov=v),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", ["robust", "satterthwaite", "kenward-roger", "residual", "inf"])
def test_what_belongs_to_another_model_is_refused(models, door, kind):
    own, other = models
    made = [vcov_cluster(m) if kind == "robust" else basis_of(m._fitted, kind) for m in models]
    DOORS[door](own, made[0])
    with pytest.raises(ArgumentError, match="belongs to another model") as caught:
        DOORS[door](own, made[1])
    # Both models are named.
    assert str(caught.value).count(FORMULA) == 2
    assert f"{other.objective:.7g}" in str(caught.value)


def test_different_models(models):
    robust = vcov_cluster(models[0])
    refused = {
        "other rows": lmer(FORMULA, SLEEP[SLEEP["Days"] < 9]),
        "other random effects": fits("sleepstudy"),
        "the other criterion": fits("sleepstudy", "Reaction ~ Days + (1 | Subject)", REML=False),
        "weights": lmer(FORMULA, SLEEP.assign(w=2.0), weights="w"),
        "another order of rows": lmer(FORMULA, SLEEP.assign(Reaction=SLEEP["Reaction"][::-1].to_numpy())),
    }
    for model in refused.values():
        with pytest.raises(ArgumentError, match="another model"):
            anova(model, vcov=robust)


def test_a_generalized_model():
    data = load_cbpp()
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    one, other = glmer(formula, data, "binomial"), glmer(formula, data, "binomial", link="probit")
    basis = basis_of(other._fitted)
    with pytest.raises(ArgumentError, match="another model"):
        anova(one, vcov=basis)
    np.testing.assert_array_equal(anova(other, vcov=basis), anova(other))


def test_copies_and_pickles_belong_to_each_other(models):
    model = models[0]
    robust = vcov_cluster(model)
    wanted = anova(model, vcov=robust)
    again, its_own = pickle.loads(pickle.dumps((model, robust)))
    for m, v in (
        (again, its_own),
        (model, its_own),
        (again, robust),
        (copy.deepcopy(model), copy.copy(robust)),
    ):
        np.testing.assert_array_equal(anova(m, vcov=v), wanted)
    same = lmer(FORMULA, SLEEP.copy())
    np.testing.assert_allclose(anova(same, vcov=robust), wanted)


def test_kenward_roger_of_a_fit_by_maximum_likelihood(models):
    """Its numbers are those of a refit, and it belongs to the model it was asked of."""
    model = fits("sleepstudy", "Reaction ~ Days + (1 | Subject)", REML=False)
    basis = basis_of(model._fitted, "kenward-roger")
    np.testing.assert_array_equal(anova(model, vcov=basis), anova(model, ddf="kenward-roger"))
    with pytest.raises(ArgumentError, match="another model"):
        anova(models[0], vcov=basis)
