"""The vector theta: which entry belongs to which element of which relative covariance factor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .design import Predictors, RandomTerm
from .errors import ArgumentError
from .formatting import listed


def positions(term: RandomTerm) -> list[tuple[int, int]]:
    """Rows and columns of the factor that the term's entries of theta fill, in theta's order."""
    k = len(term.names)
    if term.covariance == "diagonal":
        return [(j, j) for j in range(k)]
    return [(i, j) for j in range(k) for i in range(j, k)]


def slices(design: Predictors) -> Iterator[tuple[RandomTerm, slice]]:
    """Each term with its part of theta."""
    start = 0
    for term in design.terms:
        stop = start + len(positions(term))
        yield term, slice(start, stop)
        start = stop


def factors(design: Predictors, theta: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The relative covariance factor of each term, shape (..., k, k), for theta of shape (..., n_theta)."""
    result = []
    values = iter(theta.tolist()) if theta.ndim == 1 else iter(np.moveaxis(theta, -1, 0))
    for term in design.terms:
        k = len(term.names)
        factor = np.zeros((*theta.shape[:-1], k, k))
        for row, column in positions(term):
            factor[..., row, column] = next(values)
        result.append(factor)
    return result


def theta_names(design: Predictors) -> tuple[str, ...]:
    """Names as lme4 writes them: ``Subject.(Intercept)``, ``Subject.Days.(Intercept)``, ``Subject.Days``."""
    return tuple(
        ".".join((term.group.label, term.names[i], *([term.names[j]] if i != j else [])))
        for term in design.terms
        for i, j in positions(term)
    )


def lower_bounds(design: Predictors) -> NDArray[np.float64]:
    """Zero for diagonal elements of the factors, minus infinity for the others, shape (n_theta,)."""
    return np.array([0.0 if i == j else -np.inf for term in design.terms for i, j in positions(term)])


def units(design: Predictors, roots: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """What one unit of each entry adds to the response, by the roots of Z'WZ/n; shape (n_theta,)."""
    sizes = [
        np.linalg.norm(root[:, i])
        for term, root in zip(design.terms, roots, strict=True)
        for i, _ in positions(term)
    ]
    return np.array([size if size > 0 else 1.0 for size in sizes])


def interior(design: Predictors, theta: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which entries stand in columns of the factors that are not zero altogether."""
    inner = []
    for term, part in slices(design):
        columns = np.array([j for _, j in positions(term)])
        inner += [bool(np.any(theta[part][columns == j])) for j in columns]
    return np.array(inner, dtype=bool)


def random_start(
    design: Predictors, roots: Sequence[NDArray[np.float64]], rng: np.random.Generator
) -> NDArray[np.float64]:
    """
    Theta drawn at random: covariance matrices of every size and rank that a fit may come to, whatever the
    units of the data.
    """
    parts = []
    for term, root in zip(design.terms, roots, strict=True):
        k = len(term.names)
        # Of effects of one unit each, then of one size from a hundredth to ten times the unit.
        factor = rng.standard_normal((k, k)) * 10.0 ** rng.uniform(-2.0, 1.0)
        if rng.integers(2):
            factor *= 10.0 ** rng.uniform(-2.0, 0.0, k)
        if term.covariance == "diagonal":
            factor, root = np.diag(np.diag(factor)), np.diag(np.linalg.norm(root, axis=0))
        factor = np.linalg.pinv(root) @ factor
        upper: NDArray[np.float64] = np.asarray(np.linalg.qr(factor.T, mode="r"))
        lower = (upper * np.where(np.diag(upper) < 0, -1.0, 1.0)[:, None]).T
        parts += [lower[i, j] for i, j in positions(term)]
    return np.array(parts)


def check_start(start: Any, design: Predictors) -> NDArray[np.float64] | None:
    """The ``start`` argument as theta; None for the engine's own choice."""
    if start is None:
        return None
    if isinstance(start, Mapping):
        unknown = [key for key in start if key != "theta"]
        if unknown or "theta" not in start:
            found = ", ".join(map(repr, unknown or start)) or "nothing"
            raise ArgumentError(f"start: a mapping must have the one key 'theta', got {found}")
        start = start["theta"]
    names = theta_names(design)
    try:
        theta = np.array(start, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(
            f"start must hold numbers for theta ({listed(names, most=12)}), got {start!r}"
        ) from None
    if theta.shape != (len(names),):
        raise ArgumentError(
            f"start has shape {theta.shape}, but theta has {len(names)} "
            f"{'entry' if len(names) == 1 else 'entries'}: {listed(names, most=12)}"
        )
    for name, value, bound in zip(names, theta, lower_bounds(design), strict=True):
        if not np.isfinite(value) or value < bound:
            wanted = "finite" if bound < 0 else "finite and not negative"
            raise ArgumentError(f"start: {name} is {value}, but must be {wanted}")
    return theta
