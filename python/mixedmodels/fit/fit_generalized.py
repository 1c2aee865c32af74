"""Fitting generalized linear mixed models: a design and arguments in, a `FittedGeneralized` out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..design import Design, Response
from ..errors import ArgumentError, DataError, LargeModelWarning, ModesError, SeparationWarning
from ..families import Family
from ..frame import Frame
from ..notices import UNNAMED, model_label, warn_of_fit
from .block_costs import size_notice
from .control import Control, as_control, check_optimizer, check_starts
from .endpoint.dispersion_limits import limit_notices, unbounded_likelihood
from .endpoint.separation import (
    far_out,
    large_term_notices,
    separated_levels,
    separation_notices,
    single_rows_notices,
)
from .endpoint.singularity import term_roots
from .endpoint.unbounded import dispersion_vanishes
from .endpoint.undetermined import undetermined_notices
from .endpoint.verdict import Verdict, convergence_of, dropped_notices, judge, not_optimised, singular_notices
from .fit_linear import check_numbers_of_effects, check_only_scale_held, exact_theta, with_dropped
from .fitted_generalized import (
    FittedGeneralized,
    GeneralizedArguments,
    GeneralizedEstimates,
    build_generalized_engine,
    generalized_coordinates,
    generalized_design_of,
    generalized_free_parameters,
    generalized_names,
    generalized_units,
    hessian_or_nan,
    point_of,
)
from .fixed import Held, embedded, known_singularities, resolve
from .progress import Watch
from .record import read_only
from .starting_point import StartingPoint, check_generalized_start

if TYPE_CHECKING:
    from .._engine import Glmm

# The product grid has nAGQ^k nodes for every level.
_MOST_EFFECTS_FOR_QUADRATURE = 3


def fit_generalized_arguments(arguments: GeneralizedArguments) -> FittedGeneralized:
    """
    Build the design that the arguments describe and fit it.

    The model keeps the columns that this reads, so that nothing is read again after the fit.
    """
    frame = Frame.from_any(arguments.data).anew()
    design = generalized_design_of(arguments, frame)
    return fit_generalized_design(design, dataclasses.replace(arguments, data=frame.kept()))


def fit_generalized_design(
    design: Design,
    arguments: GeneralizedArguments,
    engine: Glmm | None = None,
    *,
    response_name: str | None = None,
    quiet: bool = False,
) -> FittedGeneralized:
    """
    Fit a design by maximum likelihood.

    Parameters
    ----------
    design : Design
    arguments : GeneralizedArguments
    engine : Glmm, optional
        The engine's model of this design, when there is one already.
    response_name : str, optional
        What warnings call the response, when it is not that of the formula.
    quiet : bool
        Keep the warnings for the object and issue none: for refits that the user did not ask for.
    """
    optimizer = check_optimizer(arguments.optimizer)
    control = as_control(arguments.control)
    check_starts(optimizer, control)
    label = model_label(design.formula.text, response_name)
    check_response(design, arguments.family)
    check_quadrature(design, arguments.n_agq)
    trials = int(design.unit_weights.sum()) if design.form.binomial else 0
    held = resolve(arguments.fixed, design, arguments.family)
    too_many = check_numbers_of_effects(design, control, residual=False, trials=trials)
    if engine is None:
        engine = build_generalized_engine(design, arguments, held)
        notice = size_notice(engine, design)
        if notice and not quiet:
            # Before the fit, which may take long; it says nothing of the result.
            warn_of_fit([(LargeModelWarning, notice)], label)
    kept = held.in_all_columns(engine.kept, design.x.shape[1])
    free_columns = np.setdiff1d(kept, held.columns)
    start = check_generalized_start(arguments.start, design, free_columns, arguments.family)
    try:
        watch = Watch(control, label, quiet=quiet)
        result = _run(engine, optimizer, start, control, arguments, watch, held)
        result = _with_exact_values(result, engine, design, arguments.family, held)
    except ModesError as error:
        raise _located(error, design) from error
    estimates = _estimates_from(result, engine, design, arguments.family, held)
    roots = term_roots(design, None)
    theta = estimates.theta
    names = generalized_names(design, free_columns, arguments)
    units = generalized_units(design, roots, theta, free_columns, arguments)
    free = None
    if held.variances:
        free = generalized_free_parameters(result["free"], design, roots, theta, free_columns, arguments)
        names, units = free.names, free.units
    verdict = judge(
        names,
        units,
        lambda: (
            hessian_or_nan(engine, estimates, arguments.family, len(names)) if free is None else free.hessian
        ),
        lambda: (
            generalized_coordinates(design, roots, theta, free_columns, arguments)
            if free is None
            else free.coordinates
        ),
        optimizer,
        control,
        result,
        doubtful=far_out(design, arguments.family, estimates.theta, roots),
    )
    if optimizer is not None:
        verdict = _checked_at_infinity(verdict, engine, design, arguments.family, estimates, roots, result)
    notices = too_many + dropped_notices(design, kept) + verdict.notices
    notices += singular_notices(design, theta, roots, known=known_singularities(design, theta, roots, held))
    notices += undetermined_notices(design, roots, held.terms(design))
    notices += separation_notices(design, arguments.family, estimates)
    told = any(issubclass(category, SeparationWarning) for category, _ in notices)
    if optimizer is not None and not told:
        notices += large_term_notices(design, arguments.family, estimates, roots)
    notices += single_rows_notices(design, arguments.family)
    notices += limit_notices(arguments.family, estimates)
    if not quiet:
        warn_of_fit(notices, label)
    convergence = convergence_of(optimizer, result, verdict, tuple([text for _, text in notices]))
    return FittedGeneralized(design, arguments, estimates, convergence, roots, engine)


def refit_generalized(
    fitted: FittedGeneralized,
    *,
    response: Response | None = None,
    response_name: str | None = None,
    changes: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> FittedGeneralized:
    """
    Fit the same design again: to another response, or with other options.

    Parameters
    ----------
    fitted : FittedGeneralized
    response : Response, optional
    response_name : str, optional
        Its name, for warnings.
    changes : mapping, optional
        Of ``start``, ``optimizer`` or ``control``.
    quiet : bool
        Issue no warnings.
    """
    arguments = dataclasses.replace(fitted.arguments, **dict(changes or {}))
    if response is None:
        return fit_generalized_design(fitted.design, arguments, fitted.engine, quiet=quiet)
    design = fitted.design.with_response(
        y=response.y, weights=response.weights, form=response.form, new_response=True
    )
    # Before the engine finds that nothing is left to fit.
    check_response(design, arguments.family)
    engine = fitted.engine.with_response(design.y, design.weights)
    return fit_generalized_design(
        design, arguments, engine, response_name=response_name or UNNAMED, quiet=quiet
    )


def check_response(design: Design, family: Family) -> None:
    """Refuse a response without variation, whose likelihood grows without bound or tells nothing."""
    y, name = design.y, design.response_name
    problem = family.impossible(y)
    if problem:
        raise DataError(f"the response {name} {problem}")
    if design.form.binomial:
        successes, trials = y.sum(), design.unit_weights.sum()
        if successes in (0, trials):
            what = "success" if successes else "failure"
            raise DataError(
                f"the response {name} is constant: every trial is a {what}, so that the estimates would be "
                "infinite"
            )
    elif not y.any():
        raise DataError(f"the response {name} is constant: every value is 0, there is nothing to model")
    elif design.offset is None and np.all(y == y[0]):
        raise DataError(
            f"the response {name} is constant (every value is {y[0]:g}): there is no variance to model"
        )


def check_quadrature(design: Design, n_agq: int) -> None:
    """Quadrature is for one grouping factor and few random effects a level."""
    if n_agq <= 1:
        return
    groups = list(dict.fromkeys(term.group.label for term in design.terms))
    if len(groups) > 1:
        raise ArgumentError(
            f"nAGQ = {n_agq}: quadrature needs a single grouping factor, and the model has {len(groups)} "
            f"({', '.join(map(repr, groups))}); take nAGQ=1 (Laplace approximation)"
        )
    width = sum(len(term.names) for term in design.terms)
    if width > _MOST_EFFECTS_FOR_QUADRATURE:
        raise ArgumentError(
            f"nAGQ = {n_agq}: quadrature is for at most {_MOST_EFFECTS_FOR_QUADRATURE} random effects of a "
            f"level, and the model has {width}; take nAGQ=1 (Laplace approximation)"
        )


def _checked_at_infinity(
    verdict: Verdict,
    engine: Glmm,
    design: Design,
    family: Family,
    estimates: GeneralizedEstimates,
    roots: tuple[NDArray[np.float64], ...],
    result: Mapping[str, Any],
) -> Verdict:
    """The verdict, unless the search ran towards an optimum at infinity."""
    theta, beta, log_dispersion = point_of(estimates, family)
    verdict = verdict.without_optimum(separated_levels(design, family, estimates, roots), SeparationWarning)
    slope = float(result["gradient"][-1]) if len(result["gradient"]) else 0.0
    least = float(np.min(result["log"]["objective"], initial=np.inf))
    problem = unbounded_likelihood(family, estimates, slope, least) or dispersion_vanishes(
        design,
        roots,
        estimates,
        family,
        slope,
        lambda shift: engine.evaluate(theta, beta, log_dispersion + shift)["objective"],
    )
    return verdict.without_optimum(problem)


def _estimates_from(
    result: Mapping[str, Any], engine: Glmm, design: Design, family: Family, held: Held
) -> GeneralizedEstimates:
    """The engine's numbers, whose arrays are closed to writing, in the shapes of the design."""
    free, p = engine.kept, design.x.shape[1]
    kept = held.in_all_columns(free, p)
    return GeneralizedEstimates(
        theta=result["theta"],
        objective=result["objective"],
        log_det_z=result["log_det_z"],
        beta=held.beta(with_dropped(result["beta"], free, p - len(held.columns)), p),
        kept=kept,
        dispersion=result["dispersion"] if family.dispersion is None else family.dispersion,
        conditional_covariance=embedded(result["xtvx_inv"], kept, held.columns),
        b=tuple(result["b"]),
        u=tuple(result["u"]),
        eta=result["eta"],
        held=held.columns,
    )


