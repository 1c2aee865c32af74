"""The basis of a test or interval that the arguments ``ddf`` and ``vcov`` ask for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ...checks import one_of, shown
from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...wording import listed
from ..estimates.origin import check_origin, origin_of, refuse_other, signature_of
from .degrees_of_freedom import DegreesOfFreedom
from .kinds import Infinite, Residual
from .model_basis import DDF_NAMES, DdfName, basis_by_name, without_optimum
from .robust import RobustCovariance
from .testable import have_optimum

# The ``vcov`` argument: the result of vcov_cluster(), a rule of one's own, or a matrix.
Vcov: TypeAlias = DegreesOfFreedom | ArrayLike

DDF_SYNONYMS = {"kr": "kenward-roger", "kenward_roger": "kenward-roger", "asymptotic": "inf", "z": "inf"}
# Differences and negative eigenvalues this small beside the variances are rounding errors.
_ROUNDING = 1e-8


def basis_of(fitted: FittedModel, ddf: DdfName | None = None, vcov: Vcov | None = None) -> DegreesOfFreedom:
    """
    Coefficients, covariance matrix and degrees of freedom for tests and intervals of the fixed effects.

    Parameters
    ----------
    fitted : FittedModel
    ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
        By default Satterthwaite's degrees of freedom for a linear mixed model, infinite ones for a
        generalized model and for a matrix given as `vcov`.
    vcov : RobustCovariance, DegreesOfFreedom or array-like of shape (rank, rank), optional
        By default the model's own covariance matrix. A RobustCovariance or another DegreesOfFreedom brings
        its own degrees of freedom; a matrix goes with ``ddf="inf"`` (the default) or ``ddf="residual"``. The
        rows of a data frame are matched by name, and a data frame from `vcov` or `RobustCovariance.to_frame`
        must be of this model. An array of numbers cannot be checked.

    Returns
    -------
    DegreesOfFreedom

    Raises
    ------
    ArgumentError
        For an unknown method or one that does not suit the model, a matrix that is no covariance matrix, and
        whatever was computed from another model.
    """
    if vcov is None:
        return basis_by_name(fitted, check_ddf(fitted, ddf))
    basis = _given(fitted, ddf, vcov)
    if have_optimum(fitted) or not basis.testable:
        return basis
    return without_optimum(fitted, basis.covariance, basis.infinite, basis.notes)


def bases_of(
    fits: Sequence[FittedModel],
    ddf: DdfName | None = None,
    vcov: Vcov | Sequence[Vcov | None] | None = None,
) -> list[DegreesOfFreedom]:
    """
    The basis for each of several models, see `basis_of`.

    Parameters
    ----------
    fits : sequence of FittedModel
    ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
    vcov : RobustCovariance, DegreesOfFreedom or array-like, or sequence of these and None, optional
        For one model its covariance matrix; otherwise one for each model, None for the model's own.

    Raises
    ------
    ArgumentError
        When there are not as many as models, and as `basis_of` does.
    """
    if vcov is None or (len(fits) == 1 and not _is_list_of_covariances(vcov)):
        matrices: list[Any] = [vcov] * len(fits)
    elif not isinstance(vcov, (list, tuple)) or len(vcov) != len(fits):
        raise ArgumentError(
            f"vcov must be a list with a covariance matrix (or None) for each of the {len(fits)} models"
        )
    else:
        matrices = list(vcov)
    return [basis_of(fit, ddf, matrix) for fit, matrix in zip(fits, matrices, strict=True)]


def _is_list_of_covariances(value: Any) -> bool:
    """Whether this is a list of covariance matrices, not one matrix written as a list of rows."""
    return isinstance(value, (list, tuple)) and all(
        part is None or isinstance(part, DegreesOfFreedom) or np.ndim(part) == 2 for part in value
    )


def check_ddf(fitted: FittedModel, ddf: Any) -> DdfName:
    """The ``ddf`` argument as the name of a method that suits the model."""
    if ddf is None:
        return "satterthwaite" if fitted.exact_likelihood else "inf"
    if isinstance(ddf, (DegreesOfFreedom, pd.DataFrame, np.ndarray, list, tuple)):
        raise ArgumentError(
            f"ddf takes the name of a method ({', '.join(map(repr, DDF_NAMES))}), not {shown(ddf)}; pass a "
            "covariance matrix as vcov="
        )
    wanted = ddf.lower() if isinstance(ddf, str) else "inf" if _is_infinite(ddf) else ddf
    name = one_of("ddf", DDF_SYNONYMS.get(wanted, wanted) if isinstance(wanted, str) else wanted, DDF_NAMES)
    if name != "inf" and not fitted.exact_likelihood:
        raise ArgumentError(
            f"ddf={ddf!r}: tests of a generalized model rest on large samples and have no "
            "denominator degrees of freedom; take ddf='inf'"
        )
    return name


def large_samples(basis: DegreesOfFreedom) -> DegreesOfFreedom:
    """The same covariance matrix with normal and χ² distributions."""
    if basis.infinite or not basis.testable:
        return basis
    return Infinite(
        basis.beta,
        basis.covariance,
        origin=basis.origin,
        undetermined=basis.undetermined,
        notes=(f"Covariance matrix: {basis.label}; χ² tests do not use the degrees of freedom", *basis.notes),
    )


def _is_infinite(value: Any) -> bool:
    return isinstance(value, float) and value == math.inf


def _given(fitted: FittedModel, ddf: DdfName | None, vcov: Vcov) -> DegreesOfFreedom:
    if isinstance(vcov, DegreesOfFreedom):
        if ddf is not None:
            check_ddf(fitted, ddf)
            raise ArgumentError("vcov brings its own degrees of freedom; leave ddf out")
        check_origin(fitted, vcov, "vcov")
        if vcov.origin is None or isinstance(vcov, RobustCovariance):
            # Made by hand, or a copy with other values.
            _matrix(fitted, vcov.covariance)
        return vcov
    name = "inf" if ddf is None else check_ddf(fitted, ddf)
    if name not in ("inf", "residual"):
        raise ArgumentError(
            f"ddf={ddf!r} needs the model's own covariance matrix; with a matrix as vcov take 'inf' or "
            "'residual'"
        )
    matrix, beta = _matrix(fitted, vcov), fitted.estimates.beta[fitted.estimates.kept]
    note = ("Standard errors from the covariance matrix given as vcov",)
    if name == "inf":
        return Infinite(beta, matrix, origin=origin_of(fitted), notes=note)
    return Residual(beta, matrix, fitted.n_obs - fitted.n_coefficients, origin=origin_of(fitted), notes=note)


def _matrix(fitted: FittedModel, vcov: Any) -> NDArray[np.float64]:
    """A covariance matrix of the kept coefficients."""
    if isinstance(vcov, str):
        raise ArgumentError(f"vcov must be the result of vcov_cluster() or a matrix, not {shown(vcov)}")
    if isinstance(vcov, pd.DataFrame):
        origin, vcov = signature_of(vcov), _by_name(fitted, vcov)
        if origin is not None:
            refuse_other(fitted, origin, "vcov")
    try:
        matrix = np.asarray(vcov, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(
            f"vcov must be the result of vcov_cluster() or a matrix, not {shown(vcov)}"
        ) from None
    rank = fitted.rank
    if matrix.shape != (rank, rank):
        raise ArgumentError(
            f"vcov must be a matrix with a row and a column for each of the {rank} coefficients, not one of "
            f"shape {matrix.shape}"
        )
    if not np.isfinite(matrix).all():
        raise ArgumentError("vcov must hold finite numbers only")
    variances = np.diag(matrix)
    if (variances < 0).any():
        name = fitted.design.x_names[fitted.estimates.kept[int(np.argmin(variances))]]
        raise ArgumentError(f"vcov is not a covariance matrix: the variance of {name!r} is negative")
    size = np.sqrt(np.where(variances > 0, variances, 1.0))
    scaled = matrix / np.outer(size, size)
    if np.abs(scaled - scaled.T).max(initial=0.0) > _ROUNDING:
        raise ArgumentError("vcov is not a covariance matrix: it is not symmetric")
    scaled = (scaled + scaled.T) / 2
    if len(scaled) and np.linalg.eigvalsh(scaled)[0] < -_ROUNDING * len(scaled):
        raise ArgumentError(
            "vcov is not a covariance matrix: it has a negative eigenvalue (it is not positive semidefinite)"
        )
    return (matrix + matrix.T) / 2


def _by_name(fitted: FittedModel, frame: pd.DataFrame) -> NDArray[Any]:
    """The values of a data frame in the order of the kept coefficients, when it is labelled with names."""
    rows, columns = [list(map(str, labels)) for labels in (frame.index, frame.columns)]
    names = fitted.design.x_names
    kept = [names[j] for j in fitted.estimates.kept]
    unlabelled = [str(i) for i in range(len(frame))]
    if rows == columns == unlabelled:
        return frame.to_numpy()
    if len(set(rows)) < len(rows) or set(rows) != set(columns) or set(rows) not in (set(kept), set(names)):
        raise ArgumentError(
            f"vcov belongs to another model: its rows are named {listed(rows)}, its columns "
            f"{listed(columns)}, and the coefficients of this model ({origin_of(fitted)}) are {listed(kept)}"
        )
    labelled = frame.set_axis(rows, axis=0).set_axis(columns, axis=1)
    return labelled.loc[kept, kept].to_numpy()
