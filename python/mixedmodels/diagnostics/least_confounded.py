"""Least-confounded residuals of linear models."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..errors import ArgumentError
from ..fit.state import FittedModel
from .marginal import LARGEST, covariance_of_response, marginal


def least_confounded(fitted: FittedModel) -> pd.DataFrame:
    """
    Combinations of the conditional residuals that the random effects enter least.

    See :meth:`mixedmodels.MixedModel.least_confounded_residuals`.
    """
    if not fitted.exact_likelihood:
        raise ArgumentError(
            "least_confounded_residuals: these are residuals of linear models, not of family "
            f"{fitted.family.name}; take residuals(type='deviance') or quantile_residuals()"
        )
    n = fitted.n_obs
    if n > LARGEST:
        raise ArgumentError(
            f"least_confounded_residuals: they need the eigenvectors of a matrix of all {n} rows, and are "
            f"for at most {LARGEST}; take residuals(type='standardized')"
        )
    own = np.linalg.cholesky(covariance_of_response(fitted))
    noise = fitted.sigma / np.sqrt(fitted.prior_weights)
    x = fitted.design.x[:, fitted.estimates.free]
    basis = np.linalg.qr(np.linalg.solve(own, x))[0]
    # With R the covariance of the errors and Q = V^-1 - V^-1X(X'V^-1X)^-1X'V^-1, half'half is
    # R^(1/2) Q R^(1/2), and half'white are the conditional residuals over their scales.
    half = np.linalg.solve(own, np.diag(noise))
    half -= basis @ (basis.T @ half)
    white = np.linalg.solve(own, marginal(fitted))
    white -= basis @ (basis.T @ white)
    shares, directions = np.linalg.eigh(half.T @ half)
    kept = np.arange(n - 1, x.shape[1] - 1, -1)
    shares, directions = shares[kept], directions[:, kept]
    directions = directions * np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(len(kept))])
    with np.errstate(divide="ignore", invalid="ignore"):
        residuals = directions.T @ (half.T @ white) / np.sqrt(shares)
    return pd.DataFrame({"residual": residuals, "confounding": np.clip(1.0 - shares, 0.0, 1.0)})
