"""The random-effects terms of the engine that a model is, some of its parameters held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .params import MixedLMParams


@dataclass(frozen=True)
class Block:
    """
    Random coefficients with a covariance matrix of their own, or a variance component.

    Attributes
    ----------
    columns : tuple of int
        The coefficients, one whose variance is held before the others; empty for a component.
    component : int
        Its number; -1 for coefficients.
    structure : str
        "us" or "diag".
    held : float or None
        The standard deviation at which the first coefficient, or the component, is held, relative to the
        residual one.
    """

    columns: tuple[int, ...]
    component: int = -1
    structure: str = "us"
    held: float | None = None


def plan(free: MixedLMParams | None, start: MixedLMParams) -> list[Block] | None:
    """
    The blocks of a model; what the mask does not free is held at its start.

    Parameters
    ----------
    free : MixedLMParams or None
        The mask; None frees everything.
    start : MixedLMParams

    Returns
    -------
    list of Block, or None
        None when no covariance structure does what the mask says.
    """
    mask = all_free(start) if free is None else free
    found = _coefficients(np.asarray(mask.cov_re) != 0, np.asarray(start.cov_re, dtype=np.float64))
    if found is None:
        return None
    for j, (own, value) in enumerate(zip(np.asarray(mask.vcomp) != 0, start.vcomp, strict=True)):
        if own:
            found.append(Block((), j))
        elif value:
            found.append(Block((), j, held=float(np.sqrt(value))))
    return found


def all_free(start: MixedLMParams) -> MixedLMParams:
    """The mask that frees everything."""
    return MixedLMParams.from_components(
        np.ones(start.k_fe), cov_re=np.ones((start.k_re, start.k_re)), vcomp=np.ones(start.k_vc)
    )


def _coefficients(mask: NDArray[np.bool_], start: NDArray[np.float64]) -> list[Block] | None:
    k = len(mask)
    # Those that vary: a variance held at zero takes its coefficient out.
    left = [i for i in range(k) if mask[i, i] or start[i, i]]
    gone = [i for i in range(k) if i not in left]
    pairs = mask & ~np.eye(k, dtype=bool)
    pairs |= pairs.T
    if np.any(start[np.ix_(gone, left)]) or np.any(pairs[gone]):
        return None
    if len(left) > 1 and not pairs.any() and mask[left, left].all():
        return None if _together(start, left) else [Block(tuple(left), structure="diag")]
    found = []
    for own in _connected(left, pairs):
        others = [i for i in left if i not in own]
        complete = all(pairs[i, j] for i in own for j in own if i != j)
        held = [i for i in own if not mask[i, i]]
        if not complete or len(held) > 1 or np.any(start[np.ix_(own, others)]):
            return None
        columns = (*held, *(i for i in own if i not in held))
        found.append(Block(columns, held=float(np.sqrt(start[held[0], held[0]])) if held else None))
    return found


def _together(start: NDArray[np.float64], columns: Sequence[int]) -> bool:
    own = start[np.ix_(columns, columns)]
    return bool(np.any(own != np.diag(np.diag(own))))


def _connected(columns: Sequence[int], pairs: NDArray[np.bool_]) -> list[list[int]]:
    """The columns that are connected by free covariances, in order."""
    waiting, found = list(columns), []
    while waiting:
        own = [waiting.pop(0)]
        for i in own:
            own += [j for j in waiting if pairs[i, j]]
            waiting = [j for j in waiting if j not in own]
        found.append(sorted(own))
    return found


def parameters(
    blocks: Sequence[Block], factors: Sequence[Any], start: MixedLMParams, fe_params: Any
) -> MixedLMParams:
    """
    The parameters of a model whose blocks have these relative covariance factors; others are zero.

    Parameters
    ----------
    blocks : sequence of Block
    factors : sequence of ndarray, shape (k, k) each
    start : MixedLMParams
        Says how many parameters there are.
    fe_params : ndarray, shape (k_fe,)
    """
    found = MixedLMParams(start.k_fe, start.k_re, start.k_vc)
    found.fe_params = fe_params
    for block, factor in zip(blocks, factors, strict=True):
        if block.component < 0:
            found.cov_re[np.ix_(block.columns, block.columns)] = factor @ factor.T
        else:
            found.vcomp[block.component] = factor[0, 0] ** 2
    return found
