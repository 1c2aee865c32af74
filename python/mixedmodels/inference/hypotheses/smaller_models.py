"""Tests of smaller fixed parts: one term left out, or the fixed part of another model."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...fit.changes import by_ml
from ...fit.state import FittedModel
from ...render.anova_table import AnovaTable, anova_table
from ...wording import one_line
from ..basis.choice import DdfName, Vcov, basis_of
from ..basis.degrees_of_freedom import by_method, notes_on_tests
from ..basis.testable import have_optimum, notes_on_reductions, refuse_held_coefficients
from ..estimates import criteria
from ..likelihood.likelihood_ratio import check_same_data
from ..likelihood.model_differences import described
from ..likelihood.nesting import offset_coefficients, refuse_not_nested
from ..likelihood.reduced_fits import restriction, with_fixed_part
from ..terms.term_hypotheses import TermHypotheses
from .term_tests import check_test, f_columns


def drop_terms(
    fitted: FittedModel, test: Any = "Chisq", ddf: DdfName | None = None, vcov: Vcov | None = None
) -> AnovaTable:
    """Test each term that is not marginal to others, see :func:`mixedmodels.drop1`."""
    refuse_held_coefficients(fitted, "drop1", "fit both models and compare them by anova(m1, m2)")
    kind = check_test(fitted, test)
    if kind == "Chisq" and ddf is not None:
        raise ArgumentError(
            "drop1: a likelihood-ratio test has no denominator degrees of freedom; "
            f"ddf={ddf!r} needs test='F'"
        )
    if kind == "Chisq" and vcov is not None:
        raise ArgumentError(
            "drop1: a likelihood-ratio test uses no covariance matrix; vcov= needs test='F', or take "
            "anova(model, vcov=...) for Wald tests"
        )
    terms = TermHypotheses(fitted)
    labels = terms.droppable()
    if not labels:
        raise ArgumentError("drop1: the model has no fixed-effects term that could be dropped")
    if kind == "Chisq":
        return _likelihood_ratios(fitted, terms, labels)
    basis = basis_of(fitted, ddf, vcov)
    tests = [basis.joint(terms.dropped(label)) for label in labels]
    columns = f_columns(tests, fitted.estimates.sigma)
    heading = [
        by_method("F tests", basis, "Terms left out one at a time, "),
        f"Model: {one_line(fitted.design.formula.text)}",
    ]
    untested = [label for label, test in zip(labels, tests, strict=True) if test.df1 == 0]
    notes = [*notes_on_tests(basis, tests), *_nothing_lost(untested)]
    return anova_table(columns, labels, heading, notes)


def _nothing_lost(labels: list[str]) -> list[str]:
    """A note on terms that other columns of the model make up."""
    if not labels:
        return []
    return [f"Not tested, because the model is the same without them: {', '.join(labels)}"]


def _likelihood_ratios(fitted: FittedModel, terms: TermHypotheses, labels: list[str]) -> AnovaTable:
    from scipy.special import chdtrc

    heading = [
        "Terms left out one at a time, likelihood-ratio tests",
        f"Model: {one_line(fitted.design.formula.text)}",
    ]
    full = by_ml(fitted)
    if fitted.restricted:
        heading.append("Refitted by ML (instead of REML) for this comparison")
    bases = [terms.without(label) for label in labels]
    fits = [with_fixed_part(fitted, basis) for basis in bases]
    df = np.array([fitted.rank - basis.shape[1] for basis in bases], dtype=float)
    ratio = np.array([max(0.0, fit.estimates.objective - full.estimates.objective) for fit in fits])
    tested = np.array([have_optimum(full, fit) for fit in fits])
    p = np.where(tested & (df > 0), chdtrc(np.maximum(df, 1), ratio), np.nan)
    columns = {
        "npar": np.append(np.nan, df),
        "AIC": np.array([criteria.aic(fit) for fit in (full, *fits)]),
        "LRT": np.append(np.nan, ratio),
        "Pr(>Chisq)": np.append(np.nan, p),
    }
    notes = [
        f"Without {label}: {fit.convergence.problem}"
        for label, fit in zip(labels, fits, strict=True)
        if fit.convergence.problem
    ]
    notes += notes_on_reductions(full, fits, labels)
    notes += _nothing_lost([label for label, lost in zip(labels, df, strict=True) if lost == 0])
    return anova_table(columns, ["<none>", *labels], heading, notes)


def kenward_roger_comparison(full: FittedModel, reduced: FittedModel) -> AnovaTable:
    """Compare models that differ in their fixed parts, see :func:`mixedmodels.kr_compare`."""
    if not full.exact_likelihood or not reduced.exact_likelihood:
        raise ArgumentError("kr_compare: Kenward and Roger's method is for linear mixed models")
    check_same_data([full, reduced], ["the full model", "the reduced model"])
    for model in (full, reduced):
        refuse_held_coefficients(model, "kr_compare", "compare the models by anova(m1, m2)")
    refuse_not_nested(reduced, full, "kr_compare")
    basis = basis_of(full, "kenward-roger")
    rows = restriction(full, reduced)
    test = basis.joint(rows, rows @ offset_coefficients(reduced, full))
    columns = {
        "F value": [test.statistic],
        "NumDF": [test.df1],
        "DenDF": [test.df2],
        "F scaling": [test.scaling],
        "Pr(>F)": [test.p_value],
    }
    heading = [by_method("F test", basis), *described([full, reduced], ["full", "reduced"])]
    return anova_table(columns, ["reduced"], heading, notes_on_tests(basis, [test]))
