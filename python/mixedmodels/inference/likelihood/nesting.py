"""Differences of two models that keep either from being a special case of the other."""

from __future__ import annotations

import numpy as np

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


def _same_weights(one: FittedModel, other: FittedModel) -> bool:
    """Whether the weights are equal, for linear models up to a factor that the residual variance has."""
    first, second = one.prior_weights, other.prior_weights
    if one.exact_likelihood and other.held.sigma is None:
        first, second = first / first.mean(), second / second.mean()
    return np.allclose(first, second, rtol=_ROUNDING, atol=0.0)


def _offset_within(smaller: FittedModel, larger: FittedModel) -> bool:
    """Whether the larger model has coefficients that make up for a difference of the offsets."""
    first, second = (0.0 if m.design.offset is None else m.design.offset for m in (smaller, larger))
    difference = np.broadcast_to(first, (larger.n_obs,)) - second
    size = np.abs(difference).max(initial=0.0)
    if size <= _ROUNDING * np.abs(first).max(initial=0.0):
        return True
    x = larger.design.x[:, larger.estimates.kept]
    if not x.shape[1]:
        return False
    x = x / np.linalg.norm(x, axis=0)
    left = difference - x @ np.linalg.lstsq(x, difference, rcond=None)[0]
    return bool(np.abs(left).max() <= _ROUNDING * size)
