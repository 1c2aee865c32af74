"""Marginal residuals y - Xβ of linear models: standardised, and whitened by their covariance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..design.theta import factors
from ..errors import ArgumentError
from ..fit.state import FittedModel

Values = NDArray[np.float64]

# Beyond this many rows no dense matrix of all rows is factorised.
LARGEST = 5000


def marginal(fitted: FittedModel) -> Values:
    """y - Xβ - offset, rows used."""
    design, kept = fitted.design, fitted.estimates.kept
    fixed = design.x[:, kept] @ fitted.estimates.beta[kept]
    return fitted.observed - fixed - (0.0 if design.offset is None else design.offset)


def variances(fitted: FittedModel) -> Values:
    """The variances of the response by the model, shape (n,)."""
    result = fitted.sigma**2 / fitted.prior_weights
    for term, covariance in zip(fitted.design.terms, _covariances(fitted), strict=True):
        result = result + np.einsum("ij,jk,ik->i", term.z, covariance, term.z)
    return result


def standardized_marginal(fitted: FittedModel) -> Values:
    """Marginal residuals over their standard deviations, which allow for the estimation of β."""
    x = fitted.design.x[:, fitted.estimates.kept]
    explained = np.einsum("ij,jk,ik->i", x, fitted.covariance(), x)
    left = variances(fitted) - explained
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(left > 1e-12 * fitted.sigma**2, marginal(fitted) / np.sqrt(left), np.nan)


def whitened(fitted: FittedModel) -> Values:
    """
    L⁻¹(y - Xβ) with LL' the covariance of the response by the model: uncorrelated with variance 1.

    Each is the error of predicting a row from the rows before it in the data, over its standard deviation.
    """
    codes = fitted.design.terms[0].group.codes
    if all(np.array_equal(term.group.codes, codes) for term in fitted.design.terms[1:]):
        return _by_levels(fitted, codes)
    if fitted.n_obs > LARGEST:
        raise ArgumentError(
            f"residuals: type='whitened' with several grouping factors needs the covariance matrix of all "
            f"{fitted.n_obs} rows, and is for at most {LARGEST}; take type='standardized'"
        )
    root = np.linalg.cholesky(covariance_of_response(fitted))
    return np.asarray(np.linalg.solve(root, marginal(fitted)), dtype=np.float64)


def covariance_of_response(fitted: FittedModel) -> Values:
    """The covariance matrix of the response by the model, shape (n, n)."""
    covariance = np.diag(fitted.sigma**2 / fitted.prior_weights)
    for term, own in zip(fitted.design.terms, _covariances(fitted), strict=True):
        same = term.group.codes[:, None] == term.group.codes
        covariance += np.where(same, term.z @ own @ term.z.T, 0.0)
    return covariance


def _by_levels(fitted: FittedModel, codes: NDArray[np.integer]) -> Values:
    """Row by row within each level, all levels at once (Kalman's filter for constant random effects)."""
    design = fitted.design
    z = np.hstack([term.z for term in design.terms])
    n_levels, k = len(design.terms[0].group.levels), z.shape[1]
    prior = np.zeros((k, k))
    at = 0
    for own in _covariances(fitted):
        prior[at : at + len(own), at : at + len(own)] = own
        at += len(own)
    mean, spread = np.zeros((n_levels, k)), np.tile(prior, (n_levels, 1, 1))
    residual, noise = marginal(fitted), fitted.sigma**2 / fitted.prior_weights
    order = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes, minlength=n_levels)
    starts = np.cumsum(sizes) - sizes
    levels = np.argsort(-sizes, kind="stable")
    present = np.searchsorted(-sizes[levels], -np.arange(int(sizes.max())), side="left")
    result = np.empty(len(residual))
    for step, count in enumerate(present.tolist()):
        level = levels[:count]
        row = order[starts[level] + step]
        own = z[row]
        error = residual[row] - np.einsum("ij,ij->i", own, mean[level])
        reach = np.einsum("ijk,ik->ij", spread[level], own)
        variance = np.einsum("ij,ij->i", own, reach) + noise[row]
        result[row] = error / np.sqrt(variance)
        gain = reach / variance[:, None]
        mean[level] += gain * error[:, None]
        spread[level] -= gain[:, :, None] * reach[:, None, :]
    return result


def _covariances(fitted: FittedModel) -> list[Values]:
    """The covariance matrix of the random effects of each term."""
    return [fitted.scale**2 * root @ root.T for root in factors(fitted.design, fitted.estimates.theta)]
