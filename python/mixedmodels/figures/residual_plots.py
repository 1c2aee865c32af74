"""Residuals of a model in figures, and the page of diagnostics."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import one_of, random_generator, whole_number
from ..diagnostics.kinds import TYPES, of_used_rows
from ..diagnostics.randomized import randomized_quantiles
from ..diagnostics.residuals import residuals_used
from ..diagnostics.rows import row_values
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..plot.quantiles import qq_plot
from ..plot.residuals import binned_plot, box_plot, scatter_plot
from ..plot.style import Panels, panels_of, panels_or_new
from .random_effects import draw_effects_qq

_NAMES = {
    "quantile": "quantile residual",
    "pearson": "Pearson residual",
    "deviance": "deviance residual",
    "response": "residual",
    "working": "working residual",
    "standardized": "standardised residual",
    "studentized": "studentised residual",
    "deletion": "deletion residual",
    "whitened": "whitened marginal residual",
}


def shown_residuals(fitted: FittedModel, type: Any, rng: Any) -> tuple[str, NDArray[np.float64]]:
    """
    The residuals of a figure with their name.

    By default Pearson residuals over sigma for a model with normal residuals, and quantile residuals for
    others, which are normal under the model for every family.
    """
    if type is not None:
        one_of("type", type, (*TYPES, "quantile"))
    if type is None and fitted.residual_sd is not None and fitted.exact_likelihood:
        return "Pearson residual / σ", residuals_used(fitted, "pearson", scaled=True)
    generator = random_generator(rng)
    if type == "quantile" or (type is None and fitted.family.support):
        return _NAMES["quantile"], randomized_quantiles(fitted, generator)
    chosen = type or "pearson"
    return _NAMES[chosen], of_used_rows(fitted, chosen)


def fitted_axis(fitted: FittedModel) -> tuple[str, NDArray[np.float64]]:
    """What residuals are drawn against: fitted values, or linear predictors where these are not the same."""
    if fitted.family.link == "identity":
        return "fitted value", fitted.mean
    return f"linear predictor ({fitted.family.link} scale)", fitted.linear_predictor


def plot_diagnostics(fitted: FittedModel, axes: Any = None, type: Any = None, rng: Any = None) -> Panels:
    """The page of four panels, see `MixedModel.plot_diagnostics`."""
    name, values = shown_residuals(fitted, type, rng)
    cells = panels_or_new(axes, 4, size=(4.4, 3.6), columns=2)
    label, at = fitted_axis(fitted)
    scatter_plot(at, values, (label, name), ax=cells[0])
    cells[0].set_title("Residuals against fitted values")
    qq_plot([("", values)], name, ax=cells[1])
    cells[1].set_title("Q-Q plot of residuals")
    scatter_plot(at, np.sqrt(np.abs(values)), (label, f"√|{name}|"), zero=False, ax=cells[2])
    cells[2].set_ylim(bottom=0.0)
    cells[2].set_title("Scale-location")
    draw_effects_qq(fitted, cells[3])
    cells[3].set_title("Q-Q plot of random effects")
    return panels_of(cells, (2, 2))


def plot_residuals(
    fitted: FittedModel, against: Any = None, ax: Any = None, type: Any = None, rng: Any = None
) -> Any:
    """Residuals against a variable, see `MixedModel.plot_residuals`."""
    name, values = shown_residuals(fitted, type, rng)
    if against is None:
        label, at = fitted_axis(fitted)
        return scatter_plot(at, values, (label, name), ax=ax)
    found = row_values(fitted, against, "against")
    if found.values is None:
        return box_plot(found.codes, found.levels, values, (found.name, name), ax=ax)
    return scatter_plot(found.values, values, (found.name, name), ax=ax)


def plot_binned_residuals(fitted: FittedModel, against: Any = None, bins: Any = None, ax: Any = None) -> Any:
    """Mean residuals in bins, see `MixedModel.plot_binned_residuals`."""
    label, at = "fitted value", fitted.mean
    if against is not None:
        found = row_values(fitted, against, "against")
        if found.values is None:
            raise ArgumentError(
                f"against: {found.name!r} is a factor, so its values have no bins; plot_residuals() takes it"
            )
        label, at = found.name, found.values
    n = fitted.n_obs
    # Gelman and Hill's choice; the number of rows each bin has grows with the data.
    usual = int(np.sqrt(n)) if n >= 100 else 10 if n > 10 else max(1, n // 2)
    count = min(usual, 200) if bins is None else whole_number("bins", bins, 1, max(n, 1))
    return binned_plot(at, residuals_used(fitted, "response"), count, (label, "mean residual"), ax=ax)
