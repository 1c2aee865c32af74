"""From the file of an optimum to the fitted model, without a search."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ArgumentError, DataError, MixedModelError
from ...formula import parse_formula
from ...notices import silent
from ..endpoint.term_roots import term_roots
from ..fitting import Fitting, Point
from ..state import FittedModel
from .file import convergence_from, description, read
from .fingerprint import difference, fingerprint
from .numbers import number, plain, vector
from .optimum import parameters_of

# Of the objective: what other processors and versions may change by rounding.
_AGREEMENT = 1e-8


def restored(fitting: Fitting[Any, Any], engine: Any, file: Any) -> FittedModel:
    """
    The fitted model at a saved optimum.

    Parameters
    ----------
    fitting : Fitting
        The model, not fitted.
    engine : Lmm or Glmm
        The engine's model of its design.
    file : path or file object

    Raises
    ------
    ArgumentError
        For a file that is not one, and for the optimum of another model.
    DataError
        For the optimum of other data.
    """
    content = read(file)
    try:
        return _restored(fitting, engine, content)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, MixedModelError):
            raise
        raise ArgumentError(
            f"restore_optimum: the file is damaged ({type(error).__name__}: {error})"
        ) from None


def _restored(fitting: Fitting[Any, Any], engine: Any, content: Mapping[str, Any]) -> FittedModel:
    design = fitting.design
    _check_model(fitting, content["model"])
    problem = difference(content["data"], plain(fingerprint(design)))
    if problem:
        raise DataError(f"restore_optimum: the saved optimum is that of other data: {problem}")
    theta, beta = vector(content["theta"]), vector(content["beta"])
    if len(theta) != engine.n_theta or len(beta) != len(design.x_names):
        raise ValueError("the parameters do not have the shape of the model")
    point = Point(theta, beta, number(content["dispersion"]))
    with silent():
        fitted = fitting.at(point, engine, term_roots(design, fitting.root_weights()))
    saved, found = number(content["objective"]), float(fitted.estimates.objective)
    # A file that was edited, or a function of the user that has changed.
    if not abs(found - saved) <= _AGREEMENT * max(1.0, abs(saved)):
        raise DataError(
            f"restore_optimum: the objective at the saved parameters is {found:.10g}, but was {saved:.10g} "
            "in the fit"
        )
    _check_parameters(content["parameters"], parameters_of(fitted))
    # As it was, to the last bit.
    estimates = dataclasses.replace(fitted.estimates, objective=saved)
    return fitted.with_estimates(estimates).concluded(convergence_from(content["search"]))


def _check_parameters(saved: Mapping[str, Any], own: NDArray[np.float64]) -> None:
    """Refuse parameters for readers that are not those restored; their names may be of another version."""
    names, start, final = saved["names"], vector(saved["start"]), vector(saved["final"])
    if not all(isinstance(name, str) for name in names) or not len(names) == len(start) == len(own):
        raise ValueError("parameters do not have the shape of the model")
    if len(final) != len(own) or not np.allclose(final, own, rtol=_AGREEMENT, atol=_AGREEMENT):
        raise ValueError("the final parameters are not those of theta")


def _check_model(fitting: Fitting[Any, Any], saved: Mapping[str, Any]) -> None:
    """Refuse the optimum of another formula or criterion."""
    arguments = fitting.arguments
    own = plain(description(fitting.design.formula.text, arguments, fitting.held))
    if not _same_formula(str(saved["formula"]), own["formula"], arguments):
        raise ArgumentError(
            f"restore_optimum: the saved optimum is that of {saved['formula']}, and this model is "
            f"{own['formula']}"
        )
    for name, value in own.items():
        if name != "formula" and saved.get(name) != value:
            raise ArgumentError(
                f"restore_optimum: {name} was {saved.get(name)!r} in the fit, and is {value!r} in this model"
            )


def _same_formula(saved: str, own: str, arguments: Any) -> bool:
    """Whether two formulas are the same in the spelling of this version."""
    if saved == own:
        return True
    try:
        return parse_formula(saved, arguments.data.names, arguments.functions).text == own
    except MixedModelError:
        return False
