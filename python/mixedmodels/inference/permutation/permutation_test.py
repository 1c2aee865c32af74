"""
Permutation tests of a fixed-effects term.

Residuals: Freedman & Lane (1983), with residuals that are white under the smaller mixed model as in Lee &
Braun (2012). Labels: the randomization test of Fisher (1935), for the units to which the labels belong.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...checks import one_of, shown, whole_number
from ...errors import ArgumentError
from ...fit.changes import by_ml
from ...fit.state import FittedModel
from ...render.anova_table import AnovaTable, anova_table
from ...repeat.chunks import check_executor
from ...repeat.progress import check_progress
from ...wording import counted, listed, nearest, one_line
from ..basis.row_labels import row_labels
from ..basis.testable import (
    have_optimum,
    notes_on_comparisons,
    refuse_evaluated,
    refuse_held_coefficients,
)
from ..likelihood.reduced_fits import ConfinedFit
from ..likelihood.simulated_ratios import SimulatedRatios, simulated_ratios
from ..terms.term_hypotheses import TermHypotheses
from .labels import label_notes, permuted_labels, ratios_of_labels
from .residuals import permuted_residuals

_FUNCTION = "permutation_test"
_KINDS = ("residuals", "labels")


def term_permutation_test(
    fitted: FittedModel,
    term: Any,
    nsim: Any = 1000,
    *,
    permute: Any = None,
    units: Any = None,
    within: Any = None,
    rng: Any = None,
    executor: Any = None,
    progress: Any = False,
) -> AnovaTable:
    """Test a fixed-effects term by permutations, see :func:`mixedmodels.permutation_test`."""
    from scipy.special import chdtrc

    nsim = whole_number("nsim", nsim, 1)
    kind = _kind(fitted, permute, units)
    check_executor(executor)
    check_progress(progress)
    refuse_evaluated(fitted, _FUNCTION)
    refuse_held_coefficients(fitted, _FUNCTION, "compare the models by pb_compare(m1, m0)")
    terms = TermHypotheses(fitted)
    term = terms.named(term)
    _check_term(terms, term)
    full = by_ml(fitted)
    basis = terms.without(term)
    df = fitted.rank - basis.shape[1]
    if df == 0:
        raise ArgumentError(f"{_FUNCTION}: the model is the same without {term!r}: nothing to test")
    smaller = ConfinedFit(fitted, basis)
    reduced = smaller.fitted
    statistic = max(0.0, reduced.estimates.objective - full.estimates.objective)
    repeats: dict[str, Any] = {"rng": rng, "executor": executor, "progress": progress}
    notes: list[str] = []
    simulated: SimulatedRatios | None = None
    if not have_optimum(full, reduced):
        notes = notes_on_comparisons([full, reduced], ["the model", f"the model without {term}"])
    elif kind == "residuals":
        blocks = None if within is None else row_labels(fitted, within, "within")
        source = permuted_residuals(reduced, None if blocks is None else blocks.codes, _FUNCTION)
        simulated = simulated_ratios(full, smaller, source, nsim, _FUNCTION, **repeats)
        notes.append("Permuted: the white residuals of the model without the term")
        if blocks is not None:
            notes[-1] += f", within {blocks.name}"
    else:
        labels = permuted_labels(fitted, term, units, within, _FUNCTION)
        objective = reduced.estimates.objective
        simulated = ratios_of_labels(full, objective, labels, nsim, _FUNCTION, **repeats)
        notes += label_notes(labels)
    columns = {
        "LRT": [statistic],
        "Df": [float(df)],
        "Pr(>Chisq)": [np.nan if simulated is None else float(chdtrc(df, statistic))],
        "Pr(permutation)": [np.nan if simulated is None else simulated.p_value(statistic)],
    }
    title = f"Permutation test of {term}"
    if simulated is not None:
        title += f", {counted(simulated.n, 'permutation')}"
        notes += simulated.notes()
    heading = ["Refitted by ML (instead of REML) for this test"] if fitted.restricted else []
    heading += [title, f"Model: {one_line(fitted.design.formula.text)}"]
    return anova_table(columns, [term], heading, notes)


def _kind(fitted: FittedModel, permute: Any, units: Any) -> str:
    """The kind of things that are permuted."""
    if permute is None:
        permute = "residuals" if fitted.exact_likelihood and units is None else "labels"
    kind = one_of("permute", permute, _KINDS)
    if kind == "residuals" and not fitted.exact_likelihood:
        raise ArgumentError(
            f"{_FUNCTION}: the residuals of a generalized model are not exchangeable, as their distribution "
            "depends on the mean; use permute='labels' or pb_compare()"
        )
    if kind == "residuals" and units is not None:
        raise ArgumentError(f"{_FUNCTION}: units= are for permute='labels'; residuals belong to rows")
    return kind


def _check_term(terms: TermHypotheses, term: Any) -> None:
    if not terms.labels:
        raise ArgumentError(f"{_FUNCTION}: the model has no fixed-effects terms that can be tested")
    if not isinstance(term, str) or term not in terms.labels:
        raise ArgumentError(
            f"{_FUNCTION}: term must be a fixed-effects term of the model, {listed(terms.labels)}; "
            f"got {shown(term)}{nearest(term, terms.labels)}"
        )
    above = terms.containing(term)
    if above:
        raise ArgumentError(
            f"{_FUNCTION}: {term!r} is a part of {listed([repr(label) for label in above])}, which must be "
            "tested first or left out of the model"
        )
