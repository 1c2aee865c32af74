"""Profiles of two parameters."""

from __future__ import annotations

import numpy as np
import pytest

import mixedmodels as mm
from mixedmodels.errors import ArgumentError
from shared_fits import fits


def test_every_point_is_a_constrained_optimum():
    model = fits("sleepstudy", REML=False)
    surface = model.profile_2d("sd_Days|Subject", "(Intercept)", n=5)
    for i, j in ((0, 0), (2, 4), (4, 1)):
        held = mm.lmer(
            "Reaction ~ Days + (Days | Subject)",
            mm.load_sleepstudy(),
            REML=False,
            fixed={"sd__Days": surface.x[i], "(Intercept)": surface.y[j]},
        )
        assert surface.objective[i, j] == pytest.approx(held.objective, abs=1e-6)
    assert surface.objective.min() >= surface.minimum - 1e-8
    frame = surface.to_frame()
    assert len(frame) == 25
    assert frame["level"].between(0, 1).all()


def test_two_coefficients_of_a_generalized_model():
    model = fits("cbpp")
    surface = model.profile_2d("period[T.2]", "period[T.4]", n=5)
    for i, j in ((0, 3), (3, 0)):
        held = model.update(fixed={"period[T.2]": surface.x[i], "period[T.4]": surface.y[j]})
        assert surface.objective[i, j] == pytest.approx(held.objective, abs=1e-5)


def test_correlations_of_different_pairs():
    model = mm.lmer("score ~ Machine + (Machine | Worker)", mm.load_machines(), REML=False)
    names = [name for name in model.confint().index if name.startswith("cor_")]
    surface = model.profile_2d(names[1], names[2], n=3)
    assert np.isfinite(surface.objective).sum() >= 5
    assert np.nanmin(surface.objective) >= surface.minimum - 1e-6


def test_arguments():
    model = fits("dyestuff")
    with pytest.raises(ArgumentError, match="the same parameter"):
        model.profile_2d("sigma", "sigma")
    with pytest.raises(ArgumentError, match="n must be a whole number"):
        model.profile_2d("sigma", "(Intercept)", n=2)
    with pytest.raises(ArgumentError, match="b: no parameter"):
        model.profile_2d("sigma", "x")


def test_contours():
    pytest.importorskip("matplotlib")
    surface = fits("dyestuff", REML=False).profile_2d("sd_(Intercept)|Batch", "sigma", n=15)
    ax = surface.plot(levels=[0.5, 0.9])
    assert ax.get_xlabel() == "sd_(Intercept)|Batch"
