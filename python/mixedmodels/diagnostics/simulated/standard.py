"""What responses of a model are compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...families.family import Family
from .within import Effects, within

Values = NDArray[np.float64]
# Variances at predicted means are at least this share of those without random effects.
_LEAST_VARIANCE = 0.1


@dataclass(frozen=True, eq=False)
class Variance:
    """Variances of responses by their means, shape (n,) or (m, n)."""

    family: Family
    dispersion: float
    weights: Values

    def __call__(self, mean: Values) -> Values:
        return self.family.variance(mean, self.dispersion) / self.weights


@dataclass(frozen=True, eq=False)
class Standard:
    """
    What responses of a model with some parameters are compared with.

    Attributes
    ----------
    reference : ndarray, shape (m, n)
        Other responses of the same model.
    expected : ndarray, shape (n,)
        The responses expected.
    weights : ndarray, shape (n,)
        One over approximate variances of the responses given the random effects.
    variance : Variance
    effects : tuple of Effects
        The random effects drawn anew; none at the conditional modes.
    """

    reference: Values
    expected: Values
    weights: Values
    variance: Variance
    effects: tuple[Effects, ...]

    def squares(self, values: Values) -> Values:
        """
        Squared deviations from the expected response over their variances, shape (m, n).

        Random effects drawn anew vary by far more than a mean over many rows does. So they are predicted
        from the responses, and the deviations are from these predictions.
        """
        deviations = values - self.expected
        if not self.effects:
            return np.square(deviations) * self.weights
        own = within(deviations, self.effects)
        # Predictions by a linear model can be impossible means.
        with np.errstate(all="ignore"):
            relative = self.variance(values - own) * self.weights
        return np.square(own) * self.weights / np.fmax(relative, _LEAST_VARIANCE)
