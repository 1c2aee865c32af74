"""Smooth curves through the points of profiles, for plots alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...fit.state import FittedModel
from ...plot.profiles import Panel, Trace
from ..estimates.parameter_rows import parameter_rows
from .base import Base
from .scales import label, on_scale
from .walks import Curve


def panels(fitted: FittedModel, curves: Sequence[Curve], scale: str) -> tuple[list[Curve], list[Panel]]:
    """The curves that have points enough to be drawn, and what plots need of each."""
    used, result = [], []
    for curve in curves:
        values, zeta = _monotone(curve)
        values = on_scale(scale, curve.row.kind, values, fitted)
        # A standard deviation of zero has no logarithm.
        finite = np.isfinite(values)
        if np.count_nonzero(finite) > 2:
            name = label(scale, curve.row.kind, curve.row.name, fitted)
            result.append(Panel(name, values[finite], zeta[finite]))
            used.append(curve)
    return used, result


def _monotone(curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values and ζ of the points with the estimate; those where ζ falls back are left out."""
    at = int(np.searchsorted(curve.values, curve.estimate))
    values, zeta = np.insert(curve.values, at, curve.estimate), np.insert(curve.zeta, at, 0.0)
    keep = [at]
    for order in (range(at + 1, len(zeta)), range(at - 1, -1, -1)):
        last_value, last = curve.estimate, 0.0
        width = max(1e-12, float(np.ptp(values)))
        for i in order:
            if abs(zeta[i]) > abs(last) + 1e-6 and abs(values[i] - last_value) > 1e-9 * width:
                keep.append(i)
                last_value, last = values[i], zeta[i]
    keep.sort()
    return values[keep], zeta[keep]


def traces(base: Base, curves: Sequence[Curve]) -> dict[tuple[int, int], Trace]:
    """
    For each pair (i, j) of curves the values of parameter j along the profile of parameter i, as ζ of both.
    """
    from scipy.interpolate import PchipInterpolator

    rows = [row.name for row in parameter_rows(base.fitted)]
    result: dict[tuple[int, int], Trace] = {}
    for j, other in enumerate(curves):
        values, zeta = _monotone(other)
        to_zeta = PchipInterpolator(values, zeta, extrapolate=False)
        for i, curve in enumerate(curves):
            if i == j:
                continue
            column = curve.parameters[:, rows.index(other.row.name)]
            along = np.clip(column, values[0], values[-1])
            at = int(np.searchsorted(curve.values, curve.estimate))
            result[i, j] = Trace(
                np.insert(curve.zeta, at, 0.0), np.nan_to_num(np.insert(to_zeta(along), at, 0.0))
            )
    return result
