"""Adjusted predictions over a grid of one, two or more predictors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import flag, one_of, probability, several_texts
from ..design.used_rows import used_data
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..formula.nodes import variables as variables_in
from ..frame import Frame
from ..inference.basis.choice import DdfName, Vcov
from ..inference.estimates.variance_components import variance_components
from ..inference.hypotheses.confidence_limits import t_quantile
from ..plot.effects import effect_plots
from ..public import public
from ..render.page import Page
from ..render.printed import Printed
from ..render.style import Style
from ..wording import capital, listed
from .empty_cells import not_estimable
from .grid import WEIGHTS, ReferenceGrid, averaged, cells, reference_grid
from .linear_functions import LinearFunctions, space_of
from .marginal_means import check_type, grid_notes
from .scale import Scale, residual_variance, response_link, response_scale
from .specs import Specs
from .table import means_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A covariate on the axis has all its values, when they are no more than these, or so many between its limits.
_VALUES = 25
_POINTS = 50
# The values of a covariate that tells the curves apart: all of so many, or mean and a standard deviation off.
_CURVES = 4
REFERENCE = "reference"
# Beside the terms in `to_frame`.
_COLUMNS = ("fit", "se_fit", "df", "lower", "upper")


@dataclass(frozen=True, eq=False, repr=False)
class PredictedEffects(Printed):
    """
    Adjusted predictions over a grid, with pointwise confidence bands.

    Attributes
    ----------
    labels : DataFrame, shape (m, number of terms)
        The values of the terms.
    estimate, std_error, df, lower, upper : ndarray, shape (m,)
        Predictions on the scale shown, their standard errors, degrees of freedom and confidence limits.
    covariates : tuple of str
        Those of the terms that are numbers.
    scale : str
        What the predictions are: "response", "prob", "rate", "median", or "linear predictor".
    level : float
        Confidence level.
    notes : tuple of str
        How the predictions were made: averages, values held fixed, degrees of freedom.

    Examples
    --------
    >>> from mixedmodels import lmer, load_orthodont
    >>> m = lmer("distance ~ age * Sex + (age | Subject)", load_orthodont())
    >>> m.predict_effects(["age", "Sex"], at={"age": [8, 14]}).to_frame().round(1)
        age     Sex   fit  se_fit    df  lower  upper
    0   8.0    Male  22.6     0.5  25.0   21.5   23.7
    1  14.0    Male  27.3     0.6  25.0   26.1   28.5
    2   8.0  Female  21.2     0.6  25.0   19.9   22.5
    3  14.0  Female  24.1     0.7  25.0   22.7   25.5
    """

    labels: pd.DataFrame
    estimate: NDArray[np.float64]
    std_error: NDArray[np.float64]
    df: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    covariates: tuple[str, ...]
    scale: str
    level: float
    notes: tuple[str, ...] = ()

    @property
    def terms(self) -> tuple[str, ...]:
        """The predictors of the grid, in the order asked for."""
        return tuple(map(str, self.labels.columns))

    def _page(self, style: Style) -> Page:
        columns: dict[str, Any] = {name: self.labels[name].to_numpy() for name in self.terms}
        columns |= {self.scale: self.estimate, "SE": self.std_error, "df": self.df}
        columns |= {"lower.CL": self.lower, "upper.CL": self.upper}
        # More columns of values than one would be repetitions in each group.
        return means_table(columns, self.terms[:1], self.terms[1:], self.notes)._page(style)

    def to_frame(self) -> pd.DataFrame:
        """
        The predictions as a plain data frame.

        Returns
        -------
        DataFrame
            The terms, then ``fit``, ``se_fit``, ``df``, ``lower`` and ``upper``.
        """
        values = (self.estimate, self.std_error, self.df, self.lower, self.upper)
        return self.labels.assign(**dict(zip(_COLUMNS, values, strict=True)))

    @public
    def plot(self, ax: Axes | Sequence[Axes] | None = None) -> Any:
        """
        Plot the predictions with their confidence limits; requires matplotlib.

        The first term is on the axis: a covariate as a line with its band, a factor as points with bars. The
        second is told by colours, and each value of the third (and further ones) has axes of its own.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of Axes, optional
            Where to draw, one for each value of the third term; by default a new figure.

        Returns
        -------
        matplotlib Axes, or ndarray of Axes with three or more terms

        Raises
        ------
        ArgumentError
            Without matplotlib, and when `ax` is not Axes or not enough of them.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.predict_effects("Days").plot().get_xlabel()
        'Days'
        """
        names = list(self.terms)
        frame = self.to_frame()
        return effect_plots(
            frame,
            names[0],
            names[1] if len(names) > 1 else None,
            names[2:],
            line=names[0] in self.covariates,
            label=self.scale,
            ax=ax,
        )


def predict_effects(
    fitted: FittedModel,
    terms: Any,
    *,
    at: Mapping[str, Any] | None = None,
    weights: Any = "equal",
    type: str = "response",
    marginal: Any = False,
    offset: float | None = None,
    level: float = 0.95,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> PredictedEffects:
    """Adjusted predictions, see `MixedModel.predict_effects`."""
    level, check = probability("level", level), check_type(type)
    if flag("marginal", marginal) and check != "response":
        raise ArgumentError("marginal=True needs type='response': it averages responses")
    names, weights = _terms(terms), one_of("weights", weights, (*WEIGHTS, REFERENCE))
    grid = _grid(fitted, names, at, offset, weights)
    specs = Specs(tuple(names), ())
    shares = "equal" if weights == REFERENCE else weights
    labels, functions = averaged(grid, space_of(fitted, ddf, vcov), specs, shares)
    scale = _scale(fitted, grid, specs, shares, check == "response", bool(marginal))
    return _predictions(fitted, labels, functions, scale, level, grid, specs, shares)


def _terms(terms: Any) -> list[str]:
    names = several_texts("terms", terms)
    if not names or len(set(names)) < len(names):
        raise ArgumentError("terms: name one predictor or several different ones")
    taken = [name for name in names if name in _COLUMNS]
    if taken:
        raise ArgumentError(
            f"terms: the predictor {taken[0]!r} has the name of a column of the result ({listed(_COLUMNS)}); "
            "rename it in the data"
        )
    return names


def _grid(
    fitted: FittedModel, names: Sequence[str], at: Any, offset: float | None, weights: Any
) -> ReferenceGrid:
    """The reference grid with the values of the terms."""
    grid = reference_grid(fitted, at, offset)
    for name in names:
        if name not in grid.variables:
            known = ", ".join(map(repr, grid.variables)) or "none"
            raise ArgumentError(f"terms: the fixed part has no predictor {name!r}; it has {known}")
    chosen = dict(at or {})
    for i, name in enumerate(names):
        if name not in chosen and grid.variables[name].numeric:
            chosen[name] = _values(fitted, name, i == 0)
    if weights == REFERENCE:
        others = [v for v in grid.variables.values() if v.name not in names and v.name not in chosen]
        chosen |= {v.name: [v.values[0]] for v in others if not v.covariate}
    return reference_grid(fitted, chosen, offset)


def _values(fitted: FittedModel, name: str, on_axis: bool) -> list[float]:
    """Values of a covariate that show its effect."""
    column: Any = used_data(fitted.design, fitted.arguments).frame.column(name)
    values = np.asarray(column.values, dtype=np.float64)
    distinct = np.unique(values)
    if len(distinct) <= (_VALUES if on_axis else _CURVES):
        return distinct.tolist()
    if on_axis:
        return np.linspace(distinct[0], distinct[-1], _POINTS).tolist()
    mean, spread = float(values.mean()), float(values.std(ddof=1))
    return [float(f"{value:.4g}") for value in (mean - spread, mean, mean + spread)]


def _scale(
    fitted: FittedModel, grid: ReferenceGrid, specs: Specs, weights: str, on_response: bool, marginal: bool
) -> Scale:
    link = response_link(fitted)
    if link is None or not on_response:
        return Scale("response" if link is None else "linear predictor")
    scale = response_scale(fitted, link, marginal)
    if not marginal:
        return scale
    # With the same weights as the predictions.
    variances = replace(grid, x=_random_variance(fitted, grid)[..., None], offset=0.0)
    _, functions = averaged(variances, space_of(fitted, "inf"), specs, weights)
    return replace(scale, spread=np.sqrt(functions.rows[:, 0] + residual_variance(fitted)))


def _random_variance(fitted: FittedModel, grid: ReferenceGrid) -> NDArray[np.float64]:
    """
    z'Gz in each cell of the grid.

    Of a term with predictors that are not in the grid the mean over the rows of the fit.
    """
    frame = Frame.from_any(cells(grid.variables), what="the reference grid") if grid.variables else None
    shape = grid.x.shape[:-1]
    total = np.zeros(shape)
    for t, (term, part) in enumerate(zip(fitted.design.terms, variance_components(fitted), strict=True)):
        needed = {name for node in fitted.design.recipe.random[t][0].nodes for name in variables_in(node)}
        if frame is not None and needed <= grid.variables.keys():
            z = fitted.design.recipe.new_z(frame, t)
            total += np.einsum("ij,jk,ik->i", z, part.cov, z).reshape(shape)
        else:
            total += float(np.mean(np.einsum("ij,jk,ik->i", term.z, part.cov, term.z)))
    return total


def _predictions(
    fitted: FittedModel,
    labels: pd.DataFrame,
    functions: LinearFunctions,
    scale: Scale,
    level: float,
    grid: ReferenceGrid,
    specs: Specs,
    weights: str,
) -> PredictedEffects:
    eta, error, df = functions.estimate, functions.standard_error, functions.df
    half = t_quantile(0.5 + level / 2, df) * error
    low, high = scale.limits(eta - half, eta + half)
    notes = [
        *functions.space.basis.notes,
        *grid_notes(grid, specs, weights),
        scale.spread_note,
        f"{capital(functions.space.basis.label)}; confidence level: {level:g}",
    ]
    if scale.link is not None:
        notes.append(f"Intervals are transformed from the {scale.link.name} scale")
    if not functions.estimable.all():
        notes.append(not_estimable(fitted, grid, functions, specs, weights) or "nonEst: not estimable")
    return PredictedEffects(
        labels.reset_index(drop=True),
        scale.shown(eta),
        scale.error(eta, error),
        df,
        low,
        high,
        tuple(name for name in specs.all if grid.variables[name].numeric),
        scale.name,
        level,
        tuple(filter(None, notes)),
    )