def _run(
    engine: Glmm,
    optimizer: str | None,
    start: StartingPoint,
    control: Control,
    arguments: GeneralizedArguments,
    watch: Watch,
    held: Held,
) -> dict[str, Any]:
    if optimizer is not None:
        limits = control.for_engine(watch.listener)
        result = engine.fit(optimizer, start.for_engine(), limits, held.for_engine())
        watch.end(result)
        if held.variances:
            return result
        return _not_above_the_start(result, engine, arguments)
    check_only_scale_held(held)
    theta, beta, log_dispersion = start.complete(arguments)
    result = engine.evaluate(theta, beta, log_dispersion)
    gradient = engine.gradient(theta, beta, log_dispersion)
    parts = [theta]
    if arguments.n_agq > 0:
        parts.append(beta)
    if arguments.family.estimates_dispersion:
        parts.append(np.array([log_dispersion]))
    point = np.concatenate(parts)
    return {
        **result,
        "theta": read_only(theta),
        "beta": read_only(result["beta"]),
        **not_optimised(point, result["objective"], gradient),
    }


def _with_exact_values(
    result: dict[str, Any], engine: Glmm, design: Design, family: Family, held: Held
) -> dict[str, Any]:
    """The result with a theta that has the values held, and standard deviations of zero, without rounding."""
    theta = exact_theta(result["theta"], design, held)
    if theta is None:
        return result
    log_dispersion = float(np.log(result["dispersion"])) if family.estimates_dispersion else 0.0
    beta = np.asarray(result["beta"])
    found = engine.evaluate(theta, beta, log_dispersion)
    free = engine.free_derivatives(theta, beta, log_dispersion, held.for_engine() or {})
    parts = {"theta": theta, "free": free, "gradient": free["gradient"]}
    return {**result, **found, **parts, "beta": result["beta"]}


