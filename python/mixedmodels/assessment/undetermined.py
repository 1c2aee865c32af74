"""Covariance parameters that the data do not determine, in sentences."""

from __future__ import annotations

from ..fit.endpoint.undetermined import explained_notices, residual_notices, undetermined_notices
from ..fit.state import FittedModel


def undetermined_variances(fitted: FittedModel) -> tuple[str, ...]:
    """As the fit warns of them: by the columns of a term, by the residual variance, by the fixed effects."""
    design, held = fitted.design, fitted.held
    notices = undetermined_notices(design, fitted.term_roots, held.terms(design))
    if fitted.exact_likelihood and held.sigma is None:
        notices += residual_notices(design)
    if fitted.restricted and not held.random:
        notices += explained_notices(design, fitted.estimates.free)
    return tuple([text for _, text in notices])
