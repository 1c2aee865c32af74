"""A point in the space of all parameters of a model: that of the estimates, or one that the user gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import finite_number, shown
from ..design import Predictors, theta as theta_layout
from ..errors import ArgumentError
from ..families import Family
from ..wording import listed
from .fixed import Held, held_dispersion, names_of_parameters, resolve
from .state import FittedModel


@dataclass(frozen=True, eq=False)
class Parameters:
    """
    All parameters of a model.

    Attributes
    ----------
    beta : ndarray, shape (p,)
        Zero for dropped columns.
    theta : ndarray, shape (n_theta,)
        In units of `scale`.
    dispersion : float
        The family's own parameter, the residual variance of a linear model; 1 for a family without one.
    scale : float
        The unit of theta: sigma for a linear model, 1 for a generalized one.
    """

    beta: NDArray[np.float64]
    theta: NDArray[np.float64]
    dispersion: float
    scale: float

    def factors(self, design: theta_layout.HasTerms) -> list[NDArray[np.float64]]:
        """The covariance factor of each term in absolute units, shape (k, k) each."""
        return [self.scale * factor for factor in theta_layout.factors(design, self.theta)]


def estimated(fitted: FittedModel) -> Parameters:
    """The estimates of a fit."""
    estimates = fitted.estimates
    beta = np.zeros(len(estimates.beta))
    beta[estimates.kept] = estimates.beta[estimates.kept]
    return Parameters(beta, estimates.theta, fitted.dispersion, fitted.scale)


def parameters_with(fitted: FittedModel, params: Any) -> Parameters:
    """
    The estimates of a fit with some parameters replaced by the argument `params`.

    Standard deviations are absolute: those that are not given stay as they are when sigma changes.

    Raises
    ------
    ArgumentError
        For unknown names and values out of range.
    """
    own = estimated(fitted)
    family = None if fitted.exact_likelihood else fitted.family
    return _replaced(own, _flat(params, fitted.design), fitted.design, family)


def complete_parameters(design: Predictors, params: Any, family: Family | None) -> Parameters:
    """
    All parameters of a model that is not fitted, from the argument `params`.

    Parameters
    ----------
    design : Predictors
    params : mapping
    family : Family, optional
        Of a generalized model.

    Raises
    ------
    ArgumentError
        When a parameter is missing; the message lists all names.
    """
    given = _flat(params, design)
    dispersion = 1.0 if family is None or family.dispersion is None else family.dispersion
    count = sum(term.structure.n_parameters for term in design.terms)
    own = Parameters(np.zeros(design.x.shape[1]), np.zeros(count), dispersion, 1.0)
    held = resolve(given, design, family, "params")
    missing = _missing(held, given, design, family)
    if missing:
        names = names_of_parameters(design, family)
        raise ArgumentError(
            f"params: no value for {listed(missing, most=30)}; the parameters are: {listed(names, most=60)}"
        )
    return _replaced(own, given, design, family)


def _missing(held: Held, given: Mapping[Any, Any], design: Predictors, family: Family | None) -> list[str]:
    """The parameters without a value, by their names."""
    names = iter(names_of_parameters(design, family))
    columns = set(held.columns.tolist())
    found = [name for j, name in zip(range(design.x.shape[1]), names, strict=False) if j not in columns]
    by_theta = {i for i, _ in held.theta}
    by_name = {(t, i) for t, i, _ in held.natural}
    for t, (term, part) in enumerate(theta_layout.slices(design)):
        whole = by_theta.issuperset(range(part.start, part.stop))
        for i in range(term.structure.n_parameters):
            name = next(names)
            if not whole and (t, i) not in by_name:
                found.append(name)
    if family is None:
        found += ["sigma"] if held.sigma is None else []
    elif family.estimates_dispersion and held_dispersion(given, family, "params") is None:
        found.append(family.scale_name)
    return found


def _flat(params: Any, design: Predictors) -> dict[Any, Any]:
    """The argument with the entry ``beta`` resolved into coefficients."""
    if params is None:
        return {}
    if not isinstance(params, Mapping):
        raise ArgumentError(
            f"params must map names of parameters to values, such as {{'sigma': 1.0}}, not {shown(params)}"
        )
    result: dict[Any, Any] = {}
    for key, value in params.items():
        if isinstance(key, str) and key == "beta" and np.ndim(value if _is_list(value) else 0) + _maps(value):
            result |= _coefficients(value, design.x_names)
        else:
            result[key] = value
    return result


def _is_list(value: Any) -> bool:
    return isinstance(value, (Sequence, np.ndarray)) and not isinstance(value, str)


def _maps(value: Any) -> bool:
    return hasattr(value, "items")


def _coefficients(value: Any, names: Sequence[str]) -> dict[Any, Any]:
    """The coefficients in a mapping, a Series, or a list of all of them in their order."""
    if _maps(value):
        return {("fixed", str(name)): number for name, number in value.items()}
    values = np.asarray(value).tolist() if isinstance(value, np.ndarray) else list(value)
    if len(values) != len(names):
        raise ArgumentError(
            f"params: beta must hold {len(names)} values ({listed(list(names), most=12)}), or map names of "
            f"coefficients to values; it has {len(values)}"
        )
    return {
        ("fixed", name): finite_number(f"params: {name}", number)
        for name, number in zip(names, values, strict=True)
    }


def _replaced(
    own: Parameters, given: Mapping[Any, Any], design: Predictors, family: Family | None
) -> Parameters:
    """The parameters with those that are given replaced."""
    if not given:
        return own
    held = resolve(given, design, family, "params")
    beta = own.beta.copy()
    for column, value in held.coefficients:
        beta[column] = value
    scale = own.scale if held.sigma is None else held.sigma
    dispersion = scale**2
    if family is not None:
        value = held_dispersion(given, family, "params")
        dispersion = own.dispersion if value is None else value
    return Parameters(beta, _theta(own, held, design, scale), dispersion, scale)


def _theta(own: Parameters, held: Held, design: Predictors, scale: float) -> NDArray[np.float64]:
    """Theta in units of `scale`."""
    theta = own.theta.copy()
    by_theta = dict(held.theta)
    for t, (term, part) in enumerate(theta_layout.slices(design)):
        structure, values = term.structure, {i: v for s, i, v in held.natural if s == t}
        entries = [i for i in by_theta if part.start <= i < part.stop]
        if entries:
            theta[entries] = [by_theta[i] for i in entries]
            continue
        if not values and scale == own.scale:
            continue
        natural = np.nan_to_num(structure.natural(theta[part]))
        is_sd = np.array([parameter.kind == "sd" for parameter in structure.parameters])
        natural[is_sd] *= own.scale
        for i, value in values.items():
            natural[i] = value
        natural[is_sd] /= scale
        try:
            theta[part] = structure.theta(natural)
        except ValueError:
            raise ArgumentError(
                f"params: the correlations of {term.text} do not form a correlation matrix"
            ) from None
    return theta
