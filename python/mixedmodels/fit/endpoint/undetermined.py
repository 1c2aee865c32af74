"""
Which covariances of random effects the data do not determine, and their names in words.

Two columns of a term that no level of the grouping factor has both, such as those of a condition between
subjects, say nothing of the covariance of their effects; ``(b | g) + (1 | g:b)`` splits one variance in two.
Along such a direction of the covariance matrices the distribution of the data stays the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from ...design import Predictors, RandomTerm, theta as theta_layout
from ...design.random_term import rows_apart
from ...errors import MixedModelsWarning, UndeterminedWarning
from ...wording import one_line
from .curvature import ROUNDING
from .term_roots import (
    plain_cholesky,
)

# A change of the covariance matrix of each term, shape (k, k).
Direction = Sequence[NDArray[np.float64]]
Roots = Sequence[NDArray[np.float64]]

# Directions by term, with the root that they were found with.
_known: WeakKeyDictionary[RandomTerm, tuple[NDArray[np.float64], list[NDArray[np.float64]]]] = (
    WeakKeyDictionary()
)

# Elements that change by less than this share of the largest change are rounding.
_SMALL = 1e-3
# Columns with a smaller share of their own beside the others are linearly dependent.
_DEPENDENT = 1e-10
# Steps of theta that change less, of their size, in other directions do not change anything.
_SINGULAR = 1e-5
# Columns whose part outside a space is smaller are in it.
_SAME = 1e-6
# More elements than this are summed up.
_FEW = 4
# The rows among which a level that tells everything is looked for first: nearly every model has one there.
_FIRST_ROWS = 2000
_FIRST_LEVELS = 50
# Effects beyond which the search would take longer than the fit.
_MOST_EFFECTS = 30
# The same for columns of the fixed effects.
_MOST_COLUMNS = 200


def of_theta(
    design: Predictors, theta: NDArray[np.float64], moves: NDArray[np.float64]
) -> list[list[NDArray[np.float64]]]:
    """
    Directions in theta as changes of the covariance matrices.

    Parameters
    ----------
    design : Predictors
    theta : ndarray, shape (n_theta,)
    moves : ndarray, shape (d, n_theta)
    """
    factors = theta_layout.factors(design, theta)
    result = []
    for move in moves:
        halves = [
            moved @ factor.T
            for moved, factor in zip(theta_layout.factor_changes(design, theta, move), factors, strict=True)
        ]
        result.append([half + half.T for half in halves])
    return result


def in_theta(
    design: Predictors, theta: NDArray[np.float64], directions: Sequence[Direction]
) -> NDArray[np.float64]:
    """
    The directions in theta that change the covariance matrices in given directions only, shape (d, n_theta).

    To the first order: on the boundary of theta there are others among them, in which the covariance
    matrices change to the second order.
    """
    if not directions:
        return np.zeros((0, len(theta)))
    slopes = of_theta(design, theta, np.eye(len(theta)))
    jacobian = np.column_stack([_flattened(slope) for slope in slopes])
    size = np.linalg.norm(jacobian, axis=0)
    size[size == 0] = 1.0
    allowed, _ = np.linalg.qr(np.column_stack([_flattened(direction) for direction in directions]))
    rest = jacobian / size
    rest = rest - allowed @ (allowed.T @ rest)
    _, values, vectors = np.linalg.svd(rest)
    return vectors[int(np.count_nonzero(values > _SINGULAR)) :] / size


def _flattened(direction: Direction) -> NDArray[np.float64]:
    return np.concatenate([part.ravel() for part in direction])


def of_elements(design: Predictors, moves: NDArray[np.float64]) -> list[list[NDArray[np.float64]]]:
    """Those in the distinct elements of the covariance matrices, in theta's order; shape (d, n_theta)."""
    return [
        [term.structure.element_change(move[part]) for term, part in theta_layout.slices(design)]
        for move in moves
    ]


def describe(
    design: Predictors, roots: Roots, directions: Sequence[Direction], others: Sequence[str] = ()
) -> str:
    """
    What the data do not determine, in words; empty when there are no directions.

    Parameters
    ----------
    design : Predictors
    roots : sequence of ndarray
        See :func:`~mixedmodels.fit.endpoint.singularity.term_roots`.
    directions : sequence of Direction
        Linearly independent.
    others : sequence of str
        Other parameters that change along them.
    """
    if not directions:
        return ""
    total = len(others)
    parts = []
    for t, (term, root) in enumerate(zip(design.terms, roots, strict=True)):
        moved = _moved([_sized(direction, roots)[t] for direction in directions], len(root))
        total += len(moved)
        if moved:
            parts.append(_elements(term, moved))
    parts += others
    if total <= len(directions):
        return f"The data do not determine {_joined(parts)}"
    return f"The data determine {_joined(parts)} only in combination"


