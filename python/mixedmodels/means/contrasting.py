"""Contrasts of marginal means, group by group."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError
from .adjustments import checked_adjustment
from .contrasts import Contrasts, make_contrasts
from .estimates import CONTRAST, Emmeans
from .scale import Scale, ratio_scale


def contrasts_of(means: Emmeans, method: Any, adjust: Any, ref: Any, reverse: bool) -> Emmeans:
    """Contrasts of the rows within each group, see `Emmeans.contrast`."""
    ratio, labels = ratio_scale(means.link), means.row_labels()
    found: list[Contrasts] = []
    first: list[int] = []
    parts: list[NDArray[np.float64]] = []
    for places in means.group_rows():
        made = make_contrasts(method, [labels[i] for i in places], ratio is not None, ref, reverse)
        weights = np.zeros((len(made.weights), len(means)))
        weights[:, places] = made.weights
        found.append(made)
        first += [int(places[0])] * len(weights)
        parts.append(weights)
    if not first:
        raise ArgumentError("there is one mean in a group, and nothing to compare it with")
    weights, kind = np.vstack(parts), found[0]
    frame = means.labels.iloc[first].reindex(columns=list(means.by)).reset_index(drop=True)
    frame.insert(0, CONTRAST, np.array([name for made in found for name in made.names], dtype=object))
    if not np.allclose(weights.sum(axis=1), 0.0, rtol=0, atol=1e-9):
        # A ratio of two means needs as much above as below.
        ratio = None
    notes = means.notes
    if means.link is not None and ratio is None:
        notes = (*notes, f"Results are on the {means.link.name} scale, not that of the response")
    return replace(
        means,
        labels=frame,
        functions=means.functions.combined(weights),
        scale=Scale("estimate") if ratio is None else ratio,
        link=None if ratio is None else means.link,
        adjust=kind.adjust if adjust is None else checked_adjustment(adjust, kind.pairwise),
        pairwise=kind.pairwise,
        notes=notes,
    )
