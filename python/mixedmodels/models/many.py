"""`fit_many`: many responses, one design."""

# pyright: basic
# pandas and scipy leave types open.
from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import flag
from ..design import (
    INTERCEPT,
    DesignArguments,
    Predictors,
    RandomTerm,
    build_predictors,
    distinct_from_residuals,
)
from ..design.response_matrix import response_matrix, response_names
from ..design.rows import listed_rows
from ..errors import (
    ConvergenceWarning,
    DataError,
    MixedModelsWarning,
    RankDeficiencyWarning,
    SingularFitWarning,
)
from ..fit.arguments import check_formula_first, check_reml
from ..fit.control import Control, as_control, for_engine
from ..fit.endpoint.singularity import singular_fits
from ..fit.endpoint.term_roots import term_roots
from ..fit.endpoint.unbounded import column_sizes, large_fits, may_vanish, residual_vanishes
from ..fit.engine_terms import engine_terms
from ..fit.fit_linear import estimates_from
from ..fit.fitting import check_numbers_of_effects
from ..fit.progress import CountedResponses
from ..fit.record import read_only
from ..frame import Frame
from ..not_here import FIT_ARGUMENTS
from ..notices import warn_of_fit
from ..public import public_except
from .arguments import Contrasts, Data, Functions, NaAction, Rows
from .fit_many_result import FitMany


@public_except(FIT_ARGUMENTS)
def fit_many(
    formula: str,
    data: Data,
    responses: Any,
    REML: bool = True,
    *,
    weights: Rows | None = None,
    offset: Rows | None = None,
    contrasts: Contrasts | None = None,
    na_action: NaAction = "omit",
    subset: Rows | None = None,
    functions: Functions | None = None,
    control: Control | Mapping[str, Any] | None = None,
    verbose: bool = False,
) -> FitMany:
    """
    Fit one linear mixed model to each of many responses, such as genes, voxels or simulated data.

    What does not depend on the response is computed once; the responses are fitted in parallel. With one
    random effect for each level of one grouping factor, as in ``(1 | g)``, a fit takes microseconds. What
    prevents the fit of one response is reported in its row and does not touch the others.

    Parameters
    ----------
    formula : str
        The right side of a formula of :func:`mixedmodels.lmer`: ``"~ x + (1 | g)"``.
    data : data frame
        n rows, as for :func:`mixedmodels.lmer`.
    responses : list of str, array-like of shape (n, m), or data frame with n rows
        Columns of `data` by name, or the values, in the order of the rows of `data`. The columns of a
        matrix are called ``y1``, ``y2``, and so on.
    REML : bool, default True
        Restricted maximum likelihood (True) or maximum likelihood (False).
    weights, offset : str or array-like of shape (n,), optional
        Prior weights, and a known part of the linear predictor, as for :func:`mixedmodels.lmer`; the same for
        all responses.
    contrasts : mapping or str, optional
        Coding by factor, as for :func:`mixedmodels.lmer`.
    na_action : {"omit", "exclude", "fail"}, default "omit"
        Rows with a missing value in the predictors are left out for all responses; rows with a missing
        response for that response alone. Levels, contrasts and the constants of transforms such as
        ``scale`` come from the rows with complete predictors. "exclude" is the same here; "fail"
        refuses missing values.
    subset : str or array-like of bool of shape (n,), optional
        Rows to use, such as ``"age > 30"``.
    functions : mapping, optional
        Your own functions for the formula; trusted code.
    control : Control or dict, optional
        Limits hold for each response. With limits every fit is a search like that of ``lmer``.
    verbose : bool, default False
        Print how many responses are done, while the fits run.

    Returns
    -------
    FitMany

    Raises
    ------
    FormulaError, MissingColumnError, DataError, ArgumentError
        When the formula, the predictors or another argument do not fit; never for one response alone.

    Warns
    -----
    MixedModelsWarning, SingularFitWarning, ConvergenceWarning, RankDeficiencyWarning
        How many responses are concerned, and which are the first.

    References
    ----------
    Bates, Mächler, Bolker & Walker (2015), Fitting linear mixed-effects models using lme4,
    Journal of Statistical Software 67(1). Kang et al. (2008), Efficient control of population structure
    in model organism association mapping, Genetics 178(3), for the eigenvalues shared by all responses.

    Examples
    --------
    >>> import numpy as np
    >>> from mixedmodels import fit_many, load_sleepstudy
    >>> sleep = load_sleepstudy()
    >>> y = np.column_stack([sleep["Reaction"], np.log(sleep["Reaction"])])
    >>> fits = fit_many("~ Days + (1 | Subject)", sleep, y)
    >>> fits.objective.round(3)
    array([1786.465, -262.922])
    >>> fits.to_frame().round(3)
      response         term  estimate  std.error  statistic
    0       y1  (Intercept)   251.405      9.747     25.794
    1       y1         Days    10.467      0.804     13.015
    2       y2  (Intercept)     5.530      0.033    167.273
    3       y2         Days     0.034      0.003     13.357
    """
    check_formula_first("fit_many", formula, data)
    reml = check_reml(REML)
    options = as_control(control)
    verbose = flag("verbose", verbose)
    frame = Frame.from_any(data)
    predictors, rows = build_predictors(
        DesignArguments(
            formula=formula,
            data=frame,
            weights=weights,
            offset=offset,
            contrasts=contrasts,
            na_action=na_action,
            subset=subset,
            functions=functions,
        ),
        response_names(responses) or (),
        check_effects=options.check_effects,
    )
    names, values = response_matrix(responses, data, frame)
    if len(rows) < len(values):
        values = values[rows]
    missing = np.isnan(values)
    if na_action == "fail" and missing.any():
        first = names[int(missing.any(axis=0).argmax())]
        raise DataError(
            f"missing values in the response {first!r}; use na_action='omit' to leave these rows out for it"
        )
    warn_of_fit(check_numbers_of_effects(predictors, options), predictors.formula.text)
    patterns = _patterns(missing)
    refused = {} if options.check_effects == "ignore" else _refused(predictors, patterns)
    listener = None
    if verbose or options.verbose or options.progress is not None:
        listener = CountedResponses(options, len(names), verbose=verbose or options.verbose)
    result = _run(predictors, values, reml, options, listener)
    result["messages"] = [
        refused.get(j, _reason(predictors, values[:, j], message) if status == "failed" else message)
        for j, (status, message) in enumerate(zip(result["status"], result["messages"], strict=True))
    ]
    for j in refused:
        result["status"][j] = "failed"
    if refused:
        for part in ("theta", "beta", "std_errors", "sigma", "objective"):
            result[part] = result[part].copy()
            result[part][list(refused)] = np.nan
    fits = _collect(predictors, names, reml, result, values, patterns)
    _warn(fits)
    return fits