def _sized(direction: Direction, roots: Roots) -> list[NDArray[np.float64]]:
    """In units of the response, the largest change being one."""
    sizes = [np.linalg.norm(root, axis=0) for root in roots]
    # A column of zeros has no size, and nothing determines its variance.
    sizes = [np.where(size > 0.0, size, 1.0) for size in sizes]
    scaled = [np.abs(part) * np.outer(s, s) for part, s in zip(direction, sizes, strict=True)]
    largest = max(part.max(initial=0.0) for part in scaled)
    return [part / largest if largest > 0 else part for part in scaled]


def _moved(changes: Sequence[NDArray[np.float64]], k: int) -> list[tuple[int, int]]:
    whole = np.max(changes, axis=0)
    return [(i, j) for j in range(k) for i in range(j, k) if whole[i, j] > _SMALL]


def _elements(term: RandomTerm, moved: list[tuple[int, int]]) -> str:
    group = term.group.label
    if len(moved) > _FEW:
        names = [term.names[i] for i in sorted({i for pair in moved for i in pair})]
        what = "covariances" if all(i != j for i, j in moved) else "variances and covariances"
        return f"the {what} of {_joined(names)} within {group}"
    variances = [term.names[i] for i, j in moved if i == j]
    pairs = [f"{term.names[j]} and {term.names[i]}" for i, j in moved if i != j]
    texts = []
    if variances:
        texts.append(f"the variance{'s' * (len(variances) > 1)} of {_joined(variances)}")
    if pairs:
        texts.append(f"the covariance{'s' * (len(pairs) > 1)} of {', of '.join(pairs)}")
    return f"{_joined(texts)} within {group}"


def _joined(parts: Sequence[str], most: int = 12) -> str:
    shown = [*parts[:most], *(["others"] if len(parts) > most else [])]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def undetermined_notices(
    design: Predictors, roots: Roots, held: Collection[int] = ()
) -> list[tuple[type[MixedModelsWarning], str]]:
    """A warning for what the columns and levels of a single term leave undetermined."""
    text = describe(design, roots, structural_directions(design, roots, held))
    if not text:
        return []
    return [
        (
            UndeterminedWarning,
            f"{text[0].lower()}{text[1:]}, because no level has the observations for it: the estimates "
            "are arbitrary; the fixed effects and their tests do not depend on them",
        )
    ]


def residual_notices(design: Predictors) -> list[tuple[type[MixedModelsWarning], str]]:
    """
    A warning for terms that contain the residual variance: a multiple of the identity is among their
    covariance matrices, and every row has an effect of its own.
    """
    if design.weights is not None:
        return []
    # Of effects without any structure the check of their number tells.
    found = [
        term.text
        for term in design.terms
        if term.structure.linear
        and term.structure.k > 1
        and len(term.blocks) != 1
        and rows_apart(_without_shared(term))
    ]
    if not found:
        return []
    return [
        (
            UndeterminedWarning,
            f"{_joined(found)} ha{'s' if len(found) == 1 else 've'} one row for each effect: the data "
            "determine the sum of its variances and the residual variance, not how they divide it; the fixed "
            "effects and their tests do not depend on that",
        )
    ]


def _without_shared(term: RandomTerm) -> RandomTerm:
    """Of independent effects those that only some rows have: beside them an intercept changes nothing."""
    k = len(term.names)
    if len(term.blocks) != k or len(term.z) > k * len(term.group.levels):
        return term
    own = np.flatnonzero((term.z == 0.0).any(axis=0))
    names = tuple([term.names[j] for j in own])
    return replace(term, names=names, z=term.z[:, own]) if 0 < len(own) < k else term


def explained_effects(design: Predictors, kept: NDArray[np.int64]) -> list[tuple[int, int]]:
    """
    The terms, and columns of each, of which the fixed effects explain the effects of all levels.

    Of columns that share a standard deviation they explain all: the others would determine it.
    """
    if len(kept) > _MOST_COLUMNS:
        return []
    x = design.x[:, kept]
    return [
        (t, j)
        for t, term in enumerate(design.terms)
        if len(term.group.levels) <= len(kept)
        for columns in _columns_of_a_deviation(term)
        if all(_explained(x, term, term.z[:, j]) for j in columns)
        for j in columns
    ]


def _columns_of_a_deviation(term: RandomTerm) -> list[tuple[int, ...]]:
    if term.blocks:
        return [(j,) for j in range(len(term.names))]
    return [part.columns for part in term.structure.parameters if part.kind == "sd"]


def explained_notices(
    design: Predictors, kept: NDArray[np.int64]
) -> list[tuple[type[MixedModelsWarning], str]]:
    """A warning for random effects that the fixed ones explain, of no effect on the REML criterion."""
    found = [
        f"{one_line(design.terms[t].names[j])} within {design.terms[t].group.label}"
        for t, j in explained_effects(design, kept)
    ]
    if not found:
        return []
    return [
        (
            UndeterminedWarning,
            f"the fixed effects explain all random effects of {_joined(found)}: the data do not determine "
            "their variance; standard errors and tests that depend on it are NaN. Leave out the random "
            "effects or the fixed ones",
        )
    ]


