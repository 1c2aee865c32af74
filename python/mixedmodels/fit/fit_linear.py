"""Fitting: a design and arguments in, a `FittedLinear` out, with the warnings a user should see."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..covariance import theta as theta_layout
from ..design import INTERCEPT, Design, Predictors
from ..errors import ArgumentError, DataError, LargeModelWarning, MixedModelsWarning
from ..frame import Frame
from ..notices import UNNAMED, model_label, warn_of_fit
from .block_costs import size_notice
from .control import Control, as_control, check_optimizer, check_starts
from .endpoint import coordinates
from .endpoint.singularity import term_roots
from .endpoint.unbounded import column_sizes, residual_vanishes
from .endpoint.undetermined import explained_notices, residual_notices, undetermined_notices
from .endpoint.verdict import convergence_of, dropped_notices, judge, not_optimised, singular_notices
from .fitted_linear import FittedLinear, build_engine, design_of, linear_free_parameters
from .fixed import NOTHING_HELD, Held, embedded, known_singularities, resolve
from .progress import Watch
from .record import Estimates, FitArguments, read_only

if TYPE_CHECKING:
    from .._engine import Lmm


def fit_arguments(arguments: FitArguments) -> FittedLinear:
    """
    Build the design that the arguments describe and fit it.

    The model keeps the columns that this reads, so that nothing is read again after the fit.
    """
    frame = Frame.from_any(arguments.data).anew()
    design = design_of(arguments, frame)
    return fit_design(design, dataclasses.replace(arguments, data=frame.kept()))


def fit_design(
    design: Design,
    arguments: FitArguments,
    engine: Lmm | None = None,
    roots: tuple[NDArray[np.float64], ...] | None = None,
    *,
    response: str | None = None,
    quiet: bool = False,
) -> FittedLinear:
    """
    Fit a design by ML or REML.

    Parameters
    ----------
    design : Design
    arguments : FitArguments
        Its ``reml``, ``start``, ``optimizer`` and ``control`` are used here.
    engine : Lmm, optional
        The engine's model of this design, when there is one already.
    roots : tuple of ndarray, optional
        Its :func:`~mixedmodels.fit.endpoint.singularity.term_roots`, when they are known already.
    response : str, optional
        What warnings call the response, when it is not that of the formula.
    quiet : bool
        Keep the warnings for the object and issue none: for refits that the user did not ask for.

    Returns
    -------
    FittedLinear
    """
    reml = check_reml(arguments.reml)
    optimizer = check_optimizer(arguments.optimizer)
    control = as_control(arguments.control)
    check_starts(optimizer, control)
    label = model_label(design.formula.text, response)
    start = theta_layout.check_start(arguments.start, design)
    held = resolve(arguments.fixed, design)
    _check_response(design, held)
    notices = check_numbers_of_effects(design, control, residual=held.sigma is None)
    if engine is None:
        engine = build_engine(design, held)
        notice = size_notice(engine, design)
        if notice and not quiet:
            # Before the fit, which may take long; it says nothing of the result.
            warn_of_fit([(LargeModelWarning, notice)], label)
    roots = term_roots(design, design.weights) if roots is None else roots
    result = _run(engine, reml, optimizer, start, control, Watch(control, label, quiet=quiet), held)
    result = with_exact_values(result, engine, design, reml, held)
    estimates = estimates_from(result, engine, design, held)
    notices += dropped_notices(design, estimates.kept)
    theta = estimates.theta
    free = linear_free_parameters(result["free"], design, roots, theta) if held.variances else None
    names, units = theta_layout.theta_names(design), theta_layout.units(design, roots, theta)
    if free is not None:
        names, units = free.names, free.units
    sizes = column_sizes(design, roots, theta)
    ratio = float(sizes.max(initial=0.0))
    verdict = judge(
        names,
        units,
        lambda: engine.hessian(theta, reml) if free is None else free.hessian,
        lambda: coordinates.of_theta(design, roots, theta) if free is None else free.coordinates,
        optimizer,
        control,
        result,
        ratio,
    )
    if optimizer is not None and not held.variances:

        def criterion(at: NDArray[np.float64]) -> float:
            return engine.evaluate(at, reml)["objective"]

        problem = residual_vanishes(design, sizes, estimates, result["gradient"], criterion)
        verdict = verdict.without_optimum(problem)
    known = known_singularities(design, theta, roots, held)
    notices += verdict.notices + singular_notices(design, theta, roots, estimates.sigma, known)
    notices += undetermined_notices(design, roots, held.terms(design))
    if held.sigma is None:
        notices += residual_notices(design)
    if reml and not held.random:
        notices += explained_notices(design, estimates.free)
    convergence = convergence_of(optimizer, result, verdict, tuple([text for _, text in notices]))
    if not quiet:
        warn_of_fit(notices, label)
    return FittedLinear(design, arguments, reml, estimates, convergence, roots, engine)


def refit(
    fitted: FittedLinear,
    *,
    y: NDArray[np.float64] | None = None,
    response: str | None = None,
    reml: bool | None = None,
    changes: Mapping[str, Any] | None = None,
    quiet: bool = False,
) -> FittedLinear:
    """
    Fit the same design again: to another response, by the other criterion, or with other options.

    Parameters
    ----------
    fitted : FittedLinear
    y : ndarray, shape (n,), optional
        Closed to writing and owned by nobody else.
    response : str, optional
        The name of `y`, for warnings.
    reml : bool, optional
    changes : mapping, optional
        Of ``start``, ``optimizer`` or ``control``.
    quiet : bool
        Issue no warnings.
    """
    arguments = dataclasses.replace(
        fitted.arguments, reml=fitted.reml if reml is None else reml, **dict(changes or {})
    )
    if y is None:
        return fit_design(fitted.design, arguments, fitted.engine, fitted.term_roots, quiet=quiet)
    design = fitted.design.with_response(y=y, new_response=True)
    # Before the engine finds that nothing is left to fit.
    _check_response(design, fitted.held)
    engine = fitted.engine.with_response(design.y)
    return fit_design(design, arguments, engine, fitted.term_roots, response=response or UNNAMED, quiet=quiet)


def by_criterion(fitted: FittedLinear, reml: bool) -> FittedLinear:
    """
    The fit by the other criterion, made once and without warnings; the model itself if it is by this one.

    It starts anew, as its optimum may lie elsewhere; a model that was only evaluated is evaluated again.
    """
    if fitted.reml == reml:
        return fitted
    return fitted.derived(_by_other_criterion)


def _by_other_criterion(fitted: FittedLinear) -> FittedLinear:
    changes = {} if fitted.arguments.optimizer is None else {"start": None}
    return refit(fitted, reml=not fitted.reml, changes=changes, quiet=True)


def estimates_from(
    result: Mapping[str, Any], engine: Lmm, design: Predictors, held: Held = NOTHING_HELD
) -> Estimates:
    """The engine's numbers, whose arrays are closed to writing, in the shapes of the design."""
    free, p = engine.kept, design.x.shape[1]
    kept = held.in_all_columns(free, p)
    return Estimates(
        theta=result["theta"],
        objective=result["objective"],
        log_det_z=result["log_det_z"],
        log_det_x=result["log_det_x"],
        pwrss=result["pwrss"],
        sigma=result["sigma"],
        beta=held.beta(with_dropped(result["beta"], free, p - len(held.columns)), p),
        kept=kept,
        unscaled_covariance=embedded(result["xtvx_inv"], kept, held.columns),
        b=tuple(result["b"]),
        u=tuple(result["u"]),
        fitted=result["fitted"],
        held=held.columns,
    )


