"""Which coefficients the rows left determine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..fit.row_sets import RowSets
from ..fit.state import FittedModel
from .estimates import Estimates

# Shares of a column in a combination of others that are no rounding errors.
_SHARE = 1e-7


def confounded(x: NDArray[np.float64], dropped: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """
    The columns of X that are part of a linear combination that vanishes.

    A fit of a matrix without full rank drops columns, and the coefficients of those that it keeps then depend
    on the choice, unless the column has no share in the dropped ones.

    Parameters
    ----------
    x : ndarray, shape (n, p)
    dropped : ndarray of bool, shape (p,)
        So many columns that the others are independent.
    """
    kept, gone = x[:, ~dropped], x[:, dropped]
    shares = np.abs(np.linalg.lstsq(kept, gone, rcond=None)[0]) * np.linalg.norm(kept, axis=0)[:, None]
    result = dropped.copy()
    result[~dropped] = (shares > _SHARE * np.linalg.norm(gone, axis=0)).any(axis=1)
    return result


def of_determined(
    fitted: FittedModel, sets: RowSets, columns: NDArray[np.intp], found: Estimates
) -> Estimates:
    """The estimates of the coefficients of `columns`, with NaN where the rows left do not determine them."""
    found = _of_several_levels(fitted, sets, found)
    missing = np.isnan(found.change)
    some = np.flatnonzero(missing.any(axis=1) & ~missing.all(axis=1)).tolist()
    if not some:
        return found
    change, covariance, x = found.change.copy(), found.covariance.copy(), fitted.design.x[:, columns]
    for j in some:
        unknown = confounded(np.delete(x, sets[j], axis=0), missing[j])
        change[j, unknown] = covariance[j, unknown] = covariance[j][:, unknown] = np.nan
    return replace(found, change=change, covariance=covariance)


def _of_several_levels(fitted: FittedModel, sets: RowSets, found: Estimates) -> Estimates:
    """The estimates with NaN where one level of a grouping factor is left: no fit takes such a factor."""
    lost: dict[int, str] = {}
    for group in {term.group.label: term.group for term in fitted.design.terms}.values():
        for j in np.flatnonzero(_levels_left(group.codes, len(group.levels), sets) < 2).tolist():
            lost[j] = f"one level of {group.label} is left"
    if not lost:
        return found
    gone = list(lost)
    arrays = {}
    for name in ("change", "covariance", "sigma", "variances"):
        arrays[name] = getattr(found, name).copy()
        arrays[name][gone] = np.nan
    messages = tuple(lost.get(j, text) for j, text in enumerate(found.messages))
    return replace(found, messages=messages, **arrays)


def _levels_left(codes: NDArray[np.integer], n_levels: int, sets: RowSets) -> NDArray[np.int64]:
    """The number of levels that the rows outside each set have."""
    of_set = np.repeat(np.arange(len(sets)), sets.sizes)
    cells, deleted = np.unique(of_set * n_levels + codes[sets.rows].astype(np.int64), return_counts=True)
    emptied = deleted == np.bincount(codes, minlength=n_levels)[cells % n_levels]
    return n_levels - np.bincount(cells[emptied] // n_levels, minlength=len(sets))