# The rows in which responses have values (None for all), and the responses with these rows.
_Pattern = tuple[NDArray[np.bool_] | None, NDArray[np.intp]]


def _patterns(missing: NDArray[np.bool_]) -> list[_Pattern]:
    incomplete = missing.any(axis=0)
    found: list[_Pattern] = [(None, np.flatnonzero(~incomplete))]
    columns = np.flatnonzero(incomplete)
    groups: dict[bytes, list[int]] = {}
    for j in columns:
        groups.setdefault(np.packbits(missing[:, j]).tobytes(), []).append(int(j))
    found += [(~missing[:, own[0]], np.array(own)) for own in groups.values()]
    return found


def _refused(predictors: Predictors, patterns: Sequence[_Pattern]) -> dict[int, str]:
    """Responses whose missing values leave a random effect for each row, with the reason."""
    found: dict[int, str] = {}
    for rows, columns in patterns:
        if rows is None:
            continue
        n = int(np.count_nonzero(rows))
        for term in predictors.terms:
            if n > len(term.group.levels):
                continue
            levels = len(np.unique(term.group.codes[rows]))
            weights = None if predictors.weights is None else predictors.weights[rows]
            if n > 0 and not distinct_from_residuals(term.z[rows], levels, weights):
                reason = (
                    f"grouping factor {term.group.label!r} has as many levels ({levels}) as the response has "
                    "values, so its effects cannot be distinguished from the residuals"
                )
                found.update(dict.fromkeys(columns.tolist(), reason))
    return found


def _run(
    predictors: Predictors,
    values: NDArray[np.float64],
    reml: bool,
    options: Control,
    listener: CountedResponses | None,
) -> dict[str, Any]:
    from .._engine import fit_many as run

    p = predictors
    return run(values, p.x, engine_terms(p), reml, p.weights, p.offset, for_engine(options, listener))


def _reason(predictors: Predictors, y: NDArray[np.float64], message: str) -> str:
    """Why a response could not be fitted, by what its values show; else what the engine says."""
    known = y[~np.isnan(y)]
    if not len(known):
        return "every value is missing"
    if np.isinf(known).any():
        return f"infinite in {listed_rows(np.isinf(y))} of those used; make these values missing or finite"
    if predictors.offset is None and INTERCEPT in predictors.x_names and np.all(known == known[0]):
        return f"constant (every value is {known[0]:g}): there is no variance to model"
    return message


