"""Variances and correlations of the random effects, term by term."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fitted_model import FittedModel, read_only
from ..theta import factors

_KEYS = ("group", "names", "sd", "corr", "cov")


@dataclass(frozen=True, eq=False)
class VarianceComponent:
    """
    The covariance matrix of the random effects of one term; its parts are attributes and items alike.

    Attributes
    ----------
    group : str
        Name of the grouping factor.
    names : tuple of str
        Names of the k effects.
    sd : ndarray, shape (k,)
        Standard deviations, in the unit of the response (or linear predictor) over that of the column.
    corr : ndarray, shape (k, k)
        Correlations. NaN where there is none: with an effect of zero variance, and between the
        effects of a double-bar term, which are independent by assumption.
    cov : ndarray, shape (k, k)
        Covariance matrix.
    independent : bool
        Whether the term has a double bar.
    """

    group: str
    names: tuple[str, ...]
    sd: NDArray[np.float64]
    corr: NDArray[np.float64]
    cov: NDArray[np.float64]
    independent: bool = False

    def __getitem__(self, key: str) -> Any:
        if key not in _KEYS:
            raise KeyError(f"no entry {key!r}; there are {', '.join(_KEYS)}")
        return getattr(self, key)

    def keys(self) -> tuple[str, ...]:
        return _KEYS

    def __iter__(self) -> Iterator[str]:
        return iter(_KEYS)

    def __contains__(self, key: object) -> bool:
        return key in _KEYS


def variance_components(fitted: FittedModel) -> tuple[VarianceComponent, ...]:
    """The covariance matrix σ²λλ' of each term; for a generalized model σ = 1."""
    sigma, result = fitted.scale, []
    for term, factor in zip(fitted.design.terms, factors(fitted.design, fitted.estimates.theta), strict=True):
        independent = term.covariance == "diagonal"
        sd = sigma * np.sqrt(np.sum(np.square(factor), axis=1))
        result.append(
            VarianceComponent(
                group=term.group.label,
                names=term.names,
                sd=read_only(sd),
                corr=read_only(_correlations(factor, independent)),
                cov=read_only(sigma**2 * factor @ factor.T),
                independent=independent,
            )
        )
    return tuple(result)


def _correlations(factor: NDArray[np.float64], independent: bool) -> NDArray[np.float64]:
    k = len(factor)
    if independent:
        result = np.full((k, k), np.nan)
    else:
        lengths = np.sqrt(np.sum(np.square(factor), axis=1))
        with np.errstate(invalid="ignore", divide="ignore"):
            rows = factor / lengths[:, None]
        result = np.clip(rows @ rows.T, -1.0, 1.0)
    np.fill_diagonal(result, 1.0)
    return result
