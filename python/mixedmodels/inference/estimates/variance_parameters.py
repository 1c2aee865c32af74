"""Curvature of the criterion at the estimates, and the covariance matrix of parameters from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...errors import UndeterminedWarning
from ...fit.endpoint.undetermined import Direction, describe, of_theta, structural_directions
from ...fit.state import FittedModel
from ...notices import warn_user

# Directions of unit length that differ by less are the same.
_SAME = 1e-2


def hessian(fitted: FittedModel) -> pd.DataFrame:
    """Hessian of the objective in its parameters."""
    return _labelled(fitted.hessian(), fitted.parameter_names())


def covariance(fitted: FittedModel) -> pd.DataFrame:
    """
    2H⁻¹ with H the Hessian of -2 log-likelihood (or the REML criterion) in all parameters of the objective.

    A linear model has theta and σ. The engine's H is in log σ there; dσ = σ d log σ turns it into one in σ.
    """
    matrix, names = _determined(fitted), fitted.all_names()
    if fitted.exact_likelihood:
        matrix[-1] *= fitted.sigma
        matrix[:, -1] *= fitted.sigma
        names = (*names, "sigma")
    return _labelled(matrix, names)


def theta_covariance(fitted: FittedModel) -> pd.DataFrame:
    """The part of `covariance` for theta and the parameter of the scale, which is the last one."""
    whole, n_theta = covariance(fitted), len(fitted.estimates.theta)
    has_scale = fitted.exact_likelihood or fitted.family.estimates_dispersion
    chosen = [*range(n_theta), *range(len(whole) - has_scale, len(whole))]
    return whole.iloc[chosen, chosen]


def undetermined_text(fitted: FittedModel) -> str:
    """Parameters that the data do not determine, judged by the curvature of the objective; empty for none."""
    found, n_theta = fitted.parameter_covariance(), len(fitted.estimates.theta)
    names = fitted.all_names()
    others = [names[i] for i in range(n_theta, len(names)) if found.moved[i]]
    return describe(fitted.design, fitted.term_roots, undetermined_directions(fitted), others)


def undetermined_directions(fitted: FittedModel) -> Sequence[Direction]:
    """The changes of the covariance matrices that the data do not determine, by the curvature."""
    design, n_theta = fitted.design, len(fitted.estimates.theta)
    found, exact = fitted.parameter_covariance().undetermined, fitted.structural_directions()
    beside = np.abs(found[:, n_theta:]).max(initial=0.0)
    if len(found) and len(found) == len(exact) and beside < _SAME:
        # The same, but for rounding: then those that theory knows.
        turn = fitted.all_coordinates()[:n_theta, :n_theta]
        basis, _ = np.linalg.qr(turn @ exact.T)
        moves = turn @ found[:, :n_theta].T
        if np.abs(moves - basis @ (basis.T @ moves)).max() < _SAME:
            return structural_directions(design, fitted.term_roots)
    return of_theta(design, fitted.estimates.theta, found[:, :n_theta])


def _determined(fitted: FittedModel) -> NDArray[np.float64]:
    """The covariance matrix of the parameters, with a warning where it is NaN as the data do not tell."""
    text = undetermined_text(fitted)
    if text:
        warn_user(f"{text}: NaN for the parameters concerned", UndeterminedWarning)
    return fitted.parameter_covariance().determined


def _labelled(matrix: NDArray[np.float64], names: tuple[str, ...]) -> pd.DataFrame:
    index = pd.Index(names, dtype=object)
    return pd.DataFrame(matrix.copy(), index=index, columns=index)