def _collect(
    predictors: Predictors,
    names: tuple[str, ...],
    reml: bool,
    result: Mapping[str, Any],
    values: NDArray[np.float64],
    patterns: Sequence[_Pattern],
) -> FitMany:
    theta = read_only(result["theta"])
    status, messages = list(result["status"]), list(result["messages"])
    n_obs = np.full(len(names), len(values))
    singular = np.zeros(len(names), dtype=bool)
    for rows, columns in patterns:
        own = predictors if rows is None else _rows(predictors, rows)
        n_obs[columns] = len(own.x)
        good = columns[~np.isnan(theta[columns]).any(axis=1)]
        if len(good):
            roots = term_roots(own, own.weights)
            singular[good] = singular_fits(own, theta[good], roots)
            for j in good[large_fits(own, roots, theta[good])].tolist():
                y = values[:, j] if rows is None else values[rows, j]
                problem = _at_infinity(own, roots, y, theta[j], reml)
                if problem:
                    status[j], messages[j] = "unbounded", problem
    return FitMany(
        predictors=predictors,
        responses=names,
        reml=reml,
        theta=theta,
        beta=read_only(result["beta"]),
        std_errors=read_only(result["std_errors"]),
        sigma=read_only(result["sigma"]),
        objective=read_only(result["objective"]),
        n_obs=read_only(n_obs, np.int64),
        n_evaluations=read_only(result["n_evaluations"], np.int64),
        status=tuple(status),
        messages=tuple(messages),
        singular=read_only(singular, np.bool_),
    )


def _rows(predictors: Predictors, rows: NDArray[np.bool_]) -> Predictors:
    """The design in some of the rows, without levels that these do not have."""
    return dataclasses.replace(
        predictors,
        x=predictors.x[rows],
        terms=tuple([_rows_of_term(term, rows) for term in predictors.terms]),
        weights=None if predictors.weights is None else predictors.weights[rows],
        offset=None if predictors.offset is None else predictors.offset[rows],
    )


def _rows_of_term(term: RandomTerm, rows: NDArray[np.bool_]) -> RandomTerm:
    present, codes = np.unique(term.group.codes[rows], return_inverse=True)
    levels = tuple([term.group.levels[i] for i in present])
    group = dataclasses.replace(term.group, codes=codes.astype(term.group.codes.dtype), levels=levels)
    return dataclasses.replace(term, z=term.z[rows], group=group)


def _at_infinity(
    predictors: Predictors,
    roots: tuple[NDArray[np.float64], ...],
    y: NDArray[np.float64],
    theta: NDArray[np.float64],
    reml: bool,
) -> str:
    """Why a fit has no finite optimum; else empty."""
    sizes = column_sizes(predictors, roots, theta)
    if not may_vanish(predictors, sizes, predictors.x.shape[1]):
        return ""
    from .._engine import Lmm

    p = predictors
    engine = Lmm(np.ascontiguousarray(y), p.x, engine_terms(p), p.weights, p.offset)
    estimates = estimates_from({**engine.evaluate(theta, reml), "theta": theta}, engine, predictors)
    gradient = engine.gradient(theta, reml)
    return residual_vanishes(
        predictors, sizes, estimates, gradient, lambda at: engine.evaluate(at, reml)["objective"]
    )


def _warn(fits: FitMany) -> None:
    failed, converged = np.array([status == "failed" for status in fits.status]), fits.converged
    unsettled = ~converged & ~failed
    for mask, what, category in (
        (failed, "could not be fitted", MixedModelsWarning),
        (unsettled, "did not converge", ConvergenceWarning),
        (fits.singular, "have a singular fit", SingularFitWarning),
    ):
        if mask.any():
            text = f"{np.count_nonzero(mask)} of {len(mask)} responses {what} ({_first(fits, mask)})"
            warn_of_fit([(category, f"{text}; summary_frame() says which")], fits.predictors.formula.text)
    dropped = np.isnan(fits.beta).any(axis=1) & ~failed
    if dropped.any():
        columns = np.flatnonzero(np.isnan(fits.beta[dropped]).any(axis=0))
        shown = ", ".join(fits.predictors.x_names[j] for j in columns)
        text = f"columns of the fixed-effects model matrix that depend on those before them have NaN: {shown}"
        if not dropped.all():
            text += f" ({np.count_nonzero(dropped)} of {len(dropped)} responses, {_first(fits, dropped)})"
        warn_of_fit([(RankDeficiencyWarning, text)], fits.predictors.formula.text)


def _first(fits: FitMany, mask: NDArray[np.bool_]) -> str:
    names = [fits.responses[j] for j in np.flatnonzero(mask)[:3]]
    return ", ".join(names) + (", ..." if np.count_nonzero(mask) > 3 else "")
