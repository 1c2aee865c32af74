"""Rows on another scale (regrid), and in units of a standard deviation (eff_size)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import one_of
from ..errors import ArgumentError
from ..families.links import LINKS
from ..inference.basis.choice import DdfName, Vcov
from ..inference.basis.degrees_of_freedom import DegreesOfFreedom
from ..inference.hypotheses.estimability import Undetermined
from .contrasts import contrasted
from .linear_functions import LinearFunctions, Space
from .rows import Rows
from .scale import Scale

_TRANSFORMS = ("response", "log", "logit", "sqrt", "none")


def regridded(means: Rows, transform: Any) -> Rows:
    """The rows linearized on another scale, see `Emmeans.regrid`."""
    one_of("transform", transform, _TRANSFORMS)
    if transform == "none":
        name = means.predictor if means.scale.link is None else means.scale.link.name
        scale = Scale("estimate" if means.contrasts else "emmean")
        return replace(means, scale=scale, link=None, predictor=name)
    scale = means.response or means.scale if means.scale.link is None else means.scale
    if scale.link is None and transform == "response":
        return means
    # Rows without another scale than their own are on the scale of the response.
    shown = means.scale.link is not None or means.response is None
    functions = means.functions
    eta = functions.estimate
    values, slope = scale.shown(eta), scale.slope(eta)
    note = [scale.spread_note] if scale.spread_note else []
    link, target, predictor = None, Scale(scale.name), ""
    if transform != "response":
        link = LINKS[transform]
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = link.link(values)
            slope = slope / link.slope(moved)
        refused = np.isfinite(values) & ~np.isfinite(moved)
        if refused.any():
            raise ArgumentError(
                f"regrid: the {transform} of {values[refused][0]:.4g} is not defined; take 'response'"
            )
        values = moved
        if shown:
            target = Scale(scale.name, link)
        else:
            target, predictor = Scale("emmean"), link.name
    return replace(
        means,
        functions=_linearized(functions, slope, values),
        scale=target,
        link=link if shown else None,
        predictor=predictor,
        response=None if link is None else Scale(scale.name, link),
        notes=(*means.notes, *note),
    )


def _linearized(functions: LinearFunctions, slope: Any, values: Any) -> LinearFunctions:
    """Functions with these values and slopes in the ones given (delta method)."""
    rows = slope[:, None] * functions.rows
    constants = values - slope * (functions.estimate - functions.constants)
    return LinearFunctions(rows, constants, replace(functions.space, linearized=True))


@dataclass(frozen=True, eq=False)
class _WithScale(DegreesOfFreedom):
    """Coefficients and, after them, the logarithm of a standard deviation, independent of each other."""

    coefficients: DegreesOfFreedom

    @property
    def label(self) -> str:
        return self.coefficients.label

    @property
    def infinite(self) -> bool:
        return self.coefficients.infinite

    @property
    def testable(self) -> bool:
        return self.coefficients.testable

    def df(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.coefficients.df(rows[:, :-1])

    def joint_df(self, rows: NDArray[np.float64]) -> tuple[float, float]:
        test = self.coefficients.joint(rows[:, :-1])
        return test.df2, test.scaling


@dataclass(frozen=True, eq=False)
class _SpaceWithScale(Space):
    """Of effect sizes: the coefficients, and the logarithm of a standard deviation with its variance."""

    coefficients: Space
    variance: float

    def rebased(self, ddf: DdfName | None, vcov: Vcov | None) -> Space:
        return _with_scale(self.coefficients.rebased(ddf, vcov), self.variance, int(self.kept[-1]))


def _with_scale(space: Space, variance: float, p: int) -> _SpaceWithScale:
    """The space with one more coefficient, in column p."""
    basis = space.basis
    covariance = np.zeros((len(basis.beta) + 1,) * 2)
    covariance[:-1, :-1] = basis.covariance
    covariance[-1, -1] = variance
    undetermined = None
    if basis.undetermined is not None:
        undetermined = np.pad(basis.undetermined, ((0, 0), (0, 1), (0, 1)))
    return _SpaceWithScale(
        np.append(space.kept, p),
        _UndeterminedWithScale(space.undetermined.fitted),
        _WithScale(
            np.append(basis.beta, 0.0), covariance, basis, undetermined=undetermined, notes=basis.notes
        ),
        space,
        variance,
    )


@dataclass(frozen=True, eq=False)
class _UndeterminedWithScale(Undetermined):
    """For functions whose last coefficient is the scale, which the data determine."""

    def parts(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        return super().parts(rows[:, :-1])


def effect_sizes(means: Rows, sigma: Any, edf: Any, method: Any = "pairwise") -> Rows:
    """Contrasts divided by a standard deviation, see :func:`mixedmodels.eff_size`."""
    sigma, edf = _positive(sigma, "sigma"), _positive(edf, "edf", infinite=True)
    # Differences on the scale of the linear predictor, never ratios.
    contrasts = _differences(means) if means.contrasts else contrasted(replace(means, link=None), method)
    functions = contrasts.functions
    d = functions.estimate / sigma
    # The derivative of L beta / sigma in log sigma is -d.
    rows = np.column_stack([functions.rows / sigma, -np.where(np.isnan(d), 0.0, d)])
    # The variance of the logarithm of a standard deviation is about 1 / (2 edf).
    space = replace(functions.space, linearized=True)
    extended = _with_scale(space, 1.0 / (2.0 * edf), functions.rows.shape[1])
    return replace(
        contrasts,
        functions=LinearFunctions(rows, functions.constants / sigma, extended),
        scale=Scale("effect.size"),
        link=None,
        adjust="none",
        response=None,
        predictor=contrasts.predictor if means.link is None else means.link.name,
        notes=(
            *contrasts.notes,
            f"In units of sigma = {sigma:.4g}, estimated with {_shown(edf)} degrees of freedom",
        ),
        infer=(True, False),
    )


def _differences(contrasts: Rows) -> Rows:
    """Contrasts that are named as differences even where they are shown as ratios."""
    if contrasts.link is None:
        return contrasts
    labels = contrasts.labels.copy()
    for name in labels.columns.difference(list(contrasts.by)):
        labels[name] = [
            text.replace(" / ", " - ") if isinstance(text, str) and text.count(" / ") == 1 else text
            for text in labels[name]
        ]
    return replace(contrasts, labels=labels)


def _positive(value: Any, what: str, infinite: bool = False) -> float:
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not value > 0 or (math.isinf(value) and not infinite):
        raise ArgumentError(f"eff_size: {what} must be a positive number, not {value!r}")
    return float(value)


def _shown(edf: float) -> str:
    return "infinite" if math.isinf(edf) else f"{edf:.4g}"
