"""Transformations of a response with one parameter, and their inverses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ...errors import DataError

Values = NDArray[np.float64]
# Below this the power is its limit, the logarithm, to rounding.
_ZERO = 1e-9


class Transformation(ABC):
    """A family of increasing transformations with a parameter λ; λ = 1 only shifts the response."""

    name: ClassVar[str]
    title: ClassVar[str]
    # Values of λ with a meaning of their own.
    special: ClassVar[dict[float, str]]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @abstractmethod
    def check(self, y: Values, response: str) -> None:
        """Refuse responses that cannot be transformed."""

    @abstractmethod
    def forward(self, y: Values, lam: float) -> Values:
        """The transformed response."""

    @abstractmethod
    def inverse(self, z: Values, lam: float) -> Values:
        """The response; NaN outside the range of the transformation."""

    @abstractmethod
    def scaled(self, y: Values, lam: float, up_to_constant: bool) -> Values:
        """
        The transformed response over the geometric mean of its derivatives (Box & Cox 1964, section 4).

        Up to a constant, where an intercept takes that up: a transformation of large values differs from its
        constant by less than the rounding error.
        """


class BoxCox(Transformation):
    """(y^λ - 1) / λ, log y for λ = 0; for positive responses (Box & Cox 1964)."""

    name = "box_cox"
    title = "Box-Cox"
    special: ClassVar[dict[float, str]] = {
        -1.0: "reciprocal",
        0.0: "logarithm",
        0.5: "square root",
        1.0: "none",
    }

    def check(self, y: Values, response: str) -> None:
        bad = y <= 0
        if bad.any():
            raise DataError(
                f"box_cox: the response {response} is not positive in {int(bad.sum())} of {len(y)} rows (its "
                f"minimum is {y.min():g}); add a constant to it, or use yeo_johnson()"
            )

    def forward(self, y: Values, lam: float) -> Values:
        return _power(np.log(y), lam)

    def inverse(self, z: Values, lam: float) -> Values:
        return np.exp(_root(z, lam))

    def scaled(self, y: Values, lam: float, up_to_constant: bool) -> Values:
        return _scaled_power(np.log(y), lam, up_to_constant)


class YeoJohnson(Transformation):
    """Box-Cox of y + 1 with λ for y >= 0, of 1 - y with 2 - λ and a minus below (Yeo & Johnson 2000)."""

    name = "yeo_johnson"
    title = "Yeo-Johnson"
    special: ClassVar[dict[float, str]] = {0.0: "log(y + 1) of positive values", 1.0: "none"}

    def check(self, y: Values, response: str) -> None:
        """Any number can be transformed."""

    def forward(self, y: Values, lam: float) -> Values:
        size = np.log1p(np.abs(y))
        return np.where(y >= 0, _power(size, lam), -_power(size, 2.0 - lam))

    def inverse(self, z: Values, lam: float) -> Values:
        up, down = np.expm1(_root(z, lam)), -np.expm1(_root(-z, 2.0 - lam))
        return np.where(z >= 0, up, down)

    def scaled(self, y: Values, lam: float, up_to_constant: bool) -> Values:
        size = np.log1p(np.abs(y))
        if (y >= 0).all():
            return _scaled_power(size, lam, up_to_constant)
        if (y < 0).all():
            return -_scaled_power(size, 2.0 - lam, up_to_constant)
        return self.forward(y, lam) / np.exp((lam - 1.0) * np.mean(np.sign(y) * size))


def _power(log_y: Values, lam: float) -> Values:
    """(y^λ - 1) / λ without cancellation near λ = 0."""
    return log_y if abs(lam) < _ZERO else np.expm1(lam * log_y) / lam


def _scaled_power(log_y: Values, lam: float, up_to_constant: bool) -> Values:
    """The power divided by the geometric mean of its derivatives, by the ratio of y to its own mean."""
    mean = float(np.mean(log_y))
    ratio = _power(log_y - mean, lam)
    return np.exp(mean) * (ratio if up_to_constant else ratio - _power(np.array(-mean), lam))


def _root(z: Values, lam: float) -> Values:
    """The logarithm of the y whose power is z."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return z if abs(lam) < _ZERO else np.log1p(lam * z) / lam
