"""checkConv: the verdict by exact derivatives."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from mixedmodels import checkConv, lmer, load_dyestuff2, load_orthodont, load_sleepstudy
from mixedmodels.errors import ArgumentError, MixedModelsWarning, UndeterminedWarning
from mixedmodels.fit.endpoint.certificate import certify
from shared_fits import fits

DATA = load_sleepstudy()
SLOPE = "Reaction ~ Days + (Days | Subject)"


def quiet(*arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MixedModelsWarning)
        return lmer(*arguments, **options)


def test_a_good_fit():
    check = checkConv(fits("sleepstudy"))
    assert check.ok
    assert bool(check)
    assert check.messages == ()
    assert check.predicted_fall < 1e-10
    assert list(check.gradient.index) == ["Subject.(Intercept)", "Subject.Days.(Intercept)", "Subject.Days"]
    assert (check.hessian_eigenvalues > 0).all()
    assert "Converged" in str(check)


@pytest.mark.parametrize("change", [lambda d: d * 1e6, lambda d: d / 1e6, lambda d: d + 1e5])
@pytest.mark.parametrize("optimizer", ["trust_region", "bobyqa"])
def test_units_do_not_matter(change, optimizer):
    check = checkConv(quiet(SLOPE, DATA.assign(Days=change(DATA["Days"])), optimizer=optimizer))
    assert check.ok, str(check)


def test_the_fall_is_predicted():
    best = fits("sleepstudy")
    off = quiet(SLOPE, DATA, optimizer=None, start=best.theta + np.array([0.02, 0, 0]))
    check = checkConv(off)
    assert not check.ok
    assert check.predicted_fall == pytest.approx(off.objective - best.objective, rel=0.1)
    assert "Subject.(Intercept)" in check.messages[0]
    assert checkConv(off, tol=10.0).ok


def test_a_zero_variance_is_no_failure():
    check = checkConv(quiet("Yield ~ 1 + (1 | Batch)", load_dyestuff2()))
    assert check.ok
    assert any("singular" in note for note in check.notes)


def test_zero_where_the_variance_is_not():
    check = checkConv(quiet("Reaction ~ Days + (1 | Subject)", DATA, optimizer=None, start=[0.0]))
    assert not check.ok
    assert "curves downwards along Subject.(Intercept)" in check.messages[0]


@pytest.mark.parametrize("tol", [0, -1.0, True, "small", np.inf])
def test_bad_tolerances(tol):
    with pytest.raises(ArgumentError, match="tol"):
        checkConv(lmer(SLOPE, DATA), tol=tol)


class TestCertify:
    def test_quadratic(self):
        hessian = np.array([[4.0, 1.0], [1.0, 3.0]])
        gradient = np.array([0.3, -0.2])
        result = certify(gradient, hessian, np.eye(2))
        assert result.predicted_fall == pytest.approx(0.5 * gradient @ np.linalg.solve(hessian, gradient))
        assert result.downhill is None

    def test_units(self):
        hessian, gradient = np.array([[4.0, 1.0], [1.0, 3.0]]), np.array([0.3, -0.2])
        scale = np.array([1e-6, 1e5])
        plain = certify(gradient, hessian, np.eye(2))
        scaled = certify(gradient * scale, hessian * np.outer(scale, scale), np.diag(scale))
        assert scaled.predicted_fall == pytest.approx(plain.predicted_fall)
        np.testing.assert_allclose(scaled.eigenvalues, plain.eigenvalues)

    def test_saddle(self):
        assert certify(np.zeros(2), np.diag([1.0, -1.0]), np.eye(2)).downhill == 1

    def test_flat_direction(self):
        result = certify(np.zeros(2), np.array([[1.0, 1.0], [1.0, 1.0]]), np.eye(2))
        assert result.predicted_fall == 0.0
        assert result.downhill is None

    def test_not_a_number(self):
        assert np.isnan(certify(np.array([np.nan]), np.eye(1), np.eye(1)).predicted_fall)

    def test_no_parameters(self):
        assert certify(np.zeros(0), np.zeros((0, 0)), np.zeros((0, 0))).predicted_fall == 0.0


def test_a_parameter_that_the_data_do_not_determine_is_named():
    # No subject is of both sexes, so nothing is known of the correlation.
    with pytest.warns(UndeterminedWarning, match="covariance of Sex"):
        model = lmer("distance ~ Sex + Sex:age + (0 + Sex | Subject)", load_orthodont())
    check = checkConv(model)
    assert check.ok
    named = "do not determine the covariance of Sex[Male] and Sex[Female] within Subject"
    assert any(named in note for note in check.notes)
    assert not any("determine" in note for note in checkConv(fits("sleepstudy")).notes)
