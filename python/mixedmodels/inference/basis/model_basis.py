"""
Degrees of freedom for tests of the fixed effects.

Satterthwaite: Fai & Cornelius (1996); Kuznetsova, Brockhoff & Christensen (2017). Kenward-Roger: Kenward &
Roger (1997), as in Halekoh & Højsgaard (2014). The derivatives and traces are the engine's exact ones.
Directions of the variance parameters that the data do not determine are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...design.theta import interior
from ...errors import ArgumentError
from ...fit.changes import by_reml
from ...fit.endpoint.separation import separation_note
from ...fit.endpoint.singularity import boundary_directions
from ...fit.endpoint.undetermined import Direction, describe, structural_directions
from ...fit.fixed import embedded
from ...fit.state import FittedModel
from ...wording import one_line
from ..estimates.origin import origin_of
from ..estimates.variance_parameters import undetermined_directions, undetermined_text
from .degrees_of_freedom import DegreesOfFreedom
from .kenward_roger import kenward_roger_parts
from .kinds import Infinite, KenwardRoger, NoOptimum, Residual, Satterthwaite
from .testable import have_optimum, no_optimum_note

DdfName = Literal["satterthwaite", "kenward-roger", "residual", "inf"]
DDF_NAMES: tuple[DdfName, ...] = ("satterthwaite", "kenward-roger", "residual", "inf")

Basis = TypeVar("Basis", bound=DegreesOfFreedom)


def basis_by_name(fitted: FittedModel, name: DdfName) -> DegreesOfFreedom:
    """The model's own covariance matrix with degrees of freedom by a method, computed once for each model."""
    if not _has_optimum_for(fitted, name):
        return without_optimum(fitted, fitted.covariance(), name == "inf")
    return fitted.derived(_METHODS[name])


def _has_optimum_for(fitted: FittedModel, name: DdfName) -> bool:
    """Whether the fit has an optimum, and the one by REML that Kenward and Roger's method needs."""
    if name == "kenward-roger" and have_optimum(fitted):
        return have_optimum(by_reml(fitted))
    return have_optimum(fitted)


def without_optimum(
    fitted: FittedModel, covariance: NDArray[np.float64], large_samples: bool, notes: tuple[str, ...] = ()
) -> NoOptimum:
    """The basis of a fit without a finite optimum: estimates and standard errors, but no tests."""
    beta, _ = _beta_and_covariance(fitted)
    notes = (no_optimum_note(), *notes)
    return NoOptimum(beta, covariance, large_samples, origin=origin_of(fitted), notes=notes)


def _infinite(fitted: FittedModel) -> Infinite:
    beta, covariance = _beta_and_covariance(fitted)
    slopes, notes = _without_curvature(fitted)
    separation = separation_note(fitted)
    if separation:
        notes = (*notes, one_line(separation))
    return Infinite(beta, covariance, origin=origin_of(fitted), undetermined=slopes, notes=notes)


def _residual(fitted: FittedModel) -> Residual:
    beta, covariance = _beta_and_covariance(fitted)
    slopes, notes = _without_curvature(fitted)
    df = fitted.n_obs - fitted.n_coefficients
    return Residual(beta, covariance, df, origin=origin_of(fitted), undetermined=slopes, notes=notes)


def _slopes(fitted: FittedModel) -> NDArray[np.float64]:
    """Derivatives of the covariance matrix of the coefficients in theta and log sigma."""
    estimates = fitted.estimates
    slopes = estimates.sigma**2 * fitted.engine.covariance_slopes(estimates.theta, fitted.restricted)
    slopes = embedded(slopes, estimates.kept, estimates.held)
    # The derivative in log sigma is twice the covariance matrix.
    return np.concatenate([slopes, 2.0 * fitted.covariance()[None]])


def _satterthwaite(fitted: FittedModel) -> Satterthwaite:
    """In the parameters theta and log sigma, those on the boundary left out."""
    theta = fitted.estimates.theta
    beta, covariance = _beta_and_covariance(fitted)
    slopes = fitted.derived(_slopes)
    parameters = fitted.parameter_covariance()
    free = fitted.free()
    if free is None:
        chosen = np.append(interior(fitted.design, theta), True)
    else:
        chosen = ~np.any(free.slopes[:, ~free.inner] != 0.0, axis=1)
    inverse = parameters.matrix[np.ix_(chosen, chosen)]
    undetermined = np.tensordot(parameters.undetermined, slopes, 1)
    notes = []
    if not chosen.all():
        known = fitted.known_singularities()
        directions = boundary_directions(fitted.design, theta, fitted.term_roots, known)
        if directions:
            notes.append(f"Estimated as zero and left out of the degrees of freedom: {', '.join(directions)}")
    if np.isnan(inverse).any():
        notes.append(
            "No degrees of freedom by Satterthwaite's method: the Hessian in the variance parameters is not "
            "positive definite (ddf='kenward-roger' does not need it)"
        )
    basis = Satterthwaite(
        beta,
        covariance,
        slopes[chosen],
        inverse,
        origin=origin_of(fitted),
        undetermined=undetermined,
        notes=tuple(notes),
    )
    return _with_note(basis, fitted, undetermined_directions(fitted))


