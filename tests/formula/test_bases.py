"""Bases against their definitions; numbers of R's splines and poly at the end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import BSpline

from mixedmodels.errors import DataError, FormulaError
from mixedmodels.formula.bases import b_splines, fit_b_spline, fit_natural_spline, fit_polynomial, fit_shift

X = np.sort(np.random.default_rng(1).normal(size=60))


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
@pytest.mark.parametrize("derivative", [0, 1])
def test_b_splines_agree_with_scipy(degree: int, derivative: int) -> None:
    knots = np.array([-3.0] * (degree + 1) + [-1.0, 0.0, 0.0, 1.5] + [3.0] * (degree + 1))
    x = np.linspace(-4, 4, 101)
    n = len(knots) - degree - 1
    expected = BSpline(knots, np.eye(n), degree, extrapolate=True)(x, nu=derivative)
    np.testing.assert_allclose(b_splines(knots, degree, x, derivative), expected, atol=1e-9)


def test_second_derivatives_agree_with_scipy() -> None:
    knots = np.array([0.0] * 4 + [1.0, 2.5] + [4.0] * 4)
    x = np.linspace(0, 4, 33)
    expected = BSpline(knots, np.eye(6), 3)(x, nu=2)
    np.testing.assert_allclose(b_splines(knots, 3, x, 2), expected, atol=1e-9)


def test_natural_splines_are_straight_beyond_the_data() -> None:
    basis = fit_natural_spline(X, "ns(x, 4)", df=4)
    low, high = X[0], X[-1]
    far = basis(np.array([low - 3, low - 2, low - 1, low]))
    np.testing.assert_allclose(np.diff(far, n=2, axis=0), 0, atol=1e-10)
    step = 1e-4
    for end, inward in ((low, step), (high, -step)):
        near = basis(np.array([end, end + inward, end + 2 * inward]))
        np.testing.assert_allclose(np.diff(near, n=2, axis=0) / step**2, 0, atol=1e-1)


def test_natural_splines_span_every_line() -> None:
    columns = np.column_stack([np.ones(60), fit_natural_spline(X, "ns", df=4)(X)])
    fit = columns @ np.linalg.lstsq(columns, X, rcond=None)[0]
    np.testing.assert_allclose(fit, X, atol=1e-10)


@given(st.integers(1, 6), st.floats(-1e4, 1e4), st.floats(1e-3, 1e3))
def test_polynomials_are_orthonormal_whatever_the_units(degree: int, shift: float, unit: float) -> None:
    x = shift + unit * X
    columns = fit_polynomial(x, "poly", degree)(x)
    np.testing.assert_allclose(columns.T @ columns, np.eye(degree), atol=1e-6)
    np.testing.assert_allclose(columns.sum(axis=0), 0, atol=1e-6)
    assert (columns[-1] > 0).all()


def test_raw_polynomials_are_powers() -> None:
    columns = fit_polynomial(X, "poly", 3, raw=True)(X)
    np.testing.assert_allclose(columns, np.column_stack([X, X**2, X**3]))


def test_new_data_use_the_constants_of_the_fit() -> None:
    for transform in (
        fit_shift(X, "scale(x)"),
        fit_polynomial(X, "poly", 3),
        fit_b_spline(X, "bs", df=6),
        fit_natural_spline(X, "ns", df=3),
    ):
        np.testing.assert_allclose(transform(X[7:9]), transform(X)[7:9], atol=1e-12)


def test_missing_values_stay_missing() -> None:
    x = np.array([0.0, np.nan, 1.0])
    for transform in (
        fit_polynomial(X, "poly", 2),
        fit_b_spline(X, "bs", df=4),
        fit_natural_spline(X, "ns", df=3),
    ):
        assert np.isnan(transform(x)[1]).any()
        assert np.isfinite(transform(x)[[0, 2]]).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: fit_shift(np.ones(4), "scale(x)"), DataError, "constant"),
        (lambda: fit_polynomial(np.array([1.0, 2.0, 1.0]), "poly(x, 2)", 2), DataError, "distinct"),
        (lambda: fit_polynomial(X, "poly(x, 0)", 0), FormulaError, "whole number"),
        (lambda: fit_polynomial(X, "poly(x, 1e6)", 1e6), FormulaError, "whole number"),
        (lambda: fit_b_spline(X, "bs(x, 2)", df=2), FormulaError, "at least 3"),
        (lambda: fit_b_spline(X, "bs(x, 1e9)", df=1e9), FormulaError, "whole number"),
        (lambda: fit_b_spline(X, "bs", knots=np.array([99.0])), FormulaError, "inside"),
        (lambda: fit_natural_spline(np.ones(9), "ns(x, 3)", df=3), DataError, "constant"),
        (lambda: fit_natural_spline(X, "ns", boundary=np.array([1.0])), FormulaError, "two numbers"),
    ],
)
def test_what_cannot_be_fitted(call, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
