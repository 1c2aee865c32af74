"""Tables of means with letters."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ArgumentError
from .estimates import Emmeans
from .letters import letters
from .table import MeansTable, means_table


def letter_display(means: Emmeans, alpha: float, adjust: Any) -> MeansTable:
    """Means in increasing order with letters, see `Emmeans.cld`."""
    if means.contrasts:
        raise ArgumentError("letters are for means, not for contrasts")
    marks = np.full(len(means), "", dtype=object)
    order: list[int] = []
    differences = means.pairs(adjust)
    p = differences.test()["p.value"].to_numpy(dtype=float)
    start = 0
    for places in means.group_rows():
        k = len(places)
        stop = start + k * (k - 1) // 2
        different = np.zeros((k, k), dtype=bool)
        different[np.triu_indices(k, 1)] = p[start:stop] < alpha
        start = stop
        estimate = means.functions.estimate[places]
        ranks = np.argsort(estimate, kind="stable")
        ranks = ranks[~np.isnan(estimate[ranks])]
        symmetric = (different | different.T)[np.ix_(ranks, ranks)]
        marks[places[ranks]] = letters(symmetric)
        order += [*places[ranks].tolist(), *places[np.isnan(estimate)].tolist()]
    table = means.confint()
    sorted_rows = {str(name): table[name].to_numpy()[order] for name in table}
    sorted_rows["group"] = marks[order]
    notes = [*table.notes, f"Groups by {differences.adjustment_note(differences.adjust, 'tests')}"]
    notes[-1] += f"; those with a letter in common do not differ at level {alpha:g}"
    return means_table(sorted_rows, [*table.labels, "group"], means.by, notes)
