"""Refits of a model to many responses or samples of its rows, in the engine and in parallel."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..design import Design, Response
from ..design.theta import natural
from ..errors import MixedModelError
from .changes import fitted_to_rows, refitted, refitted_design
from .control import as_control, for_engine
from .endpoint.separation import huge_effects, separated_coefficients
from .endpoint.singularity import singular_fits
from .endpoint.unbounded import column_sizes, large_fits, may_vanish
from .fitting import exact_theta
from .record import read_only
from .row_sets import RowSets
from .sampled_design import sampled_design
from .state import FittedModel, Sample

FAILED = "failed"
UNBOUNDED = "unbounded"


@dataclass(frozen=True, eq=False)
class Refits:
    """
    The estimates of m refits; where a model could not be fitted they are NaN.

    Attributes
    ----------
    theta : ndarray, shape (m, n_theta)
    beta : ndarray, shape (m, p)
        NaN for dropped columns.
    std_errors : ndarray, shape (m, p)
        Given theta and the dispersion; 0 for coefficients that are held.
    dispersion : ndarray, shape (m,)
        As `FittedModel.dispersion`: the residual variance of a linear model, 1 without a dispersion.
    sigma : ndarray, shape (m,)
        As `FittedModel.sigma`.
    scale : ndarray, shape (m,)
        As `FittedModel.scale`, the unit of the covariance factors.
    objective : ndarray, shape (m,)
    n_evaluations : ndarray of int, shape (m,)
    status, messages : tuple of str
        How each search ended, and why: ``"failed"`` without a fit, ``"unbounded"`` if there is no finite
        optimum: predictors separate the outcomes, or random effects leave no residual variance.
    singular : ndarray of bool, shape (m,)
    covariance : ndarray, shape (m, p, p), or None
        Of the coefficients given theta and the dispersion, for deletions; NaN for dropped columns, 0 for
        coefficients that are held.
    """

    theta: NDArray[np.float64]
    beta: NDArray[np.float64]
    std_errors: NDArray[np.float64]
    dispersion: NDArray[np.float64]
    sigma: NDArray[np.float64]
    scale: NDArray[np.float64]
    objective: NDArray[np.float64]
    n_evaluations: NDArray[np.int64]
    status: tuple[str, ...]
    messages: tuple[str, ...]
    singular: NDArray[np.bool_]
    covariance: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        return len(self.objective)

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Where there is no fit, shape (m,)."""
        return np.array([status == FAILED for status in self.status], dtype=bool)

    @property
    def converged(self) -> NDArray[np.bool_]:
        """Where the search ended at an optimum, shape (m,)."""
        return np.array([status == "converged" for status in self.status], dtype=bool)

    def rows(self, chosen: NDArray[np.intp]) -> Refits:
        """Some of the refits."""
        parts = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return Refits(**{name: _chosen(part, chosen) for name, part in parts.items()})

    def natural(self, fitted: FittedModel) -> list[NDArray[np.float64]]:
        """Standard deviations and correlations of each term of the model, shape (m, n_parameters) each."""
        parts = natural(fitted.design, self.theta)
        for term, part in zip(fitted.design.terms, parts, strict=True):
            for j, own in enumerate(term.structure.parameters):
                if own.kind == "sd":
                    part[:, j] *= self.scale
        return parts


def _chosen(part: Any, chosen: NDArray[np.intp]) -> Any:
    if part is None:
        return None
    return tuple(part[i] for i in chosen) if isinstance(part, tuple) else part[chosen]


def refit_responses(fitted: FittedModel, responses: NDArray[np.float64]) -> Refits:
    """
    Fit the model to other responses, from its estimates and without warnings.

    Parameters
    ----------
    fitted : FittedModel
    responses : ndarray, shape (n, m)
        Best column-major. Numbers of successes for the binomial family, as `as_responses` gives them.
    """
    found = fitted.refit_in_engine(np.asarray(responses, dtype=np.float64), _limits(fitted))
    design = fitted.design

    def design_of(j: int) -> Design:
        return dataclasses.replace(design, y=responses[:, j])

    def alone(j: int) -> FittedModel:
        response = Response(read_only(responses[:, j]), design.weights, design.form)
        return refitted(fitted, response=response, quiet=True)

    if fitted.exact_likelihood:
        _mark_vanishing(fitted, found, design_of, alone)
    else:
        _refuse_constant(fitted, found, lambda j: (responses[:, j], design.unit_weights))
    return _refits(fitted, found, design_of)


