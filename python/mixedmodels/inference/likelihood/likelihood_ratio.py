"""Likelihood-ratio tests between fitted models."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...design import MissingRows
from ...design.rows import ZERO_WEIGHT
from ...errors import ArgumentError, DataError
from ...fit.changes import by_ml
from ...fit.state import FittedModel
from ...render.anova_table import AnovaTable, anova_table
from ...render.numbers import p_statement
from ..basis.testable import have_optimum, notes_on_comparisons
from ..estimates import criteria
from .boundary import covariances_of_added_effect, mixture_p_value, same_apart_from_family
from .model_differences import check_names, described
from .nesting import family_step_of, not_nested_in
from .spaces import spaces_not_nested

# Why one model is no special case of the other, and whether that could be decided.
_Nesting = tuple[list[str], bool]


def likelihood_ratio_table(
    models: Sequence[FittedModel], names: Sequence[str] | None = None, refit_ml: bool = True
) -> AnovaTable:
    """
    Compare nested models by their likelihoods, in the order of their numbers of parameters.

    Parameters
    ----------
    models : sequence of FittedModel
        Two or more, fitted to the same response.
    names : sequence of str, optional
        Row names; by default ``model 1``, ``model 2``, ... in the order given.
    refit_ml : bool
        Refit by ML the models that were fitted by REML. REML criteria can be compared (False) between
        models with the same fixed effects only.

    Returns
    -------
    AnovaTable
        Columns npar, AIC, BIC, logLik, -2*log(L), Chisq, Df, Pr(>Chisq). The p-value is NaN for models with
        as many parameters as the one above, for families, links, weights or offsets that are not nested, and
        for models without a finite optimum.

    Raises
    ------
    ArgumentError, DataError
        For fewer than two models, different responses or rows, or REML criteria that cannot be compared.
    """
    if len(models) < 2:
        raise ArgumentError(
            "anova() compares likelihoods and needs two or more models, as in anova(m1, m2); "
            f"{len(models)} given"
        )
    labels = check_names(models, names)
    check_same_data(models, labels)
    exact = [model.exact_likelihood for model in models]
    if all(exact):
        models, heading = _by_one_criterion(models, labels, refit_ml)
    elif any(exact):
        raise ArgumentError(
            "anova() compares linear mixed models with each other, or generalized ones with each other"
        )
    else:
        check_same_approximation(models, labels)
        heading = []
    order = sorted(range(len(models)), key=lambda i: models[i].n_parameters)
    models, labels = [models[i] for i in order], [labels[i] for i in order]
    heading += described(models, labels)
    nesting = [_not_nested(*pair) for pair in pairwise(models)]
    columns = _columns(models, nesting)
    heading += _remarks(models, labels, columns, nesting)
    return anova_table(columns, labels, heading, notes_on_comparisons(models, labels))


def _by_one_criterion(
    models: Sequence[FittedModel], labels: Sequence[str], refit_ml: bool
) -> tuple[Sequence[FittedModel], list[str]]:
    """Linear mixed models whose criteria can be compared, and what was done for that."""
    heading = []
    by_reml = [model.restricted for model in models]
    if refit_ml and any(by_reml):
        models = [by_ml(model) for model in models]
        which = (
            "the models" if all(by_reml) else ", ".join(n for n, r in zip(labels, by_reml, strict=True) if r)
        )
        heading.append(f"Refitted by ML (instead of REML) for this comparison: {which}")
        for label, model, refitted in zip(labels, models, by_reml, strict=True):
            if refitted and not model.convergence.converged:
                heading.append(f"Warning: {label}: {'; '.join(model.convergence.messages)}")
    elif any(by_reml):
        _check_same_fixed_effects(models, by_reml)
        heading.append("Restricted likelihoods (REML): the models have the same fixed effects")
    return models, heading


def check_same_approximation(models: Sequence[FittedModel], labels: Sequence[str]) -> None:
    """Likelihoods by different approximations differ by more than the models do."""
    arguments = [model.arguments for model in models]
    first = arguments[0]
    for label, other in zip(labels[1:], arguments[1:], strict=True):
        if other.n_agq != first.n_agq:
            raise ArgumentError(
                f"{labels[0]} has nAGQ = {first.n_agq} and {label} nAGQ = {other.n_agq}: likelihoods by the "
                "Laplace approximation and by quadrature cannot be compared; fit both in the same way"
            )
        if other.information != first.information:
            raise ArgumentError(
                f"{labels[0]} was fitted with information={first.information!r} and {label} with "
                f"{other.information!r}: fit both in the same way"
            )


def _columns(models: Sequence[FittedModel], nesting: Sequence[_Nesting]) -> dict[str, NDArray[np.float64]]:
    from scipy.special import chdtrc

    deviance = np.array([model.estimates.objective for model in models])
    df = np.array([model.n_parameters for model in models])
    chisq = np.concatenate([[np.nan], np.maximum(0.0, -np.diff(deviance))])
    steps = np.concatenate([[np.nan], np.diff(df)])
    p = np.full(len(models), np.nan)
    pairs = zip(pairwise(models), nesting, strict=True)
    tested = [have_optimum(*pair) and not reasons for pair, (reasons, _) in pairs]
    testable = (steps > 0) & np.array([False, *tested])
    p[testable] = chdtrc(steps[testable], chisq[testable])
    return {
        "npar": df,
        "AIC": np.array([criteria.aic(model) for model in models]),
        "BIC": np.array([criteria.bic(model) for model in models]),
        "logLik": -deviance / 2,
        "-2*log(L)": deviance,
        "Chisq": chisq,
        "Df": steps,
        "Pr(>Chisq)": p,
    }


def _remarks(
    models: Sequence[FittedModel],
    labels: Sequence[str],
    columns: dict[str, NDArray[np.float64]],
    nesting: Sequence[_Nesting],
) -> list[str]:
    remarks = []
    related = np.array([not reasons for reasons, _ in nesting])
    worse = related & (np.diff(columns["-2*log(L)"]) > 1e-6) & (np.diff(columns["npar"]) > 0)
    if worse.any():
        remarks.append(
            "A model with more parameters has a lower likelihood than the one above it: "
            "they are not nested, or one of the fits has not converged"
        )
    random = {_random_part(model) for model in models}
    if len(random) > 1 and np.isfinite(columns["Pr(>Chisq)"]).any():
        remarks.append(
            "The random parts differ: where a variance is zero under the smaller model, "
            "the p-value is too large (the test is conservative)"
        )
    for i, (smaller, larger) in enumerate(pairwise(models), start=1):
        reasons, decided = nesting[i - 1]
        if not reasons and not decided:
            remarks.append(
                f"Whether the random effects of {labels[i - 1]} are a special case of those of {labels[i]} "
                "was not decided: the p-value is meaningful only if they are"
            )
        if reasons:
            remarks.append(
                f"{labels[i - 1]} and {labels[i]} differ in {' and '.join(reasons)} and are not nested: no "
                f"p-value{_instead(larger, reasons)}"
            )
        if reasons or not have_optimum(smaller, larger):
            continue
        covariances = covariances_of_added_effect(smaller.design, larger.design)
        if covariances is not None and columns["Df"][i] == covariances + 1:
            p = mixture_p_value(columns["Chisq"][i], covariances)
            remarks.append(
                f"{labels[i]} has one more random effect than {labels[i - 1]}: by the 50:50 mixture of "
                f"χ² with {covariances} and {covariances + 1} degrees of freedom {p_statement(p)}"
            )
        remarks += _family_remarks(smaller, larger, (labels[i - 1], labels[i]), columns["Chisq"][i])
    return remarks


def _not_nested(smaller: FittedModel, larger: FittedModel) -> _Nesting:
    """Why the smaller model is no special case of the larger one, and whether that could be decided."""
    reasons = not_nested_in(smaller, larger)
    if smaller.n_parameters >= larger.n_parameters:
        # No test in any case.
        return reasons, True
    spaces, decided = spaces_not_nested(smaller, larger)
    return [*reasons, *spaces], decided


def _random_part(model: FittedModel) -> tuple[Any, ...]:
    """Terms, structures and which standard deviations are held at zero."""
    design, held = model.design, model.held
    zeros = [tuple(sorted(held.zeros(t, design))) for t in range(len(design.terms))]
    parts = zip(design.terms, zeros, strict=True)
    return tuple(sorted((term.text, term.covariance, zero) for term, zero in parts))


def _instead(model: FittedModel, reasons: Sequence[str]) -> str:
    """Advice; a likelihood that prior weights multiply is no longer one of the same data."""
    return "" if "weights" in reasons and not model.exact_likelihood else "; compare AIC or BIC"


def _family_remarks(
    smaller: FittedModel, larger: FittedModel, labels: tuple[str, str], chisq: float
) -> list[str]:
    """Remarks on a family on the boundary of another one."""
    if family_step_of(smaller, larger) != "boundary":
        return []
    text = (
        f"{labels[0]} ({smaller.family.name}) is {labels[1]} ({larger.family.name}) with its "
        f"{larger.family.parameter} on the boundary: the p-value is too large (the test is conservative)"
    )
    if same_apart_from_family(smaller.design, larger.design):
        p = mixture_p_value(chisq, 0)
        text += f"; halved, by the 50:50 mixture of χ² with 0 and 1 degrees of freedom, {p_statement(p)}"
    return [text]


def check_same_data(models: Sequence[FittedModel], labels: Sequence[str]) -> None:
    """Refuse models of different responses, or of different rows of one."""
    first = models[0]
    for label, model in zip(labels[1:], models[1:], strict=True):
        if model.n_obs == first.n_obs and np.array_equal(_data_of(model), _data_of(first)):
            continue
        names = first.design.response_name, model.design.response_name
        if names[0] != names[1] or first.design.new_response or model.design.new_response:
            raise DataError(
                f"{labels[0]} ({names[0]}, {first.n_obs} rows) and {label} ({names[1]}, {model.n_obs} rows) "
                "were fitted to different responses, so their likelihoods cannot be compared"
            )
        raise DataError(
            f"{labels[0]} and {label} have the same response {names[0]}, but not in the same rows, so their "
            f"likelihoods cannot be compared: {_difference_of_rows((first, model), (labels[0], label))}"
        )


def _difference_of_rows(models: Sequence[FittedModel], labels: Sequence[str]) -> str:
    """In which rows two models differ, by what, and what to do."""
    total = [model.arguments.data.n_rows for model in models]
    lost = {name for model in models for name in model.design.missing.columns if name in model.arguments.data}
    left = [_left_out(model.design.missing, n) for model, n in zip(models, total, strict=True)]
    numbers = [model.n_obs for model in models]
    counts = f"{labels[0]} was fitted to {numbers[0]} rows{left[0]} and {labels[1]} to {numbers[1]}{left[1]}"
    if total[0] != total[1]:
        return f"{counts}; fit both to the same data"
    if models[0].design.missing.n_total != models[1].design.missing.n_total:
        return f"{counts}; fit both with the same subset="
    if lost:
        return f"{counts}; fit both to the complete rows, data.dropna(subset={sorted(lost)})"
    first, second = (np.sort(model.design.y) for model in models)
    if np.array_equal(first, second):
        return "the values are the same in another order; fit both to the same data"
    return f"{counts}, of other values; fit both to the same data with the same subset= and weights="


def _left_out(rows: MissingRows, n: int) -> str:
    shown = [f"{n - rows.n_total} left out by subset="] if n > rows.n_total else []
    for name, count in rows.columns.items():
        shown.append(f"{count} with " + ("weight zero" if name == ZERO_WEIGHT else f"missing {name}"))
    return f" (of {n}; {', '.join(shown)})" if shown else ""


def _data_of(model: FittedModel) -> NDArray[np.float64]:
    """The response, with the numbers of trials of a binomial one."""
    design = model.design
    if design.form.binomial:
        return np.column_stack([design.y, design.unit_weights])
    return design.y


def _check_same_fixed_effects(models: Sequence[FittedModel], by_reml: Sequence[bool]) -> None:
    if not all(by_reml):
        raise ArgumentError(
            "refit=False cannot compare REML with ML fits; let anova() refit them (refit=True)"
        )
    first = models[0].design
    for model in models[1:]:
        x = model.design.x
        if x.shape != first.x.shape or not np.array_equal(x, first.x):
            raise ArgumentError(
                "REML criteria of models with different fixed effects cannot be compared; "
                "let anova() refit them by ML (refit=True)"
            )
