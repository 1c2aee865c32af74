"""Bases against their definitions; numbers of R's splines and poly at the end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from mixedmodels.errors import DataError, FormulaError
from mixedmodels.formula.bases import b_splines, fit_b_spline, fit_natural_spline, fit_polynomial, fit_shift

X = np.sort(np.random.default_rng(1).normal(size=60))


def by_recurrence(knots: np.ndarray, degree: int, x: np.ndarray, derivative: int = 0) -> np.ndarray:
    """B-splines by their definition (de Boor 1978), the outer pieces continued beyond the boundary."""
    n = len(knots) - degree - 1
    piece = np.clip(np.searchsorted(knots, x, side="right") - 1, degree, n - 1)

    def spline(i: int, d: int, order: int) -> np.ndarray:
        if d == 0:
            return np.where(piece == i, 1.0, 0.0)
        left, right = knots[i + d] - knots[i], knots[i + d + 1] - knots[i + 1]
        value = np.zeros(len(x))
        if left > 0:
            value += (d if order else x - knots[i]) / left * spline(i, d - 1, max(order - 1, 0))
        if right > 0:
            value += (-d if order else knots[i + d + 1] - x) / right * spline(i + 1, d - 1, max(order - 1, 0))
        return value

    return np.column_stack([spline(i, degree, derivative) for i in range(n)])


@pytest.mark.parametrize("degree", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("inner", [[], [0.3], [-1.0, 0.0, 0.0, 1.5], [-2.9, -2.0, 0.1, 0.2, 2.99]])
@pytest.mark.parametrize(("low", "high"), [(-3.0, 3.0), (-1e4, 1e4), (-3.0, 3.0 + 1e-3)])
def test_b_splines_follow_their_recurrence(degree: int, inner: list[float], low: float, high: float) -> None:
    knots = np.array([low] * (degree + 1) + inner + [high] * (degree + 1))
    inside = np.array([*np.linspace(low, high, 101), *inner, np.nextafter(high, low)])
    width = high - low
    beyond = np.array([low - width, low - 1e-3, high + 1e-9, high + 1.5 * width])
    for x in (inside, beyond):
        for derivative in range(min(degree, 2) + 1):
            expected = by_recurrence(knots, degree, x, derivative)
            size = np.abs(expected).max(axis=1, keepdims=True)
            found = b_splines(knots, degree, x, derivative)
            np.testing.assert_allclose(found / size, expected / size, rtol=0, atol=1e-12)


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