def _kenward_roger(fitted: FittedModel) -> KenwardRoger:
    if fitted.held.variances:
        raise ArgumentError(
            "ddf='kenward-roger': the method expands the covariance matrix in all variance parameters, and "
            f"some are fixed ({', '.join(fitted.held.texts)}); take ddf='satterthwaite'"
        )
    origin, notes = origin_of(fitted), []
    if not fitted.restricted:
        fitted = by_reml(fitted)
        notes.append("Refitted by REML (instead of ML) for Kenward and Roger's method")
        notes += fitted.convergence.messages
    parts = kenward_roger_parts(fitted)
    beta, _ = _beta_and_covariance(fitted)
    half = parts.turn @ parts.phi
    undetermined = half @ np.tensordot(parts.undetermined, parts.p, 1) @ half.T
    known = bool(np.isfinite(parts.w).all())
    if not known:
        notes.append(
            "No covariance matrix and degrees of freedom by Kenward and Roger's method: the information on "
            "the variances is not finite"
        )
    basis = KenwardRoger(
        beta,
        parts.adjusted,
        parts.phi,
        parts.p,
        parts.w,
        parts.turn,
        origin=origin,
        undetermined=undetermined if known else None,
        notes=tuple(notes),
    )
    return _with_note(basis, fitted, parts.directions if known else [])


def _with_note(basis: Basis, fitted: FittedModel, directions: Sequence[Direction]) -> Basis:
    """The basis with a note on directions that the data do not determine."""
    text = describe(fitted.design, fitted.term_roots, directions)
    return replace(basis, notes=(*basis.notes, _note(text, basis))) if text else basis


def _note(text: str, basis: DegreesOfFreedom) -> str:
    if basis.without_directions:
        return f"{text}: left out of standard errors and degrees of freedom"
    return f"{text}: NaN for standard errors and tests that depend on this"


def _without_curvature(fitted: FittedModel) -> tuple[NDArray[np.float64] | None, tuple[str, ...]]:
    """
    Of methods that do not use the curvature: directions along which standard errors change, and notes.

    What columns and levels of a term leave undetermined changes none.
    """
    design, roots = fitted.design, fitted.term_roots
    slopes = None
    if not fitted.profiled_coefficients:
        text = undetermined_text(fitted)
    elif _may_explain(fitted):
        found = fitted.parameter_covariance().undetermined
        slopes = np.tensordot(found, fitted.derived(_slopes), 1)
        text = describe(design, roots, undetermined_directions(fitted))
    else:
        text = describe(design, roots, structural_directions(design, roots, fitted.held.terms(design)))
    notes = []
    if text:
        beta, covariance = _beta_and_covariance(fitted)
        notes.append(_note(text, Infinite(beta, covariance, undetermined=slopes)))
    if not np.isfinite(fitted.covariance()).all():
        notes.append("No standard errors and no tests: the Hessian is not positive definite")
    return slopes, tuple(notes)


def _may_explain(fitted: FittedModel) -> bool:
    """
    Whether the fixed effects may explain so much of the random ones that a variance is undetermined.

    The REML criterion does not change with V along a symmetric G where PGP = 0, P annihilating X. Then G is
    XA' + AX', of at most twice the rank of X; that of a term is at least the number of its levels.
    """
    return fitted.restricted and any(
        len(term.group.levels) <= 2 * fitted.rank for term in fitted.design.terms
    )


def _beta_and_covariance(fitted: FittedModel) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return fitted.estimates.beta[fitted.estimates.kept], fitted.covariance()


_METHODS: dict[DdfName, Callable[[Any], DegreesOfFreedom]] = {
    "satterthwaite": _satterthwaite,
    "kenward-roger": _kenward_roger,
    "residual": _residual,
    "inf": _infinite,
}
