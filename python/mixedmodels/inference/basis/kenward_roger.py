"""
The same model in uncorrelated columns, where covariates far from zero cost no digits.

Kenward and Roger's quantities grow with the fourth power of the mean of a covariate, and their sums cancel:
with a calendar year for a covariate too few digits would be left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...design import theta as theta_layout
from ...fit.endpoint.coordinates import independent
from ...fit.endpoint.term_roots import (
    root_of,
)
from ...fit.endpoint.undetermined import Direction, of_elements
from ...fit.engine_terms import EngineTerm, engine_term
from ...fit.fixed import embedded
from ...fit.state import FittedModel

# Columns with a smaller share of their own beside those before them are decorrelated.
_OWN = 0.1


@dataclass(frozen=True, eq=False)
class KenwardRogerParts:
    """
    The engine's results for Kenward and Roger's method, see `KenwardRoger`.

    Attributes
    ----------
    adjusted : ndarray, shape (rank, rank)
        Of the coefficients.
    turn : ndarray, shape (rank, rank)
        The coefficients are this times those that `phi` and `p` belong to.
    phi : ndarray, shape (rank, rank)
    p : ndarray, shape (r, rank, rank)
    w : ndarray, shape (r, r)
    undetermined : ndarray, shape (d, r)
        Directions that the data do not determine, scaled to changes by about the size of the variances.
    directions : sequence of Direction
        The same as changes of the covariance matrices.
    """

    adjusted: NDArray[np.float64]
    turn: NDArray[np.float64]
    phi: NDArray[np.float64]
    p: NDArray[np.float64]
    w: NDArray[np.float64]
    undetermined: NDArray[np.float64]
    directions: Sequence[Direction]


def kenward_roger_parts(fitted: FittedModel) -> KenwardRogerParts:
    """Kenward and Roger's quantities at the estimates of a fit by REML."""
    design, theta = fitted.design, fitted.estimates.theta
    kept = design.x[:, fitted.estimates.free]
    columns = _columns(root_of(kept, design.weights) if kept.size else np.eye(kept.shape[1]))
    turns = [
        _columns(root) if len(term.blocks) == 1 else None
        for term, root in zip(design.terms, fitted.term_roots, strict=True)
    ]
    turn = np.eye(kept.shape[1]) if columns is None else columns
    factors, roots = theta_layout.factors(design, theta), list(fitted.term_roots)
    parts: dict[str, Any]
    if columns is None and all(part is None for part in turns):
        parts = fitted.engine.kenward_roger(theta)
    else:
        for t, change in enumerate(turns):
            if change is not None:
                factors[t] = _triangular(roots[t] @ factors[t])
                roots[t] = np.eye(len(change))
        parts = _in_columns(fitted, kept @ turn, turns, factors)
    moves = parts["undetermined"][parts["undetermined"].any(axis=1)]
    found = of_elements(design, moves[:, :-1])
    sizes = [_size(fitted, direction, roots, factors) for direction in found]
    size = np.maximum(np.array(sizes), np.abs(moves[:, -1]) / fitted.estimates.sigma**2)
    size = np.maximum(size, np.finfo(float).tiny)
    directions = [
        [
            part if change is None else change @ part @ change.T
            for part, change in zip(direction, turns, strict=True)
        ]
        for direction in found
    ]
    columns_of = fitted.estimates.kept, fitted.estimates.held
    whole = embedded(turn, *columns_of)
    if len(fitted.estimates.held):
        whole = whole + np.diag(np.isin(*columns_of).astype(float))
    return KenwardRogerParts(
        embedded(turn @ parts["adjusted"] @ turn.T, *columns_of),
        whole,
        embedded(parts["phi"], *columns_of),
        embedded(parts["p"], *columns_of),
        parts["w"],
        moves / size[:, None],
        directions,
    )


def _columns(root: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The inverse of the root, by which columns are decorrelated; None where they are far from dependent."""
    if not independent(root):
        return None
    own = np.abs(root.diagonal()) / np.linalg.norm(root, axis=0)
    return None if (own > _OWN).all() else np.asarray(np.linalg.inv(root), dtype=np.float64)


def _triangular(factor: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lower triangular factor with the same product with its transpose, its diagonal not negative."""
    upper = np.asarray(np.linalg.qr(factor.T, mode="r"), dtype=np.float64)
    return (upper * np.where(upper.diagonal() < 0, -1.0, 1.0)[:, None]).T


def _in_columns(
    fitted: FittedModel,
    x: NDArray[np.float64],
    turns: Sequence[NDArray[np.float64] | None],
    factors: Sequence[NDArray[np.float64]],
) -> dict[str, Any]:
    from ..._engine import Lmm

    design = fitted.design
    terms: list[EngineTerm] = []
    theta: list[NDArray[np.float64]] = []
    for (term, part), change, factor in zip(theta_layout.slices(design), turns, factors, strict=True):
        z = term.z if change is None else np.ascontiguousarray(term.z @ change)
        terms.append(engine_term(term, z))
        own = fitted.estimates.theta[part]
        theta.append(own if change is None else term.structure.theta_of_factor(factor))
    engine = Lmm(design.y, np.ascontiguousarray(x), terms, design.weights, design.offset)
    return engine.kenward_roger(np.concatenate(theta))


def _size(
    fitted: FittedModel,
    direction: Direction,
    roots: Sequence[NDArray[np.float64]],
    factors: Sequence[NDArray[np.float64]],
) -> float:
    """How large a change of the covariance matrices is beside these and the residual variance."""
    sigma, largest = fitted.estimates.sigma, 0.0
    for change, root, factor in zip(direction, roots, factors, strict=True):
        units = np.linalg.norm(root, axis=0)
        sd = sigma * np.sqrt(1.0 + np.square(units) * np.sum(np.square(factor), axis=1))
        share = np.abs(change) * np.outer(units, units) / np.outer(sd, sd)
        largest = max(largest, float(share.max(initial=0.0)))
    return largest
