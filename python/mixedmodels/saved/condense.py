"""Fewer rows with the same weighted cross-products, which give the same variances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import MixedModelError
from ..fit.state import FittedModel
from ..fit.without_data import Condensed

# Second derivatives by differences of sixth order.
_STEP = 0.02
_STENCIL = np.array([2.0, -27.0, 270.0, -490.0, 270.0, -27.0, 2.0]) / 180.0
# Relative; far below what standard errors are read to.
_AGREEMENT = 1e-6
_PROBED = 20


def condensed(fitted: FittedModel, most: int) -> Condensed | None:
    """
    The rows of a fit condensed; None when they have more than `most` numbers, or do not give its variances.

    Of a generalized model the rows are weighted by the information at the modes.
    """
    design = fitted.design
    weights = _weights(fitted)
    if not (np.isfinite(weights).all() and (weights >= 0.0).all()):
        return None
    columns: list[NDArray[np.float64]] = []
    places: dict[bytes, int] = {}

    def placed(matrix: NDArray[np.float64]) -> NDArray[np.int64]:
        found = []
        for column in matrix.T:
            key = np.ascontiguousarray(column).tobytes()
            if key not in places:
                places[key] = len(columns)
                columns.append(column)
            found.append(places[key])
        return np.array(found, dtype=np.int64)

    x = placed(design.x[:, fitted.estimates.free])
    z = tuple([placed(term.z) for term in design.terms])
    key, codes = _cells(fitted)
    counts = np.bincount(key, minlength=len(codes))
    columns.append(_response(fitted))
    width = len(columns)
    if int(np.minimum(counts, width).sum()) * (width + 1) > most:
        return None
    values = np.sqrt(weights)[:, None] * np.column_stack(columns)
    rows, cells = _triangles(values, key, counts)
    result = Condensed(rows, cells, codes, x, z)
    return result if _agree(fitted, result) else None


def _weights(fitted: FittedModel) -> NDArray[np.float64]:
    """The weights in the cross-products that the variances given theta come from."""
    if fitted.exact_likelihood:
        return fitted.prior_weights
    if fitted.arguments.information == "expected":
        return fitted.working_weights()
    eta, y, family = fitted.linear_predictor, fitted.observed, fitted.family
    total = np.zeros(len(eta))
    for i, share in enumerate(_STENCIL):
        moved = eta + _STEP * (i - len(_STENCIL) // 2)
        total -= share * family.log_likelihood(y, moved, fitted.prior_weights, fitted.dispersion)
    return total / _STEP**2


def _response(fitted: FittedModel) -> NDArray[np.float64]:
    """The response of a linear model less its offset; for others noise, which no estimate comes from."""
    design = fitted.design
    if not fitted.exact_likelihood:
        return np.random.default_rng(0).standard_normal(fitted.n_obs)
    offset = fitted.held.offset(design.x, design.offset)
    return design.y if offset is None else design.y - offset


def _cells(fitted: FittedModel) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The combination of levels of each row, and the levels of each combination."""
    terms = fitted.design.terms
    key = np.zeros(fitted.n_obs, dtype=np.int64)
    for term in terms:
        key = key * len(term.group.levels) + term.group.codes.astype(np.int64)
        key = np.unique(key, return_inverse=True)[1].reshape(-1)
    _, first = np.unique(key, return_index=True)
    return key, np.column_stack([term.group.codes[first].astype(np.int64) for term in terms])


def _triangles(
    values: NDArray[np.float64], key: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The rows of each cell as its triangular factor where that has fewer; and their cells."""
    width = values.shape[1]
    order = np.argsort(key, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)])[:-1]
    few = counts <= width
    kept = order[few[key[order]]]
    rows, cells = [values[kept]], [key[kept]]
    size = np.ceil(np.log2(np.maximum(counts, 1))).astype(int)
    for level in np.unique(size[~few]):
        chosen = np.flatnonzero(~few & (size == level))
        padded = 2**level
        # Not more than about 100 MB at once.
        for part in np.array_split(chosen, 1 + len(chosen) * padded * width // 10_000_000):
            inside = np.arange(padded) < counts[part][:, None]
            at = np.minimum(starts[part][:, None] + np.arange(padded), len(order) - 1)
            block = np.where(inside[..., None], values[order[at]], 0.0)
            found = np.asarray(np.linalg.qr(block, mode="r"), dtype=np.float64)
            rows.append(found.reshape(-1, width))
            cells.append(np.repeat(part, width))
    values, cell = np.concatenate(rows), np.concatenate(cells)
    used = values.any(axis=1)
    return values[used], cell[used].astype(np.int64)


def _agree(fitted: FittedModel, found: Condensed) -> bool:
    """Whether variances of some predictions are those of the fit."""
    from .._engine import prediction_variances

    design, own = fitted.design, fitted.estimates
    chosen = np.linspace(0, fitted.n_obs - 1, min(_PROBED, fitted.n_obs)).astype(int)
    x = design.x[chosen]
    terms = [(term.group.codes[chosen], term.z[chosen]) for term in design.terms]
    wanted = fitted.prediction_variances(x, terms)
    try:
        engine = found.engine(design)
        variances = fitted.scale**2 * prediction_variances(engine, own.theta, x[:, own.free], terms, True)
    except (MixedModelError, ValueError):
        return False
    if np.isnan(wanted).all():
        return False
    return bool(np.allclose(variances, wanted, rtol=_AGREEMENT, atol=_AGREEMENT * float(np.nanmax(wanted))))
