"""Fits from arguments, and new fits from a fitted model: another response, other options, another design."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from ..design import Design, Response
from ..design.contrast_table import FIXED, contrasts_in
from ..design.used_rows import used_data
from ..errors import DataError
from ..formula import parse_formula
from ..frame import Frame
from ..notices import UNNAMED, silent
from .arguments import FitArguments, GeneralizedArguments, ModelArguments
from .endpoint.term_roots import term_roots
from .fit_generalized import GeneralizedFitting
from .fit_linear import LinearFitting
from .fitted_generalized import FittedGeneralized, generalized_design_of
from .fitted_linear import FittedLinear, design_of
from .fitting import Fitting, Point
from .state import FittedModel

M = TypeVar("M", bound=FittedModel)

_KINDS: dict[type, tuple[type[Fitting[Any, Any]], Any]] = {
    FitArguments: (LinearFitting, design_of),
    GeneralizedArguments: (GeneralizedFitting, generalized_design_of),
}


@overload
def fit_new(arguments: FitArguments) -> FittedLinear: ...
@overload
def fit_new(arguments: GeneralizedArguments) -> FittedGeneralized: ...
@overload
def fit_new(arguments: ModelArguments) -> FittedModel: ...
def fit_new(arguments: ModelArguments) -> FittedModel:
    """
    Build the design that the arguments describe and fit it.

    The model keeps the columns that this reads, so that nothing is read again after the fit.
    """
    return prepared(arguments).fit()


def prepared(arguments: ModelArguments) -> Fitting[Any, Any]:
    """
    Build the design that the arguments describe, ready to be fitted.

    It keeps the columns that this reads, so that nothing is read again.
    """
    fitting, design_from = _KINDS[type(arguments)]
    frame = Frame.from_any(arguments.data).anew()
    design = design_from(arguments, frame)
    return fitting(design, dataclasses.replace(arguments, data=frame.kept()))


def with_options(fitting: Fitting[Any, Any], changes: Mapping[str, Any]) -> Fitting[Any, Any]:
    """The same design with other options of the search: ``start``, ``optimizer``, ``control``, ``reml``."""
    return type(fitting)(fitting.design, dataclasses.replace(fitting.arguments, **dict(changes)))


def refitted(
    fitted: M,
    changes: Mapping[str, Any] | None = None,
    *,
    response: Response | None = None,
    response_name: str | None = None,
    quiet: bool = False,
) -> M:
    """
    The same design fitted again: to another response, or with other options.

    Parameters
    ----------
    fitted : FittedModel
    changes : mapping, optional
        Of the arguments ``start``, ``optimizer``, ``control``, and ``reml`` of a linear model.
    response : Response, optional
    response_name : str, optional
        What warnings call it.
    quiet : bool
        Issue no warnings.
    """
    arguments = dataclasses.replace(fitted.arguments, **dict(changes or {}))
    fitting, _ = _KINDS[type(arguments)]
    roots = fitted.term_roots
    if response is None:
        return fitting(fitted.design, arguments).fit(fitted.engine, roots, quiet=quiet)
    parts = {"y": response.y, "weights": response.weights, "form": response.form}
    again = fitting(fitted.design.with_response(**parts, new_response=True), arguments)
    return again.fit(again.with_response(fitted.engine), roots, response_name or UNNAMED, quiet)


def state_at(fitted: M, response: Response, point: Point, status: str = "converged") -> M:
    """
    The model with another response at the parameters that a refit has found, without a search and a verdict.

    Parameters
    ----------
    fitted : FittedModel
    response : Response
    point : Point
    status : str
        How the refit ended.
    """
    fitting, _ = _KINDS[type(fitted.arguments)]
    parts = {"y": response.y, "weights": response.weights, "form": response.form}
    again = fitting(fitted.design.with_response(**parts, new_response=True), fitted.arguments)
    return again.at(point, again.with_response(fitted.engine), fitted.term_roots, status)


def fit_at(arguments: ModelArguments, point_of: Callable[[Design], Point]) -> FittedModel:
    """
    Build the design that the arguments describe, at given parameters: without a search and without warnings.

    Parameters
    ----------
    arguments : ModelArguments
    point_of : callable
        Gives the parameters in the order of the design.
    """
    fitting, design_from = _KINDS[type(arguments)]
    with silent():
        frame = Frame.from_any(arguments.data).anew()
        design = design_from(arguments, frame)
        own = fitting(design, dataclasses.replace(arguments, data=frame.kept()))
        roots = term_roots(design, own.root_weights())
        return own.at(point_of(design), own.build_engine(), roots)


def refitted_design(fitted: M, design: Design, changes: Mapping[str, Any] | None = None) -> M:
    """
    The fit of another design with the other arguments of a fit, from a start of its own and without warnings.

    Parameters
    ----------
    fitted : FittedModel
    design : Design
    changes : mapping, optional
        Of the arguments.
    """
    arguments = dataclasses.replace(fitted.arguments, start=None, **dict(changes or {}))
    fitting, _ = _KINDS[type(arguments)]
    return fitting(design, arguments).fit(quiet=True)


def fitted_to_rows(fitted: M, rows: NDArray[np.bool_]) -> M:
    """
    The model fitted to some of the rows that it used, without warnings.

    The design is built anew: levels, contrasts and the constants of transforms come from these rows.

    Parameters
    ----------
    fitted : FittedModel
    rows : ndarray of bool, shape (n,)
    """
    whole = fitted.arguments.data
    chosen = np.zeros(whole.n_rows, dtype=bool)
    chosen[used_data(fitted.design, fitted.arguments).positions[rows]] = True
    arguments = dataclasses.replace(fitted.arguments, subset=chosen, start=None)
    fitting, design_from = _KINDS[type(arguments)]
    design, old = design_from(arguments, whole), fitted.design
    if old.new_response:
        weights = old.weights if old.weights is None else old.weights[rows]
        design = design.with_response(y=old.y[rows], weights=weights, form=old.form, new_response=True)
    return fitting(design, arguments).fit(quiet=True)


def formula_fitted_to_rows(fitted: FittedModel, formula: str, fixed: Any) -> FittedModel:
    """
    Another formula fitted by maximum likelihood to the response and rows of a model, without warnings.

    Parameters
    ----------
    fitted : FittedModel
    formula : str
    fixed : mapping or None
        The parameters that it holds; coefficients ``("fixed", name)`` where it has them.
    """
    given, old = fitted.arguments, fitted.design
    used = np.zeros(given.data.n_rows, dtype=bool)
    used[used_data(old, given).positions] = True
    parsed = parse_formula(formula, given.data.names, given.functions)
    changes: dict[str, Any] = {"reml": False} if fitted.exact_likelihood else {}
    arguments = dataclasses.replace(
        given,
        formula=formula,
        subset=used,
        start=None,
        fixed=fixed,
        contrasts=contrasts_in(parsed, given.contrasts),
        **changes,
    )
    fitting, design_from = _KINDS[type(arguments)]
    with silent():
        frame = given.data.anew()
        design = design_from(arguments, frame)
    if design.formula.response != old.formula.response:
        raise DataError(
            f"the response of the formula is {design.formula.response}, and that of the model is "
            f"{old.formula.response}: their likelihoods cannot be compared"
        )
    if old.new_response and design.n_rows == old.n_rows:
        design = design.with_response(y=old.y, weights=old.weights, form=old.form, new_response=True)
    gone = [k for k in fixed or {} if isinstance(k, tuple) and k[0] == FIXED and k[1] not in design.x_names]
    left = {key: value for key, value in (fixed or {}).items() if key not in gone} or None
    own = dataclasses.replace(arguments, data=frame.kept(), fixed=left)
    return fitting(design, own).fit(quiet=True)


def by_ml(fitted: M) -> M:
    """The fit by maximum likelihood; the model itself if it is by ML."""
    return by_criterion(fitted, reml=False)


def by_reml(fitted: M) -> M:
    """The fit by REML, for models with `exact_likelihood`; the model itself if it is by REML."""
    return by_criterion(fitted, reml=True)


def by_criterion(fitted: M, reml: bool) -> M:
    """
    The fit by the other criterion, made once and without warnings; the model itself if it is by this one.

    It has a start of its own, as its optimum may be elsewhere; a model that was only evaluated is so again.
    """
    return fitted if fitted.restricted == reml else fitted.derived(_by_other_criterion)


def _by_other_criterion(fitted: Any) -> Any:
    changes: dict[str, Any] = {} if fitted.arguments.optimizer is None else {"start": None}
    return refitted(fitted, {**changes, "reml": not fitted.restricted}, quiet=True)
