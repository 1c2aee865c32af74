"""Tests of leaving out one fixed-effects term at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...errors import ArgumentError
from ...fit.changes import by_criterion
from ...fit.fitted_linear import FittedLinear
from ...fit.state import FittedModel
from ...wording import one_line
from ..basis.choice import DdfName, Vcov, basis_of
from ..basis.headings import by_method
from ..basis.held_parameters import refuse_held_coefficients
from ..basis.kinds import notes_on_tests
from ..basis.no_optimum import have_optimum, notes_on_reductions
from ..estimates import criteria
from ..likelihood.reduced_fits import with_fixed_part
from .anova_table import AnovaTable, anova_table
from .term_hypotheses import TermHypotheses
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
        raise ArgumentError("drop1: the model has no fixed-effects term that can be left out")
    if kind == "Chisq":
        return _likelihood_ratios(fitted, terms, labels)
    assert isinstance(fitted, FittedLinear)
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
    return [f"Not tested, as the model stays the same without them: {', '.join(labels)}"]


def _likelihood_ratios(fitted: FittedModel, terms: TermHypotheses, labels: list[str]) -> AnovaTable:
    from scipy.special import chdtrc

    heading = [
        "Terms left out one at a time, likelihood-ratio tests",
        f"Model: {one_line(fitted.design.formula.text)}",
    ]
    full = fitted
    if isinstance(fitted, FittedLinear) and fitted.reml:
        full = by_criterion(fitted, reml=False)
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
