"""
Directions to infinity along which no observation becomes less likely.

Along β + td the likelihood of a discrete response has a finite optimum unless, for some d, the linear
predictor of every row moves towards what was observed, or stays. That is a question about the data alone,
which linear programming answers (Konis 2007, Linear programming algorithms for detecting separated data in
binary logistic regression models, DPhil thesis, University of Oxford). With levels of a random effect among
the columns it tells whether their standard deviation can grow without bound.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...design import Design
from ...families import Family

# Of a coefficient, as a share of the largest move that a direction of unit size could give it: above what the
# tolerances of linear programming leave.
_MOVES = 1e-4
# By which data of unit size are separable, rather than by rounding.
_MARGIN = 1e-6
# So many rows, evenly spread, mostly suffice to rule a direction out.
_SOME = 2000


def towards(design: Design, family: Family) -> NDArray[np.float64]:
    """
    Where the linear predictor of each row gains likelihood without end, shape (n,).

    1 upwards, -1 downwards, 0 in neither direction, NaN for rows without weight, which do not count.
    """
    observed, signs = design.observed, np.zeros(len(design.y))
    # With a log link a mean of 1 is at the edge of the domain, not at infinity.
    for sign, limit in zip((-1.0, 1.0), family.mean(np.array([-np.inf, np.inf])), strict=True):
        if limit in family.certain_means:
            signs[observed == limit] = sign
    return np.where(design.unit_weights > 0, signs, np.nan)


def unbounded_columns(
    x: NDArray[np.float64], signs: NDArray[np.float64], candidates: Sequence[int]
) -> list[int]:
    """
    The columns among `candidates` whose coefficients change along some direction to infinity.

    Parameters
    ----------
    x : ndarray, shape (n, p)
        Of full rank.
    signs : ndarray, shape (n,)
        By `towards`.
    candidates : sequence of int
    """
    from scipy.optimize import linprog

    used = ~np.isnan(signs)
    x, signs = x[used], signs[used]
    # In orthonormal coordinates neither units nor near dependence of the columns matter to the tolerances.
    q, r = np.linalg.qr(x)
    q *= np.sqrt(len(q))
    still, free = q[signs == 0], -signs[signs != 0, None] * q[signs != 0]
    if len(still):
        # Rows that must not move leave a subspace.
        _, sizes, right = np.linalg.svd(still.T @ still)
        basis = right[sizes <= 1e-9 * len(q)].T
    else:
        basis = np.eye(len(r))
    if not basis.shape[1]:
        return []
    limits = np.unique(free @ basis, axis=0)
    inverse = np.linalg.pinv(r)
    found = []
    for j in candidates:
        goal = inverse[j] / np.linalg.norm(inverse[j]) @ basis
        for sign in (1.0, -1.0):
            if np.abs(goal).max() < _MOVES:
                continue
            for rows in _fewer_first(len(limits)):
                a = limits[rows]
                answer = linprog(-sign * goal, a, np.zeros(len(a)), bounds=(-1.0, 1.0), method="highs")
                if answer.status != 0 or -answer.fun < _MOVES:
                    break
            else:
                found.append(j)
                break
    return found


def strictly_separable(
    x: NDArray[np.float64],
    signs: NDArray[np.float64],
    effects: Sequence[tuple[NDArray[np.integer[Any]], NDArray[np.float64]]] = (),
) -> bool:
    """
    Whether some coefficients and random effects predict every outcome rightly.

    Parameters
    ----------
    x : ndarray, shape (n, p)
        Of full rank.
    signs : ndarray, shape (n,)
        By `towards`.
    effects : sequence of (codes, z)
        For each term the level of each row, shape (n,), and the columns, shape (n, k).
    """
    from scipy import sparse
    from scipy.optimize import linprog

    used = ~np.isnan(signs)
    signs = signs[used]
    if not signs.all():
        return False
    rows = np.arange(len(signs))
    parts = [sparse.csr_matrix(np.linalg.qr(x[used])[0] * np.sqrt(len(signs)))]
    for codes, z in effects:
        own = codes[used].astype(np.int64)
        for column in z[used].T:
            size = np.abs(column).max()
            if size > 0:
                parts.append(sparse.csr_matrix((column / size, (rows, own))))
    matrix: Any = sparse.hstack([sparse.diags(-signs) @ part for part in parts], format="csr")
    # Within a box and with the largest margin, so that data are not separable by rounding.
    width = matrix.shape[1]
    matrix = sparse.hstack([matrix, np.ones((len(signs), 1))], format="csr")
    goal = np.zeros(width + 1)
    goal[-1] = -1.0
    bounds = [(-1.0, 1.0)] * width + [(0.0, 1.0)]
    for rows in _fewer_first(len(signs)):
        a = matrix[rows]
        answer = linprog(goal, a, np.zeros(a.shape[0]), bounds=bounds, method="highs")
        if answer.status != 0 or -answer.fun < _MARGIN:
            return False
    return True


def _fewer_first(n: int) -> list[slice]:
    """Some of n rows, where there are many, then all of them: what some rule out, all do."""
    return [slice(None)] if n <= 2 * _SOME else [slice(None, None, n // _SOME), slice(None)]
