"""Likelihood-ratio tests of the random-effects terms, one at a time."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ...covariance import without_correlations
from ...design import INTERCEPT, RandomTerm
from ...design.matrix import Levels, MatrixPlan, label_of
from ...design.random_term import rows_apart
from ...design.repeated_effects import n_covariance_parameters, overlapping_terms
from ...fit.state import FittedModel
from ...render.anova_table import AnovaTable, anova_table
from ...wording import one_line
from ..basis.testable import have_optimum, notes_on_reductions, refuse_held_covariances
from .boundary import covariances_of_added_effect, mixture_p_value
from .reduced_fits import (
    generalized_without_random_effects,
    objective_without_random_effects,
    with_random_terms,
)


@dataclass(frozen=True, eq=False)
class _Reduction:
    """Some random effects fewer: a label, the terms that are left, and the parameters that are gone."""

    label: str
    terms: tuple[RandomTerm, ...]
    df: int
    # Whether correlations alone are gone, whose zero is inside their range.
    inside: bool = False


def random_term_table(fitted: FittedModel) -> AnovaTable:
    """Test each random-effects term, see :func:`mixedmodels.ranova`."""
    from scipy.special import chdtrc

    refuse_held_covariances(fitted, "ranova", "compare the model with another one by anova(m1, m2)")
    reductions = list(_reductions(fitted))
    objectives, problems = [], []
    fits: list[FittedModel | None] = []
    for part in reductions:
        if not part.terms and fitted.exact_likelihood:
            fits.append(None)
            objectives.append(objective_without_random_effects(fitted))
            continue
        fit = (
            with_random_terms(fitted, part.terms)
            if part.terms
            else generalized_without_random_effects(fitted)
        )
        fits.append(fit)
        objectives.append(fit.estimates.objective)
        if fit.convergence.problem:
            problems.append(f"Without {part.label}: {fit.convergence.problem}")
    criterion = np.array([fitted.estimates.objective, *objectives])
    df = np.array([part.df for part in reductions], dtype=float)
    npar = fitted.n_parameters - np.append(0.0, df)
    ratio = np.maximum(0.0, criterion[1:] - criterion[0])
    tested = np.array([have_optimum(fitted, fit) for fit in fits])
    mixture = []
    for part, statistic, sound in zip(reductions, ratio, tested, strict=True):
        reduced = dataclasses.replace(fitted.design, terms=part.terms)
        covariances = covariances_of_added_effect(reduced, fitted.design)
        known = sound and covariances is not None and covariances + 1 == part.df
        mixture.append(mixture_p_value(statistic, part.df - 1) if known else np.nan)
    columns = {
        "npar": npar,
        "logLik": -criterion / 2,
        "AIC": criterion + 2 * npar,
        "LRT": np.append(np.nan, ratio),
        "Df": np.append(np.nan, df),
        "Pr(>Chisq)": np.append(
            np.nan, np.where(tested & (df > 0), chdtrc(np.maximum(df, 1), ratio), np.nan)
        ),
        "Pr(mixture)": np.append(np.nan, mixture),
    }
    restricted = fitted.restricted
    heading = [
        f"Random effects left out one at a time, {'restricted ' if restricted else ''}likelihood-ratio tests",
        f"Model: {one_line(fitted.design.formula.text)}",
    ]
    notes = [
        "Pr(>Chisq) is too large because a variance of zero lies on the boundary; Pr(mixture), for one "
        "random effect, uses the 50:50 mixture of χ² with Df - 1 and Df degrees of freedom"
    ]
    labels = [part.label for part in reductions]
    untested = [term.text for term in fitted.design.terms if _residual_without_correlations(fitted, term)]
    if untested:
        notes.append(
            f"Not tested: the correlations of {' and '.join(untested)}, whose effects are indistinguishable "
            "from residual error without them"
        )
    if any(part.inside for part in reductions):
        notes.append("Zero correlations lie inside the parameter space: their Pr(>Chisq) is valid as it is")
    notes += [*problems, *notes_on_reductions(fitted, fits, labels)]
    return anova_table(columns, ["<none>", *labels], heading, notes)


def _reductions(fitted: FittedModel) -> Iterator[_Reduction]:
    """
    What can be left out: of each term the parts of its left side but for the intercept, all of it when there
    is nothing else; with a double bar the intercept too. Of a structure with a rule for its covariance
    matrix the correlations, or all of it.
    """
    terms, recipe = fitted.design.terms, fitted.design.recipe
    written = [spec.text for spec in recipe.formula.random]
    for t in sorted(range(len(terms)), key=lambda i: written.index(terms[i].text)):
        term, (plan, _) = terms[t], recipe.random[t]
        if not term.blocks:
            yield from _structured_reductions(fitted, t)
            continue
        slices = [(label, part) for label, part in plan.terms if part.stop > part.start]
        diagonal = len(term.blocks) > 1
        names = [label for label, _ in slices]
        for label, part in slices:
            if label == INTERCEPT and len(slices) > 1 and not diagonal:
                continue
            if any(_inside(label, other) for other in names):
                continue
            rest = [name for name in names if name != label]
            left = _without(term, plan, part, rest, terms)
            others = [left] if left is not None else []
            kept = (*terms[:t], *others, *terms[t + 1 :])
            df = _parameters(terms) - _parameters(kept)
            if df > 0:
                yield _Reduction(_label(term, label, names), kept, df)


def _structured_reductions(fitted: FittedModel, t: int) -> Iterator[_Reduction]:
    """
    Of a term with a rule for its covariance matrix: without its correlations, and without all of it.

    Where effects without correlations are residuals under another name, nothing lies between.
    """
    terms = fitted.design.terms
    term, structure = terms[t], terms[t].structure
    simpler = without_correlations(structure) if structure.correlated else None
    if simpler is not None and not _residual_without_correlations(fitted, term):
        text = f"{simpler}{term.text[term.text.index('(') :]}"
        left = dataclasses.replace(term, covariance=simpler, text=text, times=None)
        df = structure.n_parameters - left.structure.n_parameters
        label = f"correlation{'s' * (df > 1)} in {term.text}"
        yield _Reduction(label, (*terms[:t], left, *terms[t + 1 :]), df, inside=True)
    yield _Reduction(term.text, (*terms[:t], *terms[t + 1 :]), structure.n_parameters)


def _residual_without_correlations(fitted: FittedModel, term: RandomTerm) -> bool:
    """Whether a term with a rule for its correlations would be residual error if these were zero."""
    if term.blocks or not term.structure.correlated or not fitted.exact_likelihood:
        return False
    return fitted.design.weights is None and rows_apart(term)


def _without(
    term: RandomTerm, plan: MatrixPlan, part: slice, rest: list[str], terms: tuple[RandomTerm, ...]
) -> RandomTerm | None:
    """
    The term without some columns; None when nothing is left of it.

    Columns that are the levels of a factor add up to a constant. What is left keeps it if it consists of
    factors, too: all levels of f2 in (0 + f1 + f2 | g). Of (0 + f | g) the constant is left, unless another
    term has it.
    """
    kept = [j for j in range(len(term.names)) if not part.start <= j < part.stop]
    z, names = term.z[:, kept], tuple(term.names[j] for j in kept)
    if INTERCEPT not in plan.names and np.all(term.z[:, part].sum(axis=1) == 1.0):
        factors = {
            label_of(n) for n, c in zip(plan.nodes, plan.codings, strict=True) if isinstance(c, Levels)
        }
        if any(factors.issuperset(label.split(":")) for label in rest) or (
            not kept and not _has_intercept(term, terms)
        ):
            z, names = np.column_stack([np.ones(len(z)), z]), (INTERCEPT, *names)
    if not names:
        return None
    z = np.ascontiguousarray(z)
    z.flags.writeable = False
    return dataclasses.replace(term, z=z, names=names)


def _has_intercept(term: RandomTerm, terms: tuple[RandomTerm, ...]) -> bool:
    return any(t is not term and t.group.label == term.group.label and INTERCEPT in t.names for t in terms)


def _inside(label: str, other: str) -> bool:
    """Whether a term of a left side is marginal to another one."""
    if label == INTERCEPT:
        return False
    return set(label.split(":")) < set(other.split(":"))


def _parameters(terms: tuple[RandomTerm, ...]) -> int:
    surplus = sum(spare for _, _, spare in overlapping_terms(terms))
    return n_covariance_parameters(terms) - surplus


def _label(term: RandomTerm, label: str, names: list[str]) -> str:
    group = term.group.label
    if names == [INTERCEPT]:
        return term.text
    if len(term.blocks) > 1:
        return f"(1 | {group})" if label == INTERCEPT else f"{label} in (0 + {label} | {group})"
    return f"{label} in {term.text}"
