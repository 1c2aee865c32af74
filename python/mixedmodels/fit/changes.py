"""New fits from a fitted model of either kind: another response, other options, another design."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..design import Response
from .fit_generalized import fit_generalized_arguments, fit_generalized_design, refit_generalized
from .fit_linear import by_criterion, fit_arguments, fit_design, refit
from .fitted_generalized import FittedGeneralized, GeneralizedArguments
from .fitted_linear import FittedLinear
from .record import FitArguments, ModelArguments
from .state import FittedModel


def fit_new(arguments: ModelArguments) -> FittedModel:
    """Build the design that the arguments describe and fit it."""
    if isinstance(arguments, GeneralizedArguments):
        return fit_generalized_arguments(arguments)
    assert isinstance(arguments, FitArguments)
    return fit_arguments(arguments)


def refitted(
    fitted: FittedModel,
    changes: Mapping[str, Any] | None = None,
    *,
    response: Response | None = None,
    response_name: str | None = None,
    quiet: bool = False,
) -> FittedModel:
    """
    The same design fitted again: to another response, or with other options.

    Parameters
    ----------
    fitted : FittedModel
    changes : mapping, optional
        Of ``start``, ``optimizer``, ``control``, and ``reml`` for a linear model.
    response : Response, optional
        Its `weights` are read for a binomial response only.
    response_name : str, optional
        What warnings call it.
    quiet : bool
        Issue no warnings.
    """
    if isinstance(fitted, FittedLinear):
        given = dict(changes or {})
        reml = given.pop("reml", None)
        y = None if response is None else response.y
        return refit(fitted, y=y, response=response_name, reml=reml, changes=given, quiet=quiet)
    assert isinstance(fitted, FittedGeneralized)
    return refit_generalized(
        fitted, response=response, response_name=response_name, changes=changes, quiet=quiet
    )


def refitted_design(
    fitted: FittedModel, design: Any, changes: Mapping[str, Any] | None = None
) -> FittedModel:
    """
    The fit of another design with the other arguments of a fit, from a start of its own and without warnings.

    Parameters
    ----------
    fitted : FittedModel
    design : Design
        Of the same kind.
    changes : mapping, optional
        Of the arguments; those that the kind of model does not have are left out.
    """
    known = {field.name for field in dataclasses.fields(fitted.arguments)}
    own = {name: value for name, value in (changes or {}).items() if name in known}
    arguments = dataclasses.replace(fitted.arguments, start=None, **own)
    if isinstance(arguments, GeneralizedArguments):
        return fit_generalized_design(design, arguments, quiet=True)
    assert isinstance(arguments, FitArguments)
    return fit_design(design, arguments, quiet=True)


def by_ml(fitted: FittedModel) -> FittedModel:
    """The fit by maximum likelihood, made once and without warnings; the model itself if it is by ML."""
    if isinstance(fitted, FittedLinear):
        return by_criterion(fitted, reml=False)
    return fitted


def by_reml(fitted: FittedModel) -> FittedModel:
    """The fit by REML, made once and without warnings; for models that have it, see `exact_likelihood`."""
    assert isinstance(fitted, FittedLinear)
    return by_criterion(fitted, reml=True)