def with_dropped(beta: NDArray[np.float64], kept: NDArray[np.int64], p: int) -> NDArray[np.float64]:
    """The coefficients of all p columns: NaN for those that were dropped."""
    if len(kept) == p:
        return beta
    full = np.full(p, np.nan)
    full[kept] = beta
    full.flags.writeable = False
    return full


def check_formula_first(name: str, formula: Any, data: Any) -> None:
    """Refuse a formula and data in the wrong order."""
    if isinstance(data, str) and not isinstance(formula, str):
        raise ArgumentError(
            f"{name}: the formula comes first, then the data: {name}({data!r}, data); the first argument is "
            f"a {type(formula).__name__}"
        )


def check_reml(value: Any) -> bool:
    """The ``REML`` argument: a truth value and nothing that merely looks like one."""
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    raise ArgumentError(f"REML must be True (REML) or False (maximum likelihood), not {value!r}")


def _run(
    engine: Lmm,
    reml: bool,
    optimizer: str | None,
    start: NDArray[np.float64] | None,
    control: Control,
    watch: Watch,
    held: Held,
) -> dict[str, Any]:
    if optimizer is not None:
        result = engine.fit(reml, optimizer, start, control.for_engine(watch.listener), held.for_engine())
        watch.end(result)
        # The engine holds its logarithm.
        return result if held.sigma is None else {**result, "sigma": held.sigma}
    if start is None:
        raise ArgumentError("optimizer=None evaluates the model at start=, which is missing")
    check_only_scale_held(held)
    result = engine.evaluate(start, reml)
    if held.sigma is None:
        gradient = engine.gradient(start, reml)
    else:
        result = at_sigma(result, engine, reml, held.sigma)
        result["free"] = engine.free_derivatives(start, held.sigma, reml, {"sigma": held.sigma})
        gradient = result["free"]["gradient"]
    return {**result, "theta": read_only(start), **not_optimised(start, result["objective"], gradient)}