def _explained(x: NDArray[np.float64], term: RandomTerm, column: NDArray[np.float64]) -> bool:
    """Whether the columns of Z that belong to one effect are in the span of X; mostly few rows tell."""
    size = np.sqrt(np.mean(np.square(x), axis=0))
    for stop in (_FIRST_ROWS, len(x)):
        codes = term.group.codes[:stop]
        z = np.zeros((len(codes), len(term.group.levels)))
        z[np.arange(len(codes)), codes] = column[:stop]
        basis, values, _ = np.linalg.svd(x[:stop] / size, full_matrices=False)
        basis = basis[:, values > _DEPENDENT * values[0]]
        if np.linalg.norm(z - basis @ (basis.T @ z)) > _SAME * np.linalg.norm(z):
            return False
    return True


def structural_directions(
    design: Predictors, roots: Roots, held: Collection[int] = ()
) -> list[list[NDArray[np.float64]]]:
    """
    Directions D of the covariance matrix of a term with ZDZ' = 0 within every level.

    Exact, and independent of the coding of the columns; what only several terms together leave undetermined
    is not found, nor what linearly dependent columns do. Terms of which parameters are held, at these
    positions, are left out.
    """
    zero = [np.zeros((len(term.names),) * 2) for term in design.terms]
    return [
        [*zero[:t], direction, *zero[t + 1 :]]
        for t, (term, root) in enumerate(zip(design.terms, roots, strict=True))
        if t not in held
        for direction in _known_of_term(term, root)
    ]


def _known_of_term(term: RandomTerm, root: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The same, worked out once for a term: fits to other responses share it."""
    entry = _known.get(term)
    if entry is not None and np.array_equal(entry[0], root):
        return entry[1]
    found = _of_term(term, root)
    for direction in found:
        direction.flags.writeable = False
    _known[term] = root, found
    return found


def _of_term(term: RandomTerm, root: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    k = len(term.names)
    if not 1 < k <= _MOST_EFFECTS or len(term.blocks) != 1:
        return []
    if _is_told_by(term.z[:_FIRST_ROWS], term.group.codes[:_FIRST_ROWS], int(term.group.codes[0])):
        return []
    pivots = np.abs(root.diagonal())
    if not (pivots > _DEPENDENT * np.abs(root).max(axis=0)).all():
        return []
    # Columns without correlation: a large constant added to one of them must not make all of them alike.
    basis = np.asarray(np.linalg.inv(root), dtype=np.float64)
    if _some_level_tells(term, basis):
        return []
    products = _level_products(term, basis)
    # D as a vector of its distinct elements; the squares of ZDZ' summed up over the levels.
    pairs = [(i, j) for j in range(k) for i in range(j, k)]
    elements = []
    for i, j in pairs:
        element = np.zeros((k, k))
        element[i, j] = element[j, i] = 1.0
        elements.append(element)
    return [basis @ direction @ basis.T for direction in _null(np.array(elements), products)]


def _null(candidates: NDArray[np.float64], products: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The combinations of the candidates with ZDZ' = 0 in all levels of these products A = Z'Z."""
    flat = candidates.reshape(len(candidates), -1)
    k = candidates.shape[1]
    # tr(A D A E) = vec(D)' (A ⊗ A) vec(E).
    rows = products.reshape(len(products), -1)
    whole = (rows.T @ rows).reshape(k, k, k, k).transpose(0, 2, 1, 3).reshape(k * k, k * k)
    values, vectors = np.linalg.eigh(flat @ whole @ flat.T)
    chosen = vectors[:, values <= ROUNDING**2 * max(1.0, float(values[-1]))]
    return list((chosen.T @ flat).reshape(-1, k, k))


def _some_level_tells(term: RandomTerm, basis: NDArray[np.float64]) -> bool:
    """Whether one of the first levels has columns of full rank."""
    codes, columns = term.group.codes[:_FIRST_ROWS], term.z[:_FIRST_ROWS] @ basis
    levels = dict.fromkeys(codes[:_FIRST_LEVELS].tolist())
    return any(_is_told_by(columns, codes, level) for level in levels)


def _is_told_by(columns: NDArray[np.float64], codes: NDArray[np.uint32], level: int) -> bool:
    """Whether the columns have full rank in the rows of a level."""
    rows = columns[codes == level]
    return len(rows) >= columns.shape[1] and plain_cholesky(rows.T.dot(rows).tolist()) is not None


def _level_products(term: RandomTerm, basis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Z'Z of each level over its trace, in a basis of its columns, shape (n_levels, k, k)."""
    columns = term.z @ basis
    k, n_levels = len(basis), len(term.group.levels)
    result = np.empty((n_levels, k, k))
    for j in range(k):
        for i in range(j, k):
            sums = np.bincount(term.group.codes, columns[:, i] * columns[:, j], n_levels)
            result[:, i, j] = result[:, j, i] = sums
    traces = np.trace(result, axis1=1, axis2=2)
    return result / np.where(traces > 0, traces, 1.0)[:, None, None]