def refit_samples(fitted: FittedModel, samples: Sequence[Sample]) -> Refits:
    """
    Fit the model to samples of its rows, from its theta and without warnings.

    Parameters
    ----------
    fitted : FittedModel
    samples : sequence of Sample
        Rows by position; and for each random-effects term the levels of these rows, and their number.
    """
    samples = list(samples)
    found = fitted.refit_samples_in_engine(samples, _limits(fitted))
    if fitted.exact_likelihood:
        _mark_vanishing(
            fitted,
            found,
            lambda j: sampled_design(fitted.design, samples[j]),
            lambda j: refitted_design(fitted, sampled_design(fitted.design, samples[j])),
        )
    else:
        y, trials = fitted.design.y, fitted.design.unit_weights
        _refuse_constant(fitted, found, lambda j: (y[samples[j][0]], trials[samples[j][0]]))
    return _refits(fitted, found, lambda j: _in_rows(fitted.design, samples[j][0]))


def _in_rows(design: Design, rows: NDArray[np.integer]) -> Design:
    """A design in some of its rows, its random-effects terms apart."""
    weights = None if design.weights is None else design.weights[rows]
    return dataclasses.replace(design, x=design.x[rows], y=design.y[rows], weights=weights)


def refit_without_rows(fitted: FittedModel, sets: RowSets) -> Refits:
    """
    Fit the model without each set of rows, from its theta and without warnings.

    Parameters
    ----------
    fitted : FittedModel
    sets : RowSets
    """
    found = fitted.deletions_in_engine(sets, _limits(fitted))
    all_rows = np.arange(fitted.n_obs)

    def design_of(j: int) -> Design:
        return _in_rows(fitted.design, np.delete(all_rows, sets[j]))

    def again(j: int) -> FittedModel:
        return fitted_to_rows(fitted, ~np.isin(all_rows, sets[j]))

    if fitted.exact_likelihood:
        _mark_vanishing(fitted, found, design_of, again)
    return _refits(fitted, found, design_of)


def _limits(fitted: FittedModel) -> dict[str, Any]:
    """A limit of time would make results depend on the machine; nobody listens."""
    control = as_control(fitted.arguments.control)
    return for_engine(dataclasses.replace(control, max_time=None), None)


def _refuse_constant(
    fitted: FittedModel,
    found: dict[str, Any],
    part_of: Callable[[int], tuple[NDArray[np.float64], NDArray[np.float64]]],
) -> None:
    """
    Responses of a generalized model without variation have no finite estimates, or carry no information.

    `part_of` gives each response and the unit weights of its rows.
    """
    design, constant = fitted.design, np.zeros(len(found["status"]), dtype=bool)
    for j in range(len(constant)):
        y, trials = part_of(j)
        low, high = float(y.min()), float(y.max())
        if design.form.binomial:
            constant[j] = high == 0.0 or bool((y == trials).all())
        else:
            constant[j] = low == high and (high == 0.0 or design.offset is None)
    for j in np.flatnonzero(constant).tolist():
        found["status"][j], found["messages"][j] = FAILED, "the response is constant"
    if constant.any():
        for name in ("theta", "beta", "std_errors", "sigma", "objective"):
            found[name] = np.array(found[name])
            found[name][constant] = np.nan


def _refits(fitted: FittedModel, found: dict[str, Any], design_of: Callable[[int], Design] | None) -> Refits:
    theta = _with_exact_values(fitted, found["theta"])
    good = np.isfinite(theta).all(axis=1) & np.isfinite(found["objective"])
    singular = np.zeros(len(theta), dtype=bool)
    if good.any():
        singular[good] = singular_fits(fitted.design, theta[good], fitted.term_roots)
    beta = _in_all_columns(fitted, found["beta"], [value for _, value in fitted.held.coefficients], good)
    if design_of is not None:
        _mark_separated(fitted, beta, found, design_of)
    scale = np.asarray(found["sigma"])
    sigma, dispersion = _scales(fitted, scale, good)
    return Refits(
        theta=theta,
        beta=beta,
        std_errors=_in_all_columns(fitted, found["std_errors"], 0.0, good),
        dispersion=dispersion,
        sigma=sigma,
        scale=sigma if fitted.exact_likelihood else np.ones(len(theta)),
        objective=found["objective"],
        n_evaluations=np.asarray(found["n_evaluations"], dtype=np.int64),
        status=tuple(found["status"]),
        messages=tuple(found["messages"]),
        singular=singular,
        covariance=_covariance(fitted, found, sigma, good),
    )


