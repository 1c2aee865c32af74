"""Arguments that are names or flags are refused in one wording, whatever they hold."""

from __future__ import annotations

import numpy as np
import pytest

from mixedmodels import ArgumentError, emmeans, glmer, lmer, load_cbpp, load_sleepstudy, vcov_cluster
from shared_fits import fits

SLEEP = load_sleepstudy()
MODEL = fits("sleepstudy", "Reaction ~ factor(Days) + (1 | Subject)")
MEANS = emmeans(MODEL, "~ Days")
COUNTS = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
NAMES = {
    "weights": lambda value: emmeans(MODEL, "~ Days", weights=value),
    "adjust": lambda value: MEANS.confint(adjust=value),
    "transform": MEANS.regrid,
    "type": lambda value: vcov_cluster(MODEL, type=value),
}
FLAGS = {
    "condVar": lambda value: MODEL.ranef(condVar=value),
    "verbose": lambda value: lmer("Reaction ~ Days + (1 | Subject)", SLEEP, verbose=value),
    "verbose of glmer": lambda value: glmer(COUNTS, load_cbpp(), "binomial", verbose=value),
}


@pytest.mark.parametrize("value", ["nonsense", 5, np.ones(3), ["a", "b"], {"a": 1}], ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_names(name, value):
    with pytest.raises(ArgumentError, match=f"^{name} must be one of '"):
        NAMES[name](value)


@pytest.mark.parametrize("value", ["no", 1, np.ones(3), [True]], ids=str)
@pytest.mark.parametrize("name", FLAGS)
def test_flags(name, value):
    with pytest.raises(ArgumentError, match=f"^{name.split()[0]} must be True or False, not "):
        FLAGS[name](value)
