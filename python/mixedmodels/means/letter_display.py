"""Tables of means with letters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError
from .estimates import Emmeans
from .letters import letters
from .table import MeansTable, adjustment_titles, means_table


def letter_display(means: Emmeans, alpha: float, adjust: Any) -> MeansTable:
    """Means in increasing order with letters, see `Emmeans.cld`."""
    if means.contrasts:
        raise ArgumentError("letters are for means, not for contrasts")
    marks = np.full(len(means), "", dtype=object)
    order: list[int] = []
    differences = means.pairs(adjust) if max(map(len, means.group_rows()), default=0) > 1 else None
    p = np.zeros(0) if differences is None else _p_values(differences)
    start, unknown = 0, False
    for places in means.group_rows():
        k = len(places)
        stop = start + k * (k - 1) // 2
        found = np.zeros((k, k))
        found[np.triu_indices(k, 1)] = p[start:stop]
        start = stop
        estimate = means.functions.estimate[places]
        ranks = np.argsort(estimate, kind="stable")
        ranks = ranks[~np.isnan(estimate[ranks])]
        order += [*places[ranks].tolist(), *places[np.isnan(estimate)].tolist()]
        compared = (found + found.T)[np.ix_(ranks, ranks)]
        if np.isnan(compared).any():
            unknown = True
            continue
        different = compared < alpha
        np.fill_diagonal(different, False)
        marks[places[ranks]] = letters(different)
    table = means.confint()
    sorted_rows = {str(name): table[name].to_numpy()[order] for name in table}
    sorted_rows["group"] = marks[order]
    notes = [*table.notes, _explanation(differences, alpha)]
    if unknown:
        notes.append("Without letters: means with differences that have no p-value")
    return means_table(sorted_rows, [*table.labels, "group"], means.by, notes)


def _p_values(differences: Emmeans) -> NDArray[np.float64]:
    """P-values of differences; one that is always zero does not differ from it."""
    p = differences.test()["p.value"].to_numpy(dtype=float)
    nothing = (differences.functions.estimate == 0) & (differences.functions.standard_error == 0)
    return np.where(nothing, 1.0, p)


def _explanation(differences: Emmeans | None, alpha: float) -> str:
    """What the letters mean."""
    method = ""
    if differences is not None and differences.adjust != "none":
        titles = adjustment_titles(differences, differences.adjust, "tests")
        method = f" (p-values adjusted by {titles})" if titles else ""
    return f"Means of a group that share a letter do not differ at level {alpha:g}{method}"
