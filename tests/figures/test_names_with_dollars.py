"""Names with the signs of mathematical text are drawn as they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from mixedmodels.plot.fit_log import fit_log_plot
from mixedmodels.plot.intervals import Series, interval_plot

BAD, RANGE = r"$\bad{$", "$0-$10k"


@pytest.fixture(scope="module")
def dollars():
    rng = np.random.default_rng(1)
    levels = [BAD, RANGE, *(f"${i}-${i + 1}" for i in range(1, 9))]
    data = pd.DataFrame({"g": np.repeat(levels, 12), "x": rng.normal(size=120)})
    data["income"] = np.tile(levels[:3], 40)
    data["y"] = rng.normal(size=10).repeat(12) + (1 + rng.normal(size=10).repeat(12)) * data["x"]
    data["y"] += rng.normal(size=120)
    return mm.lmer("y ~ x + income + (x | g)", data)


DRAW = {
    "ranef": lambda m: m.plot_ranef(),
    "ranef_qq": lambda m: m.plot_ranef_qq(),
    "groups": lambda m: m.plot_groups("x"),
    "groups by level": lambda m: m.plot_groups("income"),
    "shrinkage": lambda m: m.plot_shrinkage(),
    "influence": lambda m: m.influence(groups="g").plot(),
    "dfbetas": lambda m: m.influence(groups="g").plot(measure="dfbetas"),
    "coefficients": lambda m: m.plot_coef(),
    "residuals": lambda m: m.plot_residuals("g"),
    "effects": lambda m: m.plot_effects(["x", "income"]),
    "effects of a factor": lambda m: m.plot_effects("income"),
    "means": lambda m: m.plot_emmeans("income"),
}


@pytest.mark.parametrize("what", DRAW)
def test_dollars_are_no_mathematics(dollars, what):
    found = DRAW[what](dollars)
    figure = found.figure
    # matplotlib raises for mathematics that it cannot parse.
    figure.canvas.draw()
    texts = [t for t in figure.findobj(lambda a: hasattr(a, "get_parse_math")) if "$" in t.get_text()]
    # Ticks have a second label, which is not drawn.
    texts = [text for text in texts if text.get_visible()]
    assert texts or what == "ranef_qq"
    assert not any(t.get_parse_math() for t in texts)


def test_logarithmic_ticks_stay_mathematics():
    ax = fit_log_plot(np.array([100.0, 3.0, 0.1, 0.0]), "deviance", None)
    ax.figure.canvas.draw()
    assert any(text.get_parse_math() for text in ax.get_yticklabels())
    series = Series("", np.arange(1), np.ones(1), np.ones(1), np.ones(1))
    assert not interval_plot([RANGE], [series], ("estimate", "")).get_yticklabels()[0].get_parse_math()
