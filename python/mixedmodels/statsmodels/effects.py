"""Conditional covariance matrices of the random effects of each group, and names of the effects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .likelihood import Covariance
from .params import MixedLMParams


def conditional_covariances(
    model: Any, params: MixedLMParams, scale: float
) -> dict[Any, NDArray[np.float64]]:
    """
    Covariance matrices of the random effects given the response and the estimates.

    Coefficients come first, then the columns of each variance component. Variances may be zero.

    Parameters
    ----------
    model : MixedLM
    params : MixedLMParams
    scale : float
        Residual variance.

    Returns
    -------
    dict
        For each label of a group a matrix, shape (q, q).
    """
    found: dict[Any, Any] = {}
    for batch, psi, inverse in Covariance(model.products, params.cov_re, params.vcomp).factors:
        groups = model.products.group[batch.effects[:, 0]]
        own = scale * (psi @ inverse)
        own = 0.5 * (own + own.swapaxes(1, 2))
        found.update((model.group_labels[g], cov) for g, cov in zip(groups.tolist(), own, strict=True))
    nothing = np.zeros((0, 0))
    return {label: found.get(label, nothing) for label in model.group_labels}


def effect_names(model: Any) -> Callable[[Any], pd.Index]:
    """
    Names of the random effects of a group, as a function of its label.

    Groups share what is made once, as there may be many.

    Parameters
    ----------
    model : MixedLM
    """
    first = list(model.data.exog_re_names)
    known: dict[tuple[str, ...], pd.Index] = {}

    def names(label: Any) -> pd.Index:
        own = list(first)
        if model.components:
            group = model.groups_of_rows.numbers[label]
            for part in model.components:
                own += [f"{part.name}[{column}]" for column in part.labels(group)]
        key = tuple(own)
        if key not in known:
            known[key] = pd.Index(own)
        return known[key]

    return names


def with_unused_levels(model: Any) -> Callable[[Any, NDArray[np.float64]], pd.Series]:
    """
    Random effects of a group as a Series, as a function of its label and the effects with columns.

    Levels of a categorical column without rows in the group are there, too: their effects are zero.

    Parameters
    ----------
    model : MixedLM
    """
    names = effect_names(model)
    if all(part.levels is None for part in model.components):
        return lambda label, own: pd.Series(own, index=names(label))
    first = list(model.data.exog_re_names)

    def series(label: Any, own: NDArray[np.float64]) -> pd.Series:
        group, start = model.groups_of_rows.numbers[label], len(first)
        every, found = list(first), [own[:start]]
        for part in model.components:
            listed = part.labels(group)
            values, start = own[start : start + len(listed)], start + len(listed)
            if part.levels is not None:
                listed, places = part.levels(group)
                used, values = values, np.zeros(len(listed))
                values[places] = used
            every += [f"{part.name}[{column}]" for column in listed]
            found.append(values)
        return pd.Series(np.concatenate(found), index=every)

    return series
