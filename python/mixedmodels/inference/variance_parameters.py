"""Curvature of the criterion at the estimates, and the covariance matrix of parameters from it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..curvature import covariance_from
from ..fitted_generalized import FittedGeneralized
from ..fitted_model import Fitted, FittedModel
from ..theta import interior, theta_names


def hessian(fitted: FittedModel) -> pd.DataFrame:
    """Hessian of the objective in its parameters."""
    return _labelled(fitted.hessian(), fitted.parameter_names())


def covariance(fitted: Fitted) -> pd.DataFrame:
    """
    2H⁻¹ with H the Hessian of -2 log-likelihood (or the REML criterion) in theta and σ.

    The engine's H is in (theta, log σ); the rule dσ = σ d log σ turns it into one in σ.
    """
    theta, sigma = fitted.estimates.theta, fitted.estimates.sigma
    inner = np.append(interior(fitted.design, theta), True)
    matrix = covariance_from(fitted.engine.joint_hessian(theta, fitted.reml), inner)
    matrix[-1] *= sigma
    matrix[:, -1] *= sigma
    return _labelled(matrix, (*theta_names(fitted.design), "sigma"))


def generalized_covariance(fitted: FittedGeneralized) -> pd.DataFrame:
    """2H⁻¹ with H the Hessian of -2 log-likelihood in all parameters of the objective."""
    return _labelled(fitted.parameter_covariance(), fitted.parameter_names())


def _labelled(matrix: NDArray[np.float64], names: tuple[str, ...]) -> pd.DataFrame:
    index = pd.Index(names, dtype=object)
    return pd.DataFrame(matrix, index=index, columns=index)