def _not_above_the_start(
    result: dict[str, Any], engine: Glmm, arguments: GeneralizedArguments
) -> dict[str, Any]:
    """
    The result, or the best point of the search that can be evaluated again.

    Where means reproduce a response, rounding may leave nothing of an objective at new modes.
    """
    log = result["log"]
    values = np.asarray(log["objective"])
    if not len(values) or not result["objective"] > values[0] + 1.0:
        return result
    n_theta, n_beta = engine.n_theta, len(engine.kept) if arguments.n_agq > 0 else 0
    for k in np.argsort(values, kind="stable"):
        point = np.asarray(log["theta"][k], dtype=np.float64)
        theta, beta = point[:n_theta], point[n_theta : n_theta + n_beta]
        log_dispersion = float(point[-1]) if arguments.family.estimates_dispersion else 0.0
        try:
            there = engine.evaluate(theta, beta, log_dispersion)
            gradient = engine.gradient(theta, beta, log_dispersion)
        except ModesError:
            continue
        if there["objective"] < values[k] + 1.0:
            parts = {"theta": read_only(theta), "beta": read_only(there["beta"]), "gradient": gradient}
            return {**result, **there, **parts}
    return result


def _located(error: ModesError, design: Design) -> ModesError:
    """The engine's error in the words of the data: the row and its groups."""
    row = error.row
    if row is None or not 0 <= row < len(design.y):
        return error
    labels = design.row_labels
    name = repr(labels[row]) if labels is not None else f"{row}, counting from 0 among the rows used,"
    groups = ", ".join(
        f"{term.group.label} = {term.group.levels[term.group.codes[row]]!r}" for term in design.terms
    )
    return ModesError(
        f"{error} (row {name} with {groups}, {design.response_name} = {design.observed[row]:g}); check this "
        "row, rescale predictors, or take a link that allows every linear predictor",
        row,
    )
