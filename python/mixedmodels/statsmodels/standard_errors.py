"""Standard errors of variances in the units of the response."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def of_variances(results: Any) -> Array:
    """
    Standard errors of the lower triangle of `cov_re`, then of `vcomp`; shape (k_re2 + k_vc,).

    The variances are products v = sψ of the residual variance s and the profile parameters ψ. Given ψ,
    s has the variance 2s²/m with m degrees of freedom, and it follows ψ as its maximum ŝ(ψ) does. With the
    covariance matrix C of ψ, the inverse Hessian of the profiled likelihood, and g the gradient of ŝ,
    var(s) = 2s²/m + g'Cg and cov(ψ, s) = Cg. This is the inverse Hessian of the likelihood in (ψ, s).
    """
    model, s, k_fe = results.model, float(results.scale), results.k_fe
    joint = results.joint
    own = joint.conditioned
    variances = np.diag(joint.matrix)[k_fe:]
    # Negative where the likelihood has no maximum: there is no standard error either.
    held = ~(variances >= 0.0)
    gradient = np.zeros(len(joint.spread))
    twin = own.twin(results.params_object)
    gradient[twin.k_fe :] = _gradient_of_scale(twin, np.asarray(results.resid))
    # Relative to s, which may be as small or large as numbers get.
    gradient /= s
    psi = np.asarray(results.params)[k_fe:]
    follows = joint.link[k_fe:] @ gradient
    m = model.nobs - (twin.k_fe if results.reml else 0)
    total = variances + 2.0 * psi * follows + psi**2 * (2.0 / m + gradient @ joint.spread @ gradient)
    lost = held | ~(total >= 0.0)
    return s * np.sqrt(np.where(lost, np.nan, total))


def _gradient_of_scale(model: Any, e: Array) -> Array:
    """
    Derivatives of ŝ(ψ) = r'V⁻¹r/m in ψ, with V = I + ZψZ' and r the residuals of the fixed effects.

    V⁻¹r are the residuals e given the random effects, so d(r'V⁻¹r)/dψ = -aa', a = Z'e, summed over groups.
    """
    codes = model.groups_of_rows.codes
    columns = [] if model.exog_re is None else model.exog_re.T
    own = np.array([np.bincount(codes, z * e, minlength=model.n_groups) for z in columns])
    own = own.reshape(model.k_re, model.n_groups)
    pairs = own @ own.T
    lower = np.tril_indices(model.k_re)
    squares = [float(np.sum((part.z.T @ e) ** 2)) for part in model.components]
    sums = np.concatenate([pairs[lower] * np.where(lower[0] == lower[1], 1.0, 2.0), squares])
    m = len(e) - (len(model.kept) if model.reml else 0)
    return -sums / m