def _covariance(
    fitted: FittedModel, found: dict[str, Any], sigma: NDArray[np.float64], good: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """The covariance matrices of the coefficients, where the engine was asked for them."""
    if "covariance" not in found:
        return None
    free = found["covariance"]
    if fitted.exact_likelihood:
        free = np.square(sigma)[:, None, None] * free
    if not len(fitted.held.columns):
        return free
    p = fitted.design.x.shape[1]
    result = np.where(good[:, None, None], np.zeros((p, p)), np.nan)
    columns = np.setdiff1d(np.arange(p), fitted.held.columns)
    result[np.ix_(np.arange(len(free)), columns, columns)] = free
    return result


def _mark_vanishing(
    fitted: FittedModel,
    found: dict[str, Any],
    design_of: Callable[[int], Design],
    alone: Callable[[int], FittedModel],
) -> None:
    """Fits whose residual variance tends to zero: those that may are fitted again and judged as any fit."""
    # The rows of a sample have other roots, by far less than what fits without an optimum are beyond.
    roots, rank = fitted.term_roots, len(fitted.estimates.free)
    theta = found["theta"]
    good = np.flatnonzero(np.isfinite(theta).all(axis=1))
    for j in good[large_fits(fitted.design, roots, theta[good])].tolist():
        design = design_of(j)
        if not may_vanish(design, column_sizes(design, roots, theta[j]), rank):
            continue
        try:
            convergence = alone(j).convergence
            problem = convergence.problem if convergence.unbounded else ""
        except MixedModelError as error:
            problem = str(error)
        if problem:
            found["status"][j], found["messages"][j] = UNBOUNDED, problem


def _mark_separated(
    fitted: FittedModel,
    beta: NDArray[np.float64],
    found: dict[str, Any],
    design_of: Callable[[int], Design],
) -> None:
    """Fits whose predictors separate the outcomes: some of their estimates are infinite."""
    if fitted.exact_likelihood:
        return
    free, family = fitted.estimates.free, fitted.family
    huge = huge_effects(fitted.design.x, family, beta, free).any(axis=1)
    for j in np.flatnonzero(huge).tolist():
        names = separated_coefficients(design_of(j), family, beta[j], free)
        if names and found["status"][j] != FAILED:
            found["status"][j] = UNBOUNDED
            found["messages"][j] = (
                "predictors separate the outcomes: the data do not bound the coefficient of "
                f"{', '.join(names)}"
            )


def _scales(
    fitted: FittedModel, found: NDArray[np.float64], good: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sigma and dispersion from the engine's number: sigma of a linear model, else the dispersion."""
    if fitted.exact_likelihood:
        sigma = found if fitted.held.sigma is None else np.where(good, fitted.held.sigma, np.nan)
        return sigma, np.square(sigma)
    if not fitted.family.estimates_dispersion:
        constant = np.array([fitted.sigma, fitted.dispersion])
        return tuple(np.where(good, constant[:, None], np.nan))
    return np.array([fitted.family.sigma(value) for value in found.tolist()]), found


def _with_exact_values(fitted: FittedModel, theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Thetas with the values that are held in them without rounding."""
    held = fitted.held
    if not held.random:
        return theta
    rows = []
    for row in theta:
        exact = exact_theta(row, fitted.design, held) if np.isfinite(row).all() else None
        rows.append(row if exact is None else exact)
    return np.array(rows).reshape(theta.shape)


def _in_all_columns(
    fitted: FittedModel, free: NDArray[np.float64], held: Any, good: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Values for all columns of x from those of the ones that are not held."""
    if not len(fitted.held.columns):
        return free
    p = fitted.design.x.shape[1]
    result = np.full((len(free), p), np.nan)
    result[:, np.setdiff1d(np.arange(p), fitted.held.columns)] = free
    result[np.ix_(good, fitted.held.columns)] = held
    return result
