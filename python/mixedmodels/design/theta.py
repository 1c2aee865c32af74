"""The vector theta of a model: which part of it belongs to which random-effects term."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..covariance import Structure
from .random_term import RandomTerm


class HasTerms(Protocol):
    """A design, or its terms alone."""

    @property
    def terms(self) -> tuple[RandomTerm, ...]: ...


def slices(design: HasTerms) -> Iterator[tuple[RandomTerm, slice]]:
    """Each term with its part of theta."""
    start = 0
    for term in design.terms:
        stop = start + term.structure.n_parameters
        yield term, slice(start, stop)
        start = stop


def factors(design: HasTerms, theta: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The relative covariance factor of each term, shape (..., k, k), for theta of shape (..., n_theta)."""
    return [term.structure.factor(theta[..., part]) for term, part in slices(design)]


def factor_changes(
    design: HasTerms, theta: NDArray[np.float64], move: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """How the factor of each term changes with theta in a direction, to first order; shape (k, k) each."""
    return [
        term.structure.factor(move[part])
        if term.structure.entries is not None
        else np.tensordot(move[part], term.structure.factor_slopes(theta[part]), 1)
        for term, part in slices(design)
    ]


def theta_names(design: HasTerms) -> tuple[str, ...]:
    """
    Names of the entries of theta.

    Entries of factors as lme4 writes them: ``Subject.(Intercept)``, ``Subject.Days.(Intercept)``; others by
    the natural parameter they represent: ``Subject.ar1``, ``Subject.ar1.rho``.
    """
    return tuple([".".join(parts) for term in design.terms for parts in _names_of(term)])


def _names_of(term: RandomTerm) -> Iterator[tuple[str, ...]]:
    group, names, structure = term.group.label, term.names, term.structure
    if structure.entries is None:
        for _, effects in structure.effects(names):
            yield group, *effects
        return
    for i, j in structure.entries:
        yield (group, names[i]) if i == j else (group, names[i], names[j])


def bounds(design: HasTerms) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper bounds of theta, shape (n_theta,): zero below for diagonal elements of factors."""
    parts = [term.structure.bounds for term in design.terms]
    lower, upper = (np.concatenate([np.zeros(0), *(part[side] for part in parts)]) for side in (0, 1))
    return lower, upper


def units(
    design: HasTerms, roots: Sequence[NDArray[np.float64]], theta: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Effect of one unit of each entry on the response, from the roots of Z'WZ/n; shape (n_theta,)."""
    sizes: list[float] = []
    for (term, part), root in zip(slices(design), roots, strict=True):
        if term.structure.entries is not None:
            sizes += [float(np.linalg.norm(root[:, i])) for i, _ in term.structure.entries]
        else:
            slopes = term.structure.factor_slopes(theta[part])
            sizes += np.linalg.norm(root @ slopes, axis=(1, 2)).tolist()
    return np.array([size if size > 0 else 1.0 for size in sizes])


def interior(design: HasTerms, theta: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which entries are not on the boundary: a variance of zero, or a correlation at its limit."""
    parts = [term.structure.interior(theta[part]) for term, part in slices(design)]
    return np.concatenate([np.zeros(0, dtype=bool), *parts])


def grown(
    design: HasTerms, theta: NDArray[np.float64], large: NDArray[np.bool_], ratio: float
) -> NDArray[np.float64]:
    """Theta with marked columns of factors `ratio` times as large; of other structures the whole factor."""
    return np.concatenate(
        [np.zeros(0), *(term.structure.grown(theta[s], large[s], ratio) for term, s in slices(design))]
    )


def growth(design: HasTerms, theta: NDArray[np.float64], large: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Derivative of `grown` in the logarithm of the ratio."""
    return np.concatenate(
        [np.zeros(0), *(term.structure.growth(theta[s], large[s]) for term, s in slices(design))]
    )


def natural(design: HasTerms, theta: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The natural parameters of each term, standard deviations relative to sigma."""
    return [term.structure.natural(theta[..., part]) for term, part in slices(design)]


def natural_names(design: HasTerms) -> Iterator[tuple[RandomTerm, str, tuple[str, ...]]]:
    """Term, kind ("sd", "cor") and effects of each natural parameter, see `Structure.effects`."""
    for term in design.terms:
        for kind, effects in term.structure.effects(term.names):
            yield term, kind, effects


def random_start(
    design: HasTerms, roots: Sequence[NDArray[np.float64]], rng: np.random.Generator
) -> NDArray[np.float64]:
    """
    Theta drawn at random: covariance matrices of every size and rank that a fit may come to, whatever the
    units of the data.
    """
    parts = [_random_part(term.structure, root, rng) for term, root in zip(design.terms, roots, strict=True)]
    return np.concatenate([np.zeros(0), *parts])


def _random_part(
    structure: Structure, root: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    k = structure.k
    if structure.entries is None:
        return _random_natural(structure, root, rng)
    # Of effects of one unit each, then of one size from a hundredth to ten times the unit.
    factor = rng.standard_normal((k, k)) * 10.0 ** rng.uniform(-2.0, 1.0)
    if rng.integers(2):
        factor *= 10.0 ** rng.uniform(-2.0, 0.0, k)
    if not structure.correlated:
        factor, root = np.diag(np.diag(factor)), np.diag(np.linalg.norm(root, axis=0))
    factor = np.linalg.pinv(root) @ factor
    upper: NDArray[np.float64] = np.asarray(np.linalg.qr(factor.T, mode="r"))
    lower = (upper * np.where(np.diag(upper) < 0, -1.0, 1.0)[:, None]).T
    return np.array([lower[i, j] for i, j in structure.entries])


def _random_natural(
    structure: Structure, root: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    sizes = np.linalg.norm(root, axis=0)
    values = []
    for part in structure.parameters:
        if part.kind == "sd":
            unit = float(np.mean(sizes[list(part.columns)])) or 1.0
            values.append(10.0 ** rng.uniform(-2.0, 1.0) / unit)
        else:
            values.append(rng.uniform(part.lower, part.upper))
    drawn, is_cor = np.array(values), np.array([part.kind == "cor" for part in structure.parameters])
    while True:
        try:
            return structure.theta(drawn)
        except ValueError:
            # Not positive definite: with smaller correlations it becomes so.
            drawn = np.where(is_cor, 0.7 * drawn, drawn)
