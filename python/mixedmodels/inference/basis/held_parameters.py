"""Refusals of methods that do not allow for parameters that are held."""

from __future__ import annotations

from ...errors import ArgumentError
from ...fit.state import FittedModel


def refuse_held_coefficients(fitted: FittedModel, what: str, instead: str) -> None:
    """ArgumentError when coefficients are held; `what` is the method, `instead` what to do."""
    held = fitted.estimates.held
    if len(held):
        names = ", ".join(fitted.design.x_names[j] for j in held)
        raise ArgumentError(f"{what}: not with coefficients that are fixed ({names}); {instead}")


def refuse_held_covariances(fitted: FittedModel, what: str, instead: str) -> None:
    """ArgumentError when covariance parameters of random effects are held."""
    if fitted.held.random:
        texts = ", ".join(fitted.held.texts)
        raise ArgumentError(f"{what}: not with covariance parameters that are fixed ({texts}); {instead}")
