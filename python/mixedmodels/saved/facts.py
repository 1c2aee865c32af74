"""What is computed when a model is saved, as it needs the data; by the names that it has in files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import MixedModelError, ModelFileError
from ..fit import state
from ..fit.endpoint import separation
from ..fit.state import FittedModel
from ..inference.basis import model_basis
from ..inference.basis.testable import have_optimum
from ..inference.hypotheses import estimability
from ..inference.terms import term_hypotheses
from ..means import variables
from ..report import notes, summarize
from .types import returned_by

ALWAYS: dict[str, Callable[[Any], Any]] = {
    "held": state._held,
    "coordinates": state._coordinates,
    "structural_directions": state._structural_directions,
    "parameter_covariance": state._parameter_covariance,
    "separation_note": separation._separation_note,
    "residual_quantiles": summarize._residual_quantiles,
    "estimability_sizes": estimability._column_sizes,
    "estimability_directions": estimability._scaled_directions,
    "estimability_distances": estimability._distances,
    "term_sizes": term_hypotheses._column_sizes,
    "term_coding": term_hypotheses._scaled_coding,
    "root_of_x": term_hypotheses._root_of_x,
    "overlaps": notes._overlaps,
    "grid_variables": variables._usual_variables,
    "df_infinite": model_basis._infinite,
}
UNLESS_HELD: dict[str, Callable[[Any], Any]] = {"gradient": state._gradient, "hessian": state._hessian}
IF_HELD: dict[str, Callable[[Any], Any]] = {"free_parameters": state._free}
EXACT: dict[str, Callable[[Any], Any]] = {
    "df_satterthwaite": model_basis._satterthwaite,
    "df_residual": model_basis._residual,
}
KENWARD_ROGER: dict[str, Callable[[Any], Any]] = {"df_kenward_roger": model_basis._kenward_roger}
LEVELS: dict[str, Callable[[Any], Any]] = {"level_variances": state._level_variances}
EVERY = {**ALWAYS, **UNLESS_HELD, **IF_HELD, **EXACT, **KENWARD_ROGER, **LEVELS}

# Kenward and Roger's method takes long for more rows.
_MOST_ROWS = 20_000


def facts_of(fitted: FittedModel, kenward_roger: bool | None) -> dict[str, Any]:
    """
    The facts about a model, by name. Those that cannot be computed are left out.

    Parameters
    ----------
    fitted : FittedModel
    kenward_roger : bool or None
        Whether to compute what Kenward and Roger's method needs; None for models where that is quick.
    """
    wanted = dict(ALWAYS)
    wanted |= IF_HELD if fitted.held.variances else UNLESS_HELD
    if fitted.exact_likelihood and have_optimum(fitted):
        wanted |= EXACT
        (method,) = KENWARD_ROGER.values()
        quick = fitted.n_obs <= _MOST_ROWS or method in fitted._results
        possible = fitted.restricted and not fitted.held.variances
        if kenward_roger or (kenward_roger is None and quick and possible):
            wanted |= KENWARD_ROGER
    found = {}
    for name, compute in wanted.items():
        try:
            found[name] = fitted.derived(compute)
        except MixedModelError:
            if name in KENWARD_ROGER and kenward_roger:
                raise
    return found


def by_function(facts: dict[str, Any]) -> dict[Any, Any]:
    """
    The facts by the functions that compute them; those that this version does not know are left out.

    Raises
    ------
    ModelFileError
        For a value that its function does not return.
    """
    known = {EVERY[name]: value for name, value in facts.items() if name in EVERY}
    for compute, value in known.items():
        if not returned_by(compute, value):
            raise ModelFileError("it is damaged: a fact about the model is of another type")
    return known
