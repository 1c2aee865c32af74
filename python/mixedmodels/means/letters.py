"""Letters for groups of means that do not differ (Piepho 2004)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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
