"""Tables of means with letters: means that share one do not differ significantly (Piepho 2004)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError
from .contrasts import contrasted
from .rows import EstimatedRows, group_rows
from .table import MeansTable, adjustment_titles, estimate_table, means_table


def letter_display(means: EstimatedRows, alpha: float, adjust: Any) -> MeansTable:
    """Means in increasing order with letters, see `Emmeans.cld`."""
    if means.contrasts:
        raise ArgumentError("letters are for means, not for contrasts")
    groups = group_rows(means)
    marks = np.full(len(means), "", dtype=object)
    order: list[int] = []
    differences = contrasted(means, "pairwise", adjust) if max(map(len, groups), default=0) > 1 else None
    p = np.zeros(0) if differences is None else _p_values(differences)
    start, unknown = 0, False
    for places in groups:
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
    table = estimate_table(means, True, False)
    sorted_rows = {str(name): table[name].to_numpy()[order] for name in table}
    sorted_rows["group"] = marks[order]
    notes = [*table.notes, _explanation(differences, alpha)]
    if unknown:
        notes.append("No letters for means whose differences have no p-value")
    return means_table(sorted_rows, [*table.labels, "group"], means.by, notes)


def _p_values(differences: EstimatedRows) -> NDArray[np.float64]:
    """P-values of differences; one that is always zero does not differ from it."""
    p = estimate_table(differences, False, True)["p.value"].to_numpy(dtype=float)
    nothing = (differences.functions.estimate == 0) & (differences.functions.standard_error == 0)
    return np.where(nothing, 1.0, p)


def _explanation(differences: EstimatedRows | None, alpha: float) -> str:
    """The meaning of the letters."""
    method = ""
    if differences is not None and differences.adjust != "none":
        titles = adjustment_titles(differences, differences.adjust, "tests")
        method = f" (p-values adjusted by {titles})" if titles else ""
    return f"Means of a group that share a letter do not differ at level {alpha:g}{method}"


def letters(different: NDArray[np.bool_]) -> list[str]:
    """
    Letters such that two means share one exactly if they do not differ.

    Insert and absorb: one group of all is split for each difference in turn, and groups inside others go.

    Parameters
    ----------
    different : ndarray of bool, shape (k, k)
        Symmetric.

    Returns
    -------
    list of str, length k

    Examples
    --------
    >>> import numpy as np
    >>> from mixedmodels.means.letters import letters
    >>> letters(np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], dtype=bool))
    ['a', 'ab', 'b']
    """
    k = len(different)
    groups = [frozenset(range(k))]
    for i, j in zip(*np.nonzero(np.triu(different)), strict=True):
        split: list[frozenset[int]] = []
        for group in groups:
            split += [group - {int(i)}, group - {int(j)}] if i in group and j in group else [group]
        distinct = list(dict.fromkeys(split))
        groups = [g for g in distinct if not any(g < other for other in distinct)]
    groups.sort(key=sorted)
    return ["".join(_letter(n) for n, group in enumerate(groups) if i in group) for i in range(k)]


def _letter(n: int) -> str:
    """a to z, A to Z, then with a number in brackets."""
    alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return alphabet[n] if n < len(alphabet) else f"({n + 1})"
