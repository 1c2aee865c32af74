"""What plots of profiles draw."""

from __future__ import annotations

import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import mixedmodels as mm
from mixedmodels.errors import ArgumentError
from mixedmodels.plot.profiles import Trace, contour
from shared_fits import fits

plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(scope="module")
def profile():
    return fits("sleepstudy", REML=False).profile()


def test_zeta_goes_through_the_points_and_the_limits(profile):
    figure = profile.plot(levels=[0.95]).figure
    limits = profile.confint().to_numpy()
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.get_xlabel() for ax in shown] == list(profile.parameters)
    for ax, (low, high) in zip(shown, limits, strict=True):
        curve, *segments = ax.get_lines()
        np.testing.assert_allclose(np.interp([low, high], *curve.get_data()), [-1.96, 1.96], atol=0.01)
        ends = sorted(float(line.get_xdata()[0]) for line in segments[:2])
        np.testing.assert_allclose(ends, [low, high], rtol=2e-3)


@pytest.fixture(scope="module")
def singular():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return mm.lmer("Yield ~ 1 + (1 | Batch)", mm.load_dyestuff2(), REML=False).profile()


def test_a_bound_has_no_line_beyond_the_curve(singular):
    for absolute in (False, True):
        ax = singular.plot(levels=[0.95, 0.99], parm="sd_*", absolute=absolute).figure.axes[0]
        curve, *lines = ax.get_lines()
        upright = [line for line in lines if len(set(line.get_xdata())) == 1 and len(line.get_xdata()) == 2]
        # The deviation is zero at the estimate: only the upper limits have lines.
        assert [float(line.get_xdata()[0]) > 0.0 for line in upright] == [True, True]
        top = float(np.max(curve.get_ydata()))
        assert all(0.0 <= y <= top + 1e-3 for line in upright for y in line.get_ydata())


def test_contours_stop_at_a_bound(singular):
    panels = singular.plot("pairs", parm=["sd_*", "sigma"], levels=[0.8])
    above, below = panels.figure.axes[1], panels.figure.axes[2]
    # The deviation runs upwards above the diagonal, to the right below it.
    for line in above.get_lines():
        assert np.min(line.get_ydata()) >= -1e-12
    for line in below.get_lines():
        assert np.min(line.get_xdata()) >= -1e-12
    assert max(np.max(line.get_xdata()) for line in below.get_lines()) > 1.5


def test_absolute_values_are_positive(profile):
    figure = profile.plot(absolute=True, parm="sigma").figure
    assert (figure.axes[0].get_lines()[0].get_ydata() >= 0).all()


def test_densities_integrate_to_the_level(profile):
    figure = profile.plot("density", parm=["sd_*", "sigma"]).figure
    for ax in figure.axes[:3]:
        x, y = ax.get_lines()[0].get_data()
        assert np.trapezoid(y, x) == pytest.approx(0.99, abs=0.01)


def test_contours_of_pairs_are_those_of_the_surface(profile):
    model = fits("sleepstudy", REML=False)
    a, b = "sd_(Intercept)|Subject", "cor_Days.(Intercept)|Subject"
    figure = profile.plot("pairs", parm=[a, b], levels=[0.8]).figure
    # In the upper panel the second parameter runs to the right.
    y, x = (axis for axis in figure.axes[1].get_lines()[0].get_data()[::-1])
    surface = model.profile_2d(a, b, n=41)
    from scipy.interpolate import RectBivariateSpline

    level = RectBivariateSpline(surface.x, surface.y, surface.objective - surface.minimum)
    rise = level(y, x, grid=False)
    np.testing.assert_allclose(rise, -2 * np.log(0.2), rtol=0.12)


def test_the_contour_of_a_quadratic_is_an_ellipse():
    rho, radius = 0.6, 2.0
    # Of a bivariate normal, ζ are the standardised parameters and the traces have slope rho.
    zeta = np.linspace(-3, 3, 7)
    trace = Trace(zeta, rho * zeta)
    x, y = contour(trace, trace, radius)
    form = (x**2 - 2 * rho * x * y + y**2) / (1 - rho**2)
    np.testing.assert_allclose(form, radius**2, rtol=1e-8)


@pytest.mark.parametrize("slope", [-1.0, 1.0])
def test_the_contour_of_parameters_that_move_together_is_a_line(slope):
    zeta = np.linspace(-3, 3, 7)
    x, y = contour(Trace(zeta, slope * zeta), Trace(zeta, slope * zeta), 2.0)
    assert np.ptp(x) > 3.9
    np.testing.assert_allclose(y, slope * x, atol=1e-6)


def test_pairs_of_a_separated_fit():
    rng = np.random.default_rng(4)
    data = pd.DataFrame({"g": np.repeat(list("abcdefgh"), 12), "h": np.tile(list("ab"), 48)})
    data["q"] = np.where(data["h"] == "a", 0, rng.integers(0, 2, 96))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        panels = mm.glmer("q ~ h + (1 | g)", data, family="binomial").profile(level_max=0.9).plot("pairs")
    assert len(panels.figure.axes) == 9


def test_arguments(profile):
    with pytest.raises(ArgumentError, match="kind must be one of"):
        profile.plot("zetas")
    with pytest.raises(ArgumentError, match="two parameters"):
        profile.plot("pairs", parm="sigma")
    with pytest.raises(ArgumentError, match="scale must be one of"):
        profile.plot(scale="var")
    with pytest.raises(ArgumentError, match="levels: each must be a number between 0 and 1, not 2"):
        profile.plot(levels=[0.5, 2])
    with pytest.raises(ArgumentError, match="levels must be a list of numbers"):
        profile.plot(levels=0.95)


def test_labels_of_ticks_do_not_touch(profile):
    panels = profile.plot()
    panels.figure.canvas.draw()
    for ax in panels.flat:
        low, high = ax.get_xlim()
        ticks = [tick for tick in ax.xaxis.get_major_ticks() if low <= tick.get_loc() <= high]
        boxes = [tick.label1.get_window_extent() for tick in ticks]
        assert all(a.x1 + 2 < b.x0 for a, b in pairwise(boxes))
