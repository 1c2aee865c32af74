"""Contrasts of marginal means, group by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ArgumentError
from .adjustments import checked_adjustment
from .contrast_weights import Contrasts, make_contrasts, takes_control
from .rows import (
    CONTRAST,
    EstimatedRows,
    Rows,
    check_variables,
    group_rows,
    grouped,
    names_of_rows,
    values_of_rows,
    variables_of,
)
from .scale import Scale, ratio_scale
from .specs import show


def contrasts_of(means: Rows, method: Any, adjust: Any, ref: Any, reverse: bool) -> Rows:
    """Contrasts of the rows within each group, see `Emmeans.contrast`."""
    ratios, labels, values = ratio_scale(means.link) is not None, names_of_rows(means), values_of_rows(means)
    found: list[Contrasts] = []
    first: list[int] = []
    parts: list[NDArray[np.float64]] = []
    for places in group_rows(means):
        named, shown = ([texts[i] for i in places] for texts in (labels, values))
        made = make_contrasts(method, named, ratios, ref, reverse, shown)
        weights = np.zeros((len(made.weights), len(means)))
        weights[:, places] = made.weights
        found.append(made)
        first += [int(places[0])] * len(weights)
        parts.append(weights)
    if not first:
        raise ArgumentError("every group has a single mean: nothing to compare")
    frame = _groups(means, first)
    frame.insert(0, CONTRAST, np.array([name for made in found for name in made.names], dtype=object))
    kind = found[0]
    adjust = kind.adjust if adjust is None else checked_adjustment(adjust, kind.pairwise)
    return _contrasts(means, frame, np.vstack(parts), adjust, kind.pairwise)


def interaction_contrasts(
    means: Rows, methods: Any, adjust: Any, ref: Any = None, reverse: bool = False
) -> Rows:
    """Contrasts of the levels of each variable, multiplied with each other; see `Emmeans.contrast`."""
    factors = [str(name) for name in means.labels if name not in means.by]
    if not factors or means.contrasts:
        raise ArgumentError("interaction contrasts need means of two or more variables, not contrasts")
    chosen = _methods(methods, factors)
    if ref is not None and not any(map(takes_control, chosen)):
        raise ArgumentError("ref= is for method='trt.vs.ctrl', and no variable of the interaction has it")
    ratios = ratio_scale(means.link) is not None
    parts: list[NDArray[np.float64]] = []
    first: list[int] = []
    listed: list[pd.DataFrame] = []
    for places in group_rows(means):
        group = means.labels.iloc[places]
        levels = {name: list(dict.fromkeys(group[name])) for name in factors}
        if len(places) != np.prod([len(found) for found in levels.values()], dtype=int):
            raise ArgumentError(
                "interaction: there must be a mean for every combination of the variables' levels"
            )
        made = [
            make_contrasts(m, [show(v) for v in levels[n]], ratios, *_suited(m, ref, reverse))
            for n, m in zip(factors, chosen, strict=True)
        ]
        # The first variable varies fastest.
        product: NDArray[np.float64] = np.ones((1, len(places)))
        for name, one in zip(factors, made, strict=True):
            codes = [levels[name].index(value) for value in group[name]]
            product = (one.weights[:, None, codes] * product).reshape(-1, len(places))
        weights = np.zeros((len(product), len(means)))
        weights[:, places] = product
        parts.append(weights)
        first += [int(places[0])] * len(weights)
        index = pd.MultiIndex.from_product([one.names for one in reversed(made)])
        listed.append(pd.DataFrame(index.to_list()).iloc[:, ::-1])
    if not first:
        raise ArgumentError("interaction: a variable has a single level: nothing to compare")
    names = [f"{n}_{m if isinstance(m, str) else 'custom'}" for n, m in zip(factors, chosen, strict=True)]
    frame = pd.concat(listed, ignore_index=True)
    frame.columns = pd.Index(names, dtype=object)
    frame = pd.concat([frame, _groups(means, first)], axis=1)
    adjust = "none" if adjust is None else checked_adjustment(adjust, False)
    return _contrasts(means, frame, np.vstack(parts), adjust, False)


def simple_groups(means: EstimatedRows, simple: Any, by: Any) -> list[str]:
    """The variables that define the groups when the levels of `simple` are compared."""
    if by is not None:
        raise ArgumentError("give either simple= (the variables to compare) or by= (the groups), not both")
    names = check_variables(means, simple, "simple")
    return [name for name in variables_of(means) if name not in names]


def simple_contrasts(means: Rows, method: Any, adjust: Any, by: Any, **options: Any) -> dict[str, Rows]:
    """Contrasts of the levels of each variable in turn, at each combination of the others."""
    if by is not None:
        raise ArgumentError("simple='each' compares within all other variables; leave out by=")
    return {
        name: contrasted(means, method, adjust, None, simple=[name], **options)
        for name in variables_of(means)
    }


def contrasted(
    means: Rows,
    method: Any,
    adjust: Any = None,
    by: Any = None,
    *,
    ref: Any = None,
    reverse: bool = False,
    interaction: Any = False,
    simple: Any = None,
) -> Rows:
    """Contrasts of the rows within each group, see `Emmeans.contrast`."""
    groups = by if simple is None else simple_groups(means, simple, by)
    means = means if groups is None else grouped(means, groups)
    if interaction is False or interaction is None:
        return contrasts_of(means, method, adjust, ref, reverse)
    chosen = method if interaction is True else interaction
    return interaction_contrasts(means, chosen, adjust, ref, reverse)


def _groups(means: EstimatedRows, first: Sequence[int]) -> pd.DataFrame:
    """The groups of contrasts, from the first row of each."""
    return means.labels.iloc[list(first)].reindex(columns=list(means.by)).reset_index(drop=True)


def _contrasts(
    means: Rows, labels: pd.DataFrame, weights: NDArray[np.float64], adjust: str, pairwise: bool
) -> Rows:
    """Rows made of others, as differences or ratios."""
    ratio = ratio_scale(means.link)
    if not np.allclose(weights.sum(axis=1), 0.0, rtol=0, atol=1e-9):
        # A ratio of two means needs as much above as below.
        ratio = None
    return replace(
        means,
        labels=labels,
        functions=means.functions.combined(weights),
        scale=Scale("estimate") if ratio is None else ratio,
        link=None if ratio is None else means.link,
        adjust=adjust,
        pairwise=pairwise,
        predictor=means.link.name if means.link is not None and ratio is None else means.predictor,
        contrasts=True,
        response=None,
    )


def _methods(methods: Any, factors: Sequence[str]) -> list[Any]:
    """A method for each variable."""
    if isinstance(methods, Mapping):
        if set(methods) != set(factors):
            raise ArgumentError(f"interaction: a method is needed for each of {', '.join(factors)}")
        return [methods[name] for name in factors]
    if isinstance(methods, str):
        return [methods] * len(factors)
    if not isinstance(methods, (list, tuple)) or len(methods) != len(factors):
        raise ArgumentError(
            f"interaction must be a method, or one for each of {', '.join(factors)}, not {methods!r}"
        )
    return list(methods)


def _suited(method: Any, ref: Any, reverse: bool) -> tuple[Any, bool]:
    """`ref` where a method takes it, and `reverse`."""
    return (ref if takes_control(method) else None), reverse
