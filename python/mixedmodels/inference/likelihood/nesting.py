"""Differences of two models that keep either from being a special case of the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...errors import ArgumentError
from ...fit.state import FittedModel
from .boundary import family_step

# Relative to the size of what is compared.
_ROUNDING = 1e-8


def family_step_of(smaller: FittedModel, larger: FittedModel) -> str:
    """How the family of the smaller model is related to the family of the larger one, see `family_step`."""
    return family_step(smaller.family, larger.family)


def not_nested_in(smaller: FittedModel, larger: FittedModel) -> list[str]:
    """
    Why the smaller model of the same rows cannot be a special case of the larger one, whatever their terms.

    Returns
    -------
    list of str
        Some of "family or link", "weights", "offset", "fixed values"; empty where nothing speaks against it.
    """
    reasons = []
    if family_step_of(smaller, larger) == "unrelated":
        reasons.append("family or link")
    if not _same_weights(smaller, larger):
        reasons.append("weights")
    if not _offset_within(smaller, larger):
        reasons.append("offset")
    if not set(larger.held.texts) <= set(smaller.held.texts):
        reasons.append("fixed values")
    return reasons


def refuse_not_nested(smaller: FittedModel, larger: FittedModel, function: str) -> None:
    """Raise ArgumentError when the reduced model is no special case of the full one, for a test of these."""
    reasons = not_nested_in(smaller, larger)
    if reasons:
        raise ArgumentError(
            f"{function}: the reduced model is not nested in the full one: they differ in "
            f"{' and '.join(reasons)}; fit both with the same"
        )


def _same_weights(one: FittedModel, other: FittedModel) -> bool:
    """Whether the weights are equal, for linear models up to a factor that the residual variance has."""
    first, second = one.prior_weights, other.prior_weights
    if one.exact_likelihood and other.held.sigma is None:
        first, second = first / first.mean(), second / second.mean()
    return np.allclose(first, second, rtol=_ROUNDING, atol=0.0)


def _offset_within(smaller: FittedModel, larger: FittedModel) -> bool:
    """Whether the larger model has coefficients that make up for a difference of the offsets."""
    difference = _difference_of_offsets(smaller, larger)
    size = np.abs(difference).max(initial=0.0)
    if size == 0.0:
        return True
    left = difference - larger.design.x[:, larger.estimates.kept] @ offset_coefficients(smaller, larger)
    return bool(np.abs(left).max(initial=0.0) <= _ROUNDING * size)


def offset_coefficients(smaller: FittedModel, larger: FittedModel) -> NDArray[np.float64]:
    """The coefficients of the larger model that make up for its difference of offsets, shape (rank,)."""
    difference = _difference_of_offsets(smaller, larger)
    x = larger.design.x[:, larger.estimates.kept]
    if not difference.any():
        return np.zeros(x.shape[1])
    size = np.linalg.norm(x, axis=0)
    return np.linalg.lstsq(x / size, difference, rcond=None)[0] / size


def _difference_of_offsets(smaller: FittedModel, larger: FittedModel) -> NDArray[np.float64]:
    """Zero where it is a rounding error."""
    first, second = (0.0 if m.design.offset is None else m.design.offset for m in (smaller, larger))
    difference = np.broadcast_to(first, (larger.n_obs,)) - second
    equal = np.abs(difference).max(initial=0.0) <= _ROUNDING * np.abs(first).max(initial=0.0)
    return np.zeros(larger.n_obs) if equal else difference
