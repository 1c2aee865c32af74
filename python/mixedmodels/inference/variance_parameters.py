"""Curvature of the criterion at the estimates, and the covariance matrix of parameters from it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import UndeterminedWarning
from ..fitted_generalized import FittedGeneralized
from ..fitted_model import Fitted, FittedModel
from ..notices import warn_user
from ..theta import theta_names
from ..undetermined import describe, of_theta


def hessian(fitted: FittedModel) -> pd.DataFrame:
    """Hessian of the objective in its parameters."""
    return _labelled(fitted.hessian(), fitted.parameter_names())


def covariance(fitted: Fitted) -> pd.DataFrame:
    """
    2H⁻¹ with H the Hessian of -2 log-likelihood (or the REML criterion) in theta and σ.

    The engine's H is in (theta, log σ); the rule dσ = σ d log σ turns it into one in σ.
    """
    sigma = fitted.estimates.sigma
    matrix = _determined(fitted)
    matrix[-1] *= sigma
    matrix[:, -1] *= sigma
    return _labelled(matrix, (*theta_names(fitted.design), "sigma"))


def generalized_covariance(fitted: FittedGeneralized) -> pd.DataFrame:
    """2H⁻¹ with H the Hessian of -2 log-likelihood in all parameters of the objective."""
    return _labelled(_determined(fitted), fitted.parameter_names())


def undetermined_text(fitted: FittedModel) -> str:
    """What the data do not determine, by the curvature of the objective; empty when there is nothing."""
    found, n_theta = fitted.parameter_covariance(), len(fitted.estimates.theta)
    names = fitted.parameter_names()
    others = [names[i] for i in range(n_theta, len(names)) if found.moved[i]]
    directions = of_theta(fitted.design, fitted.estimates.theta, found.undetermined[:, :n_theta])
    return describe(fitted.design, fitted.term_roots, directions, others)


def _determined(fitted: FittedModel) -> NDArray[np.float64]:
    """The covariance matrix of the parameters, with a warning where it is NaN as the data do not tell."""
    text = undetermined_text(fitted)
    if text:
        warn_user(f"{text}: NaN for the parameters concerned", UndeterminedWarning)
    return fitted.parameter_covariance().determined


def _labelled(matrix: NDArray[np.float64], names: tuple[str, ...]) -> pd.DataFrame:
    index = pd.Index(names, dtype=object)
    return pd.DataFrame(matrix.copy(), index=index, columns=index)