def check_only_scale_held(held: Held) -> None:
    """Refuse covariance parameters of random effects that are held where theta is given."""
    if held.random:
        raise ArgumentError(
            "optimizer=None evaluates the model at start=: give the values of covariance parameters there, "
            f"and leave {', '.join(held.texts)} out of fixed="
        )


def at_sigma(result: Mapping[str, Any], engine: Lmm, reml: bool, sigma: float) -> dict[str, Any]:
    """What the engine finds at theta, for this residual standard deviation instead of the best one."""
    df = len(result["fitted"]) - (engine.rank if reml else 0)
    pwrss = result["pwrss"]
    best = df * (1.0 + np.log(2.0 * np.pi * pwrss / df))
    here = df * np.log(2.0 * np.pi * sigma**2) + pwrss / sigma**2
    return {**result, "objective": float(result["objective"] - best + here), "sigma": sigma}


def with_exact_values(
    result: dict[str, Any], engine: Lmm, design: Predictors, reml: bool, held: Held
) -> dict[str, Any]:
    """The result with a theta that has the values held, and standard deviations of zero, without rounding."""
    theta = exact_theta(result["theta"], design, held)
    if theta is None:
        return result
    found = engine.evaluate(theta, reml)
    free = engine.free_derivatives(theta, result["sigma"], reml, held.for_engine() or {})
    return {
        **result,
        **found,
        "theta": theta,
        "objective": result["objective"],
        "sigma": result["sigma"],
        "free": free,
        "gradient": free["gradient"],
    }


def exact_theta(theta: NDArray[np.float64], design: Predictors, held: Held) -> NDArray[np.float64] | None:
    """Theta with the values held in it, and zeros for standard deviations of zero; None without any."""
    result = np.array(theta)
    for i, value in held.theta:
        result[i] = value
    changed = False
    for t, (term, part) in enumerate(theta_layout.slices(design)):
        zeros = held.zeros(t, design)
        if not zeros:
            continue
        natural = np.nan_to_num(term.structure.natural(theta[part]))
        for i, own in enumerate(term.structure.parameters):
            if zeros.intersection(own.columns):
                natural[i] = 0.0
        result[part] = term.structure.theta(natural)
        changed = True
    return read_only(result) if changed or held.theta else None


def _check_response(design: Design, held: Held) -> None:
    """A constant response is fitted exactly by the intercept."""
    y = design.y if design.offset is None else design.y - design.offset
    intercept = INTERCEPT in design.x_names and design.x_names.index(INTERCEPT) not in held.columns
    if intercept and y[0] == y[-1] and np.all(y == y[0]):
        raise DataError(
            f"the response {design.response_name} is constant (every value is {y[0]:g}"
            f"{'' if design.offset is None else ' after the offset'}): there is no variance to model"
        )


def check_numbers_of_effects(
    design: Predictors, control: Control, *, residual: bool = True, trials: int = 0
) -> list[tuple[type[Any], str]]:
    """
    A warning for each term with more random effects than the observations determine; or an error, as asked.

    As many effects as observations leave nothing for a `residual` variance. Without one, as in a generalized
    model, an effect for each observation is overdispersion, and more are too many. Of binomial counts each of
    the `trials` is an observation.
    """
    found: list[tuple[type[Any], str]] = []
    if control.check_effects == "ignore":
        return found
    n = max(len(design.x), trials)
    for term in design.terms:
        # With independent columns each one is a term of its own; other structures have few parameters.
        width = max(map(len, term.blocks), default=0)
        effects = width * len(term.group.levels)
        if effects < n or (effects == n and not residual):
            continue
        problem = (
            "their variances and the residual variance may not be told apart"
            if residual
            else "their variances may not be determined"
        )
        text = (
            f"{term.text} has {effects} random effects ({width} for each of {len(term.group.levels)} levels "
            f"of {term.group.label!r}) for {n} observations: {problem}; drop columns of the term, or use ||"
        )
        if control.check_effects == "error":
            raise DataError(text)
        found.append((MixedModelsWarning, text))
    return found
