"""The criterion of a linear mixed model by dense algebra, for covariance parameters as users see them."""

import numpy as np
from scipy import linalg


def expand(codes, n_levels, z):
    """Z of a term, shape (n, levels times columns)."""
    n, k = z.shape
    result = np.zeros((n, n_levels * k))
    for j in range(k):
        result[np.arange(n), codes * k + j] = z[:, j]
    return result


def marginal_covariance(design, covariances, sigma):
    """σ²/w + Σ Z (I ⊗ Σ_t) Z' with the covariance matrix of each term."""
    weights = np.ones(len(design.y)) if design.weights is None else design.weights
    total = np.diag(sigma**2 / weights)
    for term, covariance in zip(design.terms, covariances, strict=True):
        z = expand(term.group.codes.astype(int), len(term.group.levels), term.z)
        total += z @ np.kron(np.eye(len(term.group.levels)), covariance) @ z.T
    return total


def criterion(design, covariances, sigma, reml, known=None):
    """
    -2 log-likelihood, or the REML criterion, at the generalised least squares estimates.

    Parameters
    ----------
    design : Design
    covariances : list of ndarray
    sigma : float
    reml : bool
    known : dict, optional
        Columns of x to values of their coefficients.

    Returns
    -------
    float, ndarray, ndarray
        The criterion, the other coefficients and their covariance matrix.
    """
    known = known or {}
    free = [j for j in range(design.x.shape[1]) if j not in known]
    x = design.x[:, free]
    y = design.y - (0.0 if design.offset is None else design.offset)
    for j, value in known.items():
        y = y - design.x[:, j] * value
    factor = linalg.cho_factor(marginal_covariance(design, covariances, sigma), lower=True)
    information = x.T @ linalg.cho_solve(factor, x)
    covariance = np.linalg.inv(information) if free else np.zeros((0, 0))
    beta = covariance @ (x.T @ linalg.cho_solve(factor, y))
    residual = y - x @ beta
    log_det = 2 * np.log(np.diag(factor[0])).sum()
    n = len(y) - (len(free) if reml else 0)
    value = n * np.log(2 * np.pi) + log_det + residual @ linalg.cho_solve(factor, residual)
    if reml and free:
        value += np.linalg.slogdet(information)[1]
    return value, beta, covariance
