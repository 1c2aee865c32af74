"""Residuals of every type and kind, for the rows of the data."""

from __future__ import annotations

from typing import get_args

import numpy as np
from numpy.typing import NDArray

from ..checks import flag, one_of
from ..errors import ArgumentError
from ..fit.state import FittedModel, ResidualType
from .marginal import marginal, standardized_marginal, whitened
from .residuals import residuals_used
from .standardized import standardized, studentized

TYPES: tuple[str, ...] = (*get_args(ResidualType), "standardized", "studentized", "deletion", "whitened")
KINDS = ("conditional", "marginal")
_MARGINAL = {"response": marginal, "standardized": standardized_marginal, "whitened": whitened}


def residuals(
    fitted: FittedModel, type: str | None = None, scaled: bool = False, kind: str | None = None
) -> NDArray[np.float64]:
    """
    Residuals; padded with NaN when the model was fitted with ``na_action="exclude"``.

    See :meth:`mixedmodels.MixedModel.residuals`.
    """
    if type is not None:
        one_of("type", type, TYPES)
    flag("scaled", scaled)
    if kind is None:
        kind = _kind_of(type)
    one_of("kind", kind, KINDS)
    return fitted.design.missing.pad(_used(fitted, type, scaled, kind))


def of_used_rows(fitted: FittedModel, type: str) -> NDArray[np.float64]:
    """Residuals of a type, of the kind that it has by default, for the rows used."""
    return _used(fitted, type, False, _kind_of(type))


def _kind_of(type: str | None) -> str:
    return "marginal" if type == "whitened" else "conditional"


def _used(fitted: FittedModel, type: str | None, scaled: bool, kind: str) -> NDArray[np.float64]:
    if scaled and type not in (None, *get_args(ResidualType)):
        raise ArgumentError(f"residuals: type={type!r} is scaled already; leave scaled out")
    if kind == "marginal":
        return _marginal(fitted, "response" if type is None else type, scaled)
    if type == "whitened":
        raise ArgumentError("residuals: type='whitened' is of marginal residuals; leave kind out")
    if type == "standardized":
        return standardized(fitted)
    if type == "studentized":
        return studentized(fitted)
    if type == "deletion":
        with np.errstate(divide="ignore", invalid="ignore"):
            return residuals_used(fitted, "response") / (1.0 - fitted.leverages())
    return residuals_used(
        fitted, fitted.residual_type if type is None else one_of("type", type, TYPES), scaled
    )


def _marginal(fitted: FittedModel, type: str, scaled: bool) -> NDArray[np.float64]:
    if not fitted.exact_likelihood:
        what = "type='whitened'" if type == "whitened" else "kind='marginal'"
        raise ArgumentError(
            f"residuals: {what} is for linear models; with family {fitted.family.name} the mean over the "
            "random effects is no function of the fixed part. Take type='pearson', or quantile_residuals()"
        )
    if type not in _MARGINAL:
        raise ArgumentError(
            f"residuals: marginal residuals have the types {', '.join(_MARGINAL)}, not {type!r}"
        )
    values = _MARGINAL[type](fitted)
    return values / fitted.sigma if scaled else values
