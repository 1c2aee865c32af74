"""
Tests of a variance component by the exact distribution of the (restricted) likelihood ratio.

With one component by Crainiceanu & Ruppert (2004); with others beside the tested one by the approximation of
Greven, Crainiceanu, Küchenhoff & Peters (2008), which takes their effects for known: the ratio is that of the
two models, its distribution that of the model with the tested component alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks import random_generator, several_texts, whole_number
from ...errors import ArgumentError
from ...fit.changes import by_ml, by_reml
from ...fit.state import FittedModel
from ...render.anova_table import AnovaTable, anova_table
from ...wording import counted, listed, nearest, one_line
from ..basis.testable import have_optimum, no_optimum_note, refuse_evaluated
from ..terms.term_hypotheses import TermHypotheses
from .exact_distribution import component_design, likelihood_ratios, restricted_ratios
from .reduced_fits import objective_without_random_effects, with_random_terms
from .variance_component import chosen_component


def exact_restricted_test(
    fitted: FittedModel, term: Any = None, nsim: Any = 10_000, rng: Any = None
) -> AnovaTable:
    """Test that a variance is zero, see :func:`mixedmodels.exact_rlrt`."""
    function = "exact_rlrt"
    _check(fitted, function)
    nsim, generator = whole_number("nsim", nsim, 1), random_generator(rng)
    component = chosen_component(fitted, term, function)
    heading = [] if fitted.restricted else ["Refitted by REML (instead of ML) for this test"]
    fitted = by_reml(fitted)
    fits = [fitted]
    if component.others:
        fits.append(with_random_terms(fitted, component.others))
        smaller = fits[1].estimates.objective
    else:
        smaller = objective_without_random_effects(fitted)
    statistic = _ratio(smaller, fitted.estimates.objective)
    title = f"Exact restricted likelihood-ratio test of {component.text}"
    if component.others:
        title = f"Restricted likelihood-ratio test of {component.text}, null distribution by simulation"
    p, notes = np.nan, [no_optimum_note()]
    if have_optimum(*fits):
        design = component_design(fitted, component, function)
        p, notes = _p_value(restricted_ratios(design, nsim, generator), statistic), []
        title += f", {nsim} simulations"
        if component.others:
            notes = ["Null distribution: as if the other random effects were known (Greven et al. 2008)"]
    heading += [title, f"Model: {one_line(fitted.design.formula.text)}"]
    return anova_table({"RLRT": [statistic], "Pr(>RLRT)": [p]}, [component.text], heading, notes)


def exact_likelihood_test(
    fitted: FittedModel, drop: Any = (), nsim: Any = 10_000, rng: Any = None
) -> AnovaTable:
    """Test that the only variance and some coefficients are zero, see :func:`mixedmodels.exact_lrt`."""
    function = "exact_lrt"
    _check(fitted, function)
    nsim, generator = whole_number("nsim", nsim, 1), random_generator(rng)
    named = TermHypotheses(fitted).named
    labels = list(map(named, several_texts("drop", drop)))
    terms = fitted.design.terms
    if len(terms) > 1:
        raise ArgumentError(
            f"{function}: the distribution is known with one random-effects term, and the model has "
            f"{', '.join(t.text for t in terms)}; exact_rlrt() tests one variance beside others, "
            "pb_compare() any two models"
        )
    component = chosen_component(fitted, None, function)
    basis = _without(fitted, labels, function)
    heading = ["Refitted by ML (instead of REML) for this test"] if fitted.restricted else []
    fitted = by_ml(fitted)
    statistic = _ratio(objective_without_random_effects(fitted, basis), fitted.estimates.objective)
    dropped = fitted.rank - basis.shape[1]
    title = f"Exact likelihood-ratio test of {listed([component.text, *labels])}"
    p, notes = np.nan, [no_optimum_note()]
    if have_optimum(fitted):
        design = component_design(fitted, component, function)
        p = _p_value(likelihood_ratios(design, dropped, nsim, generator), statistic)
        title += f", {nsim} simulations"
        notes = []
    zero = ["the variance", *([counted(dropped, "coefficient")] if dropped else [])]
    heading += [title, f"Zero under the hypothesis: {' and '.join(zero)}"]
    heading.append(f"Model: {one_line(fitted.design.formula.text)}")
    columns = {"LRT": [statistic], "Pr(>LRT)": [p]}
    return anova_table(columns, [" + ".join([component.text, *labels])], heading, notes)


def _check(fitted: FittedModel, function: str) -> None:
    if not fitted.exact_likelihood:
        raise ArgumentError(
            f"{function}: the exact distribution is known for linear mixed models only; pb_compare() tests "
            "generalized ones"
        )
    refuse_evaluated(fitted, function)
    if fitted.arguments.fixed:
        raise ArgumentError(
            f"{function}: the distribution is known where all parameters are estimated, and some are fixed "
            f"({', '.join(fitted.held.texts)}); use ranova(m) or pb_compare(m1, m0) instead"
        )


def _ratio(smaller: float, larger: float) -> float:
    statistic = max(0.0, smaller - larger)
    # The criterion is flat at zero; what is left is rounding.
    return 0.0 if statistic < 1e-8 else statistic


def _p_value(simulated: NDArray[np.float64], statistic: float) -> float:
    """The share of simulated ratios that are no smaller."""
    return (np.count_nonzero(simulated >= statistic) + 1) / (len(simulated) + 1)


def _without(fitted: FittedModel, labels: Sequence[str], function: str) -> NDArray[np.float64]:
    """A basis of the coefficients without those of some terms, shape (rank, rank - dropped)."""
    if not labels:
        return np.eye(fitted.rank)
    terms = TermHypotheses(fitted)
    for label in labels:
        if label not in terms.labels:
            raise ArgumentError(
                f"{function}: drop={label!r} is no fixed-effects term of the model"
                f"{nearest(label, terms.labels)}; its terms are {listed(terms.labels) or 'none'}"
            )
        above = [other for other in terms.containing(label) if other not in labels]
        if above:
            raise ArgumentError(
                f"{function}: {label!r} is a part of {listed([repr(o) for o in above])}; drop these too"
            )
    basis = terms.without(*labels)
    if basis.shape[1] == fitted.rank:
        raise ArgumentError(
            f"{function}: the model is the same without {listed(list(map(repr, labels)))}, which other terms "
            "determine; drop these, too, or give no drop="
        )
    return basis
