"""The profile likelihood of the parameter of a transformation of the response."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ...checks import flag, probability, shown
from ...errors import ArgumentError, ConvergenceError, DataError
from ...fit.changes import by_ml, by_reml
from ...fit.refits import refit_responses
from ...fit.state import FittedModel
from ...render.numbers import format_number, percent
from ...render.page import Facts, Page, Section, Table
from ...render.printed import Printed
from ...render.style import Style
from ..basis.column_space import columns_within
from .transformations import Transformation

Values = NDArray[np.float64]
# The first λ that are looked at, and how far a search goes beyond them.
_FIRST = np.linspace(-2.0, 2.0, 9)
_FARTHEST = 16.0
# Points of the curve, and how far it goes beyond the interval, in its lengths.
_POINTS, _BEYOND = 41, 0.35
_MOST_NUMBERS = 20_000_000


@dataclass(frozen=True, eq=False, repr=False)
class ResponseTransformation(Printed):
    """
    The parameter λ of a transformation of the response, by profile likelihood.

    Attributes
    ----------
    estimate : float
        λ with the largest profile likelihood.
    lower, upper : float
        Limits of the likelihood-ratio interval; infinite where the likelihood does not fall enough.
    level : float
        Its level.
    values, deviance : ndarray, shape (m,)
        λ, ascending, and -2 log-likelihood (or the REML criterion) of the response there, so that its values
        can be compared between λ.
    REML : bool
        Whether the likelihood is restricted.
    response : str
        What is transformed.
    transformation : Transformation
    """

    estimate: float
    lower: float
    upper: float
    level: float
    values: Values
    deviance: Values
    REML: bool
    response: str
    transformation: Transformation
    _special: tuple[tuple[float, str, float], ...] = ()

    @property
    def method(self) -> str:
        """``"box_cox"`` or ``"yeo_johnson"``."""
        return self.transformation.name

    def transform(self, y: ArrayLike, lam: float | None = None) -> Values:
        """
        The transformed response, for `refit`.

        Parameters
        ----------
        y : array-like
            Values of the response.
        lam : float, optional
            λ; by default the estimate.

        Returns
        -------
        ndarray

        Raises
        ------
        DataError
            For values that are not positive, by Box and Cox.
        """
        values = _numbers("y", y)
        self.transformation.check(np.atleast_1d(values), self.response)
        return self.transformation.forward(values, self.estimate if lam is None else float(lam))

    def inverse(self, z: ArrayLike, lam: float | None = None) -> Values:
        """
        The response from its transform, such as a prediction.

        Parameters
        ----------
        z : array-like
            Transformed values.
        lam : float, optional
            λ; by default the estimate.

        Returns
        -------
        ndarray
            NaN outside the range of the transformation. The inverse of a mean is a median.
        """
        values = _numbers("z", z)
        return self.transformation.inverse(values, self.estimate if lam is None else float(lam))

    def to_frame(self) -> pd.DataFrame:
        """
        The profile.

        Returns
        -------
        DataFrame
            Columns ``lambda``, ``deviance`` and ``zeta``, the signed root of the change of the deviance from
            its minimum.
        """
        fall = np.maximum(self.deviance - self._least, 0.0)
        zeta = np.sign(self.values - self.estimate) * np.sqrt(fall)
        return pd.DataFrame({"lambda": self.values, "deviance": self.deviance, "zeta": zeta})

    def plot(self, ax: Any = None) -> Any:
        """
        Draw the profile log-likelihood with the estimate and its interval.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        Axes
        """
        from ...plot.transformations import transformation_plot

        return transformation_plot(
            self.values,
            -self.deviance / 2,
            self.estimate,
            (self.lower, self.upper),
            self.level,
            f"{'Restricted log' if self.REML else 'Log'}-likelihood of {self.response}",
            ax,
        )

    @property
    def _least(self) -> float:
        return float(self.deviance.min())

    def _page(self, style: Style) -> Page:
        digits = style.digits or 4
        limits = f"[{format_number(self.lower, digits)}, {format_number(self.upper, digits)}]"
        kind = "REML" if self.REML else "maximum likelihood"
        facts = (("λ", format_number(self.estimate, digits)), (f"{percent(self.level)} interval", limits))
        ratios = [max(ratio, 0.0) for _, _, ratio in self._special]
        table = Table.from_columns(
            [
                ("", [f"λ = {lam:g} ({meaning})" for lam, meaning, _ in self._special]),
                ("LRT", [format_number(ratio, digits) for ratio in ratios]),
                ("p", style.p_values(map(_p_value, ratios))),
            ]
        )
        title = f"{self.transformation.title} transformation of {self.response} by {kind}"
        return Page((Section((title,), Facts(facts)), Section((), table)))


def _numbers(name: str, given: Any) -> Values:
    if isinstance(given, pd.DataFrame) and "se_fit" in given:
        raise ArgumentError(
            f"{name} has standard errors, which cannot be transformed; take the other columns, "
            "predictions[['fit', 'lower', 'upper']]"
        )
    try:
        return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(f"{name} must be numbers, not {shown(given)}") from None


def _p_value(ratio: float) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(1, max(ratio, 0.0))) if math.isfinite(ratio) else math.nan


def profile_response(
    fitted: FittedModel, transformation: Transformation, level: float, reml: bool
) -> ResponseTransformation:
    """See `MixedModel.box_cox` and `MixedModel.yeo_johnson`."""
    name, level = transformation.name, probability("level", level)
    _refuse(fitted, name)
    design = fitted.design
    transformation.check(design.y, design.response_name)
    own = by_reml(fitted) if flag("REML", reml) else by_ml(fitted)
    profile = _Profile(own, transformation)
    profile.at(_FIRST)
    estimate, least = profile.minimum()
    cutoff = least + _quantile(level)
    lower, upper = (profile.crossing(estimate, cutoff, side) for side in (-1.0, 1.0))
    special = tuple(
        [(lam, text, float(profile.at([lam])[0]) - least) for lam, text in transformation.special.items()]
    )
    low = lower if math.isfinite(lower) else estimate - 4.0
    high = upper if math.isfinite(upper) else estimate + 4.0
    margin = _BEYOND * (high - low)
    values = np.sort(np.append(np.linspace(low - margin, high + margin, _POINTS), estimate))
    deviance = profile.at(values)
    known = np.isfinite(deviance)
    return ResponseTransformation(
        estimate,
        lower,
        upper,
        level,
        values[known],
        deviance[known],
        own.restricted,
        design.response_name,
        transformation,
        special,
    )


def _quantile(level: float) -> float:
    from scipy.special import chdtri

    return float(chdtri(1, 1.0 - level))


def _refuse(fitted: FittedModel, name: str) -> None:
    if not fitted.exact_likelihood:
        raise ArgumentError(
            f"{name}: a transformation of the response is for linear mixed models; the family and the link "
            "of a generalized model do its work"
        )
    if fitted.design.has_offset:
        raise ArgumentError(f"{name}: an offset has no meaning on the scale of a transformed response")
    if fitted.held.texts:
        raise ArgumentError(
            f"{name}: fixed parameters ({', '.join(fitted.held.texts)}) are on the scale of the response as "
            "it is; fit the model without them"
        )


class _Profile:
    """The criterion as a function of λ; every value is computed once."""

    def __init__(self, fitted: FittedModel, transformation: Transformation) -> None:
        self.fitted, self.transformation, self.y = fitted, transformation, fitted.design.y
        constant = np.ones((len(self.y), 1))
        self.has_constant = columns_within(constant, fitted.design.x[:, fitted.estimates.free])
        self.known: dict[float, float] = {}

    def at(self, values: ArrayLike) -> Values:
        """The criterion at these λ, NaN or infinite where there is no fit."""
        wanted = [float(v) for v in np.atleast_1d(np.asarray(values, dtype=np.float64))]
        new = [v for v in dict.fromkeys(wanted) if v not in self.known]
        size = max(1, _MOST_NUMBERS // len(self.y))
        for start in range(0, len(new), size):
            part = new[start : start + size]
            self.known.update(zip(part, self._criteria(part), strict=True))
        return np.array([self.known[v] for v in wanted])

    def _criteria(self, values: list[float]) -> list[float]:
        """Of the scaled responses, whose likelihoods are those of the response itself."""
        responses = np.full((len(self.y), len(values)), np.nan, order="F")
        for j, lam in enumerate(values):
            with np.errstate(over="ignore", under="ignore", invalid="ignore"):
                responses[:, j] = self.transformation.scaled(self.y, lam, self.has_constant)
        usable = np.isfinite(responses).all(axis=0) & (np.ptp(responses, axis=0) > 0)
        found = np.full(len(values), np.inf)
        if usable.any():
            fits = refit_responses(self.fitted, np.asfortranarray(responses[:, usable]))
            found[usable] = np.where(fits.failed, np.inf, fits.objective)
        return np.where(np.isnan(found), np.inf, found).tolist()

    def minimum(self) -> tuple[float, float]:
        """λ at the minimum of the criterion, and the minimum."""
        from scipy.optimize import minimize_scalar

        step = float(_FIRST[1] - _FIRST[0])
        while True:
            known = sorted(v for v, deviance in self.known.items() if math.isfinite(deviance))
            if len(known) < 3:
                raise ConvergenceError(
                    "no transformed response could be fitted; check the model and its response"
                )
            best = min(known, key=self.known.__getitem__)
            if known[0] < best < known[-1]:
                break
            outwards = best + step * (1.0 if best == known[-1] else -1.0)
            if abs(outwards) > _FARTHEST or not math.isfinite(self.at([outwards])[0]):
                raise DataError(
                    f"{self.transformation.name}: the likelihood still grows at λ = {best:.3g}, the end "
                    "of the search: the response is far from zero for its range, so subtract a constant; or "
                    "no such transformation suits it"
                )
            step *= 1.5
        i = known.index(best)

        def criterion(lam: Any) -> float:
            return float(self.at([lam])[0])

        found = minimize_scalar(
            criterion, bounds=(known[i - 1], known[i + 1]), method="bounded", options={"xatol": 1e-6}
        )
        best = min(self.known, key=self.known.__getitem__) if found.fun > self.known[best] else float(found.x)
        return best, self.known[best]

    def crossing(self, estimate: float, cutoff: float, side: float) -> float:
        """Where the criterion passes the cut-off on one side of the estimate; infinite where it does not."""
        from scipy.optimize import brentq

        def excess(lam: float) -> float:
            return float(self.at([lam])[0]) - cutoff

        inside, step = estimate, 0.1
        while abs(inside + side * step) < _FARTHEST:
            outside = inside + side * step
            value = excess(outside)
            if not math.isfinite(value):
                return side * math.inf
            if value > 0:
                found: Any = brentq(excess, inside, outside, xtol=1e-7)
                return float(found)
            inside, step = outside, 1.6 * step
        return side * math.inf
