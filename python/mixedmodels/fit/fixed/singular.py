"""Singular covariance matrices that follow from the values held, rather than from the data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...covariance import Structure
from ...design import Predictors
from ...design.theta import slices
from ..endpoint.singularity import TOLERANCE, KnownSingularity
from .held import Held


def known_singularities(
    design: Predictors, theta: NDArray[np.float64], roots: Sequence[NDArray[np.float64]], held: Held
) -> dict[int, KnownSingularity]:
    """What the held values say of the terms of which they hold parameters, by position."""
    if not held.random:
        return {}
    result = {}
    for t, ((term, part), root) in enumerate(zip(slices(design), roots, strict=True)):
        if t not in held.terms(design):
            continue
        own = {i: value for at, i, value in held.natural if at == t}
        entries = {i - part.start: value for i, value in held.theta if part.start <= i < part.stop}
        whole = False
        generic = _generic(term.structure, theta[part], root, own, entries)
        if generic is not None:
            whole = _deficit(term.structure, generic, root) >= _deficit(term.structure, theta[part], root)
        result[t] = KnownSingularity(held.zeros(t, design), whole)
    return result


def _generic(
    structure: Structure,
    theta: NDArray[np.float64],
    root: NDArray[np.float64],
    natural: dict[int, float],
    entries: dict[int, float],
) -> NDArray[np.float64] | None:
    """Theta with the values held and no other variance near zero; None where none is found."""
    if entries:
        diagonal = [i == j for i, j in structure.entries or []]
        fills = len(diagonal) == len(theta)
        values = np.where(np.array(diagonal) & (np.abs(theta) < 1.0), 1.0, theta) if fills else theta.copy()
        for i, value in entries.items():
            values[i] = value
        return values
    sizes = np.linalg.norm(root, axis=0)
    drawn = []
    for i, part in enumerate(structure.parameters):
        if part.kind == "sd":
            drawn.append(natural.get(i, 1.0 / max(float(np.mean(sizes[list(part.columns)])), 1e-300)))
        else:
            drawn.append(natural.get(i, 0.0))
    try:
        return structure.theta(np.array(drawn))
    except ValueError:
        return None


def _deficit(structure: Structure, theta: NDArray[np.float64], root: NDArray[np.float64]) -> int:
    """How many directions of the effects have no variance."""
    values = np.linalg.svd(root @ structure.factor(theta), compute_uv=False)
    return int(np.count_nonzero(values < TOLERANCE))
