"""The result of a profile: curves of ζ, limits at any level, plots."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...checks import finite_number, flag, one_of, probabilities, probability
from ...errors import ArgumentError, ConvergenceError, DataError, MixedModelsWarning
from ...fit.state import FittedModel
from ...fit.update import updated
from ...notices import warn_user
from ...render.numbers import format_fixed
from ...render.page import Page, Table
from ...render.printed import Printed
from ...render.result_table import ResultTable
from ...render.style import Style
from ...wording import counted, listed
from ..estimates.parameter_rows import ParameterRow, chosen_rows, parameter_rows
from .base import Base, base_of, profilable
from .limits import limits_table, percentages, quantile, warn_of_better
from .scales import SCALES, Scale, on_scale
from .walks import REASONS, Curve, better_point, constrained, walk

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ...plot.style import Panels

# Points of each side before the last one.
_POINTS = 8


@dataclass(frozen=True, eq=False, repr=False)
class Profile(Printed):
    """
    Profiles of the parameters of a model, the result of :func:`mixedmodels.profile`.

    The profile of a parameter ψ is ``ζ(ψ) = ± √(d(ψ) - d)``, where d is the minimum of -2 log-likelihood (or
    of the REML criterion), d(ψ) its minimum with ψ held, and the sign that of ψ minus the estimate. A
    straight line means that the log-likelihood is quadratic in ψ, so that Wald intervals are right.

    Attributes
    ----------
    level_max : float
        The profiles go to the limits of this confidence level.
    parameters : tuple of str
        Names of the parameters that were profiled.
    REML : bool
        Whether the REML criterion was profiled.
    better : MixedModel or None
        A better fit of the model, if one was found on the way; then the fit that was profiled is not the
        global optimum.
    """

    level_max: float
    parameters: tuple[str, ...]
    REML: bool
    better: Any
    _base: Base = field(repr=False)
    _curves: dict[str, Curve] = field(repr=False)
    _levels: dict[float, dict[str, Curve]] = field(repr=False, default_factory=dict)

    def to_frame(self, scale: Scale = "sd") -> pd.DataFrame:
        """
        The points of the profiles.

        Parameters
        ----------
        scale : {"sd", "variance", "log"}, default "sd"
            Standard deviations and sigma as they are, squared, or their logarithms. Correlations,
            coefficients and parameters of families that are no standard deviations stay as they are.

        Returns
        -------
        DataFrame
            A row for each point, by parameter and value: ``parameter``, ``value``, ``zeta``, ``objective``,
            ``note`` (``"estimate"``, why a walk ended there, or ``"not converged"``), then a column for each
            parameter of the model with its value at the constrained optimum.
        """
        one_of("scale", scale, SCALES)
        rows = parameter_rows(self._base.fitted)
        frames = [self._frame(curve, rows, scale) for curve in self._curves.values() if not curve.failure]
        if not frames:
            columns = ["parameter", "value", "zeta", "objective", "note", *(row.name for row in rows)]
            return pd.DataFrame(columns=columns)
        return pd.concat(frames, ignore_index=True)

    def _frame(self, curve: Curve, rows: Sequence[ParameterRow], scale: Scale) -> pd.DataFrame:
        base = self._base
        at = int(np.searchsorted(curve.values, curve.estimate))
        estimates = base.values(_one_point(base))
        notes = np.where(curve.converged, "", "not converged").astype(object)
        for end, place in zip(curve.ends, (0, -1), strict=True):
            # Of a side without points the estimate is the end.
            own = curve.values < curve.estimate if place == 0 else curve.values > curve.estimate
            if REASONS[end] and own.any():
                notes[place] = REASONS[end]
        parameters = np.insert(curve.parameters.reshape(-1, len(rows)), at, estimates[0], axis=0)
        columns: dict[str, Any] = {
            "parameter": curve.row.name,
            "value": on_scale(
                scale, curve.row.kind, np.insert(curve.values, at, curve.estimate), base.fitted
            ),
            "zeta": np.insert(curve.zeta, at, 0.0),
            "objective": np.insert(curve.objective, at, base.objective),
            "note": np.insert(notes, at, "estimate"),
        }
        for j, row in enumerate(rows):
            columns[row.name] = on_scale(scale, row.kind, parameters[:, j], base.fitted)
        return pd.DataFrame(columns)

    def confint(
        self, level: float = 0.95, parm: str | Sequence[str] | None = None, scale: Scale = "sd"
    ) -> ResultTable:
        """
        Confidence limits: where ζ is at the quantiles of the normal distribution.

        The limits are found on the profile itself, to about nine digits, not on a curve through its points.

        Parameters
        ----------
        level : float, default 0.95
            At most `level_max`.
        parm : str or sequence of str, optional
            Names or patterns, as in ``model.confint``; by default all parameters that were profiled.
        scale : {"sd", "variance", "log"}, default "sd"
            As in `to_frame`.

        Returns
        -------
        ResultTable
            As ``model.confint(method="profile")``.

        Raises
        ------
        ArgumentError
            For a level above `level_max`, and unknown parameters.
        """
        level = probability("level", level)
        one_of("scale", scale, SCALES)
        if level > self.level_max:
            raise ArgumentError(
                f"the profiles go to level {self.level_max:g}; for level {level:g} make them with "
                f"profile(level_max={level:g})"
            )
        fitted = self._base.fitted
        rows = chosen_rows("parm", parm, [c.row for c in self._curves.values()])

        def transform(
            rows: Sequence[ParameterRow], values: NDArray[np.float64]
        ) -> tuple[list[str], NDArray[np.float64]]:
            parts = [on_scale(scale, row.kind, own, fitted) for row, own in zip(rows, values, strict=True)]
            return [row.name for row in rows], np.array(parts)

        return limits_table(fitted, rows, self._at_level(level), level, self.REML, transform)

    def _at_level(self, level: float) -> Mapping[str, Curve]:
        """Curves with limits at a level."""
        z = quantile(level)
        if level == self.level_max:
            return self._curves
        if level not in self._levels:
            rows = [curve.row for curve in self._curves.values()]
            self._levels[level] = {c.row.name: c for c in walk(self._base, rows, [(z, True)])}
        return self._levels[level]

    def zeta_at(self, parameter: str, values: Any) -> NDArray[np.float64]:
        """
        The exact ζ at given values of a parameter, each by a constrained fit.

        Parameters
        ----------
        parameter : str
            Its name, as the rows of `confint` have it.
        values : array-like of shape (m,)
            Standard deviations, not variances.

        Returns
        -------
        ndarray, shape (m,)
            NaN where the criterion cannot be computed.

        Raises
        ------
        ArgumentError
            For an unknown parameter, and values out of its range.
        """
        row = self._row(parameter)
        lower, upper = self._base.range(row)
        wanted = [finite_number("values", v) for v in np.ravel(np.asarray(values, dtype=object)).tolist()]
        for value in wanted:
            if not lower <= value <= upper or (value == 0.0 and row.kind == "scale"):
                bounds = f"between {lower:g} and {upper:g}" if upper < math.inf else "positive"
                raise ArgumentError(f"values: {row.name} must be {bounds}, not {value:g}")
        estimate = self._curves[row.name].estimate
        below = sorted((v for v in set(wanted) if v < estimate), reverse=True)
        above = sorted(v for v in set(wanted) if v >= estimate)
        chains = [[[v] for v in below], [[v] for v in above]]
        found: dict[float, float] = {}
        for side, part in zip((below, above), constrained(self._base, [row], chains), strict=True):
            rise = np.maximum(part["objective"] - self._base.objective, 0.0)
            found |= {v: math.copysign(math.sqrt(r), v - estimate) for v, r in zip(side, rise, strict=True)}
        return np.array([found[v] for v in wanted])

    def _row(self, name: Any) -> ParameterRow:
        found = chosen_rows("parameter", name, [curve.row for curve in self._curves.values()])
        if len(found) != 1:
            raise ArgumentError(f"parameter must name one parameter, not {listed([r.name for r in found])}")
        return found[0]

    def plot(
        self,
        kind: Literal["zeta", "density", "pairs"] = "zeta",
        *,
        parm: str | Sequence[str] | None = None,
        scale: Scale = "sd",
        levels: Sequence[float] = (0.5, 0.8, 0.9, 0.95, 0.99),
        absolute: bool = False,
        axes: Sequence[Axes] | None = None,
    ) -> Panels:
        """
        Plot the profiles.

        Parameters
        ----------
        kind : {"zeta", "density", "pairs"}, default "zeta"
            "zeta": ζ against the parameter, with the intervals of `levels`. "density": the density of which
            the profile intervals are central intervals. "pairs": contours of two-dimensional confidence
            regions for each pair of parameters, interpolated from the profiles (Bates & Watts 1988), with
            the profile traces; on the scale of the parameters above the diagonal, on that of ζ below.
        parm : str or sequence of str, optional
            As in `confint`.
        scale : {"sd", "variance", "log"}, default "sd"
            As in `to_frame`.
        levels : sequence of float, default (0.5, 0.8, 0.9, 0.95, 0.99)
            Confidence levels that are drawn; those above `level_max` are left out.
        absolute : bool, default False
            For "zeta": plot the absolute values.
        axes : sequence of matplotlib Axes, optional
            One for each parameter, for "pairs" a square of them by rows; by default a new figure.

        Returns
        -------
        Panels
            The axes: one for each parameter, or a square of them.

        Raises
        ------
        ArgumentError
            Without matplotlib, and for parameters without a profile.

        References
        ----------
        D. M. Bates & D. G. Watts (1988), Nonlinear regression analysis and its applications, chapter 6.
        """
        from ...plot import profiles as plots
        from .curves_for_plots import panels, traces

        one_of("kind", kind, ("zeta", "density", "pairs"))
        one_of("scale", scale, SCALES)
        absolute = flag("absolute", absolute)
        rows = chosen_rows("parm", parm, [curve.row for curve in self._curves.values()])
        wanted = probabilities("levels", levels)
        shown = [level for level in wanted if level <= self.level_max + 1e-12]
        curves = [self._curves[row.name] for row in rows]
        curves, parts = panels(self._base.fitted, curves, scale)
        if not parts:
            raise ArgumentError("there is no profile to plot")
        if kind == "zeta":
            return plots.zeta_plot(parts, [quantile(level) for level in shown], absolute, axes)
        if kind == "density":
            return plots.density_plot(parts, axes)
        if len(parts) < 2:
            raise ArgumentError("kind='pairs' needs the profiles of two parameters")
        return plots.pairs_plot(parts, traces(self._base, curves), shown, axes)

    def _page(self, style: Style) -> Page:
        rows, z = [curve.row for curve in self._curves.values()], quantile(self.level_max)
        limits = np.array(
            [
                [side.value for side in curve.limits[z]] if z in curve.limits else [np.nan] * 2
                for curve in self._curves.values()
            ]
        ).reshape(-1, 2)
        lower, upper = percentages(self.level_max)
        digits = style.digits or 4
        table = Table.from_columns(
            [
                ("parameter", [row.name for row in rows]),
                ("estimate", format_fixed([c.estimate for c in self._curves.values()], digits)),
                (lower, format_fixed(limits[:, 0], digits)),
                (upper, format_fixed(limits[:, 1], digits)),
                ("points", [str(len(c.values) + 1) if not c.failure else "0" for c in self._curves.values()]),
            ],
            joined=(3,),
        )
        what = "REML criterion" if self.REML else "likelihood"
        heading = f"Profile {what} of {counted(len(rows), 'parameter')}"
        notes = self.confint(self.level_max).notes[1:]
        return Page.of(table, [heading], notes)


def _one_point(base: Base) -> dict[str, Any]:
    """The optimum, in the form of points."""
    origin = base.origin
    return {
        "theta": origin["theta"][None, :],
        "beta": origin["beta"][None, :],
        "log_dispersion": np.array([origin["log_dispersion"]]),
    }


def profile_of(
    fitted: FittedModel,
    which: Any,
    level_max: Any,
    reml: Any,
    progress: Any,
    wrap: Any,
) -> Profile:
    """
    Profile parameters of a model, see :func:`mixedmodels.profile`.

    Parameters
    ----------
    fitted : FittedModel
    which : str or sequence of str, optional
    level_max : float
    reml : bool
    progress : bool or callable
    wrap : callable
        Makes a public model of a `FittedModel`.
    """
    level_max = probability("level_max", level_max)
    reml = flag("REML", reml)
    if reml and not fitted.restricted:
        raise ArgumentError("profile: REML=True is for a linear model fitted by REML")
    rows = chosen_rows("which", which, parameter_rows(fitted))
    rows = profilable(fitted, rows, reml)
    if not rows:
        raise ArgumentError(
            "profile: none of these parameters can be profiled: they are held or dropped, or the REML "
            "criterion does not depend on them"
        )
    base = base_of(fitted, reml)
    z = quantile(level_max)
    goals = [(z * (i + 1) / _POINTS, False) for i in range(_POINTS - 1)]
    curves = walk(base, rows, [*goals, (z, True)], progress)
    warn_of_better(curves)
    point = better_point(curves)
    better = None if point is None else _better(fitted, point, reml, wrap)
    names = tuple([row.name for row in rows])
    return Profile(level_max, names, reml, better, base, {curve.row.name: curve for curve in curves})


def _better(fitted: FittedModel, point: Mapping[str, Any], reml: bool, wrap: Any) -> Any:
    """The model fitted from a better point; None, with a warning, where it cannot be fitted."""
    try:
        return wrap(_refitted(fitted, point, reml))
    except (ConvergenceError, DataError) as error:
        warn_user(
            f"the better optimum along the profiles cannot be fitted, so profile.better is None: {error}",
            MixedModelsWarning,
        )
        return None


def _refitted(fitted: FittedModel, point: Mapping[str, Any], reml: bool) -> FittedModel:
    """The model fitted from a point, without the limits that may have stopped the fit."""
    changes: dict[str, Any] = {"optimizer": "trust_region", "control": None}
    if fitted.exact_likelihood:
        if fitted.restricted and not reml:
            changes["REML"] = False
        return updated(fitted, changes | {"start": point["theta"]})
    start: dict[str, Any] = {"theta": point["theta"]}
    if not fitted.profiled_coefficients:
        beta = np.array(fitted.estimates.beta[fitted.estimates.kept])
        beta[np.isin(fitted.estimates.kept, fitted.estimates.free)] = point["beta"]
        start["beta"] = beta
    if fitted.family.estimates_dispersion:
        start["dispersion"] = math.exp(point["log_dispersion"])
    return updated(fitted, changes | {"start": start})
