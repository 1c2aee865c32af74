"""Variances and correlations of the random effects, term by term."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...design import RandomTerm
from ...design.theta import slices
from ...fit.record import read_only
from ...fit.state import FittedModel

_KEYS = ("group", "names", "sd", "corr", "cov")


class ComponentParameter(NamedTuple):
    """
    A standard deviation or correlation of a covariance structure.

    Attributes
    ----------
    kind : {"sd", "cor"}
    effects : tuple of str
        The effect, or the two effects of a correlation. Of a parameter that several effects share the name of
        the structure, and for a correlation its label.
    columns : tuple of int
        The effects as positions, none for a correlation that several pairs share.
    value : float
    fixed : bool
        Whether it is held at this value.
    """

    kind: str
    effects: tuple[str, ...]
    columns: tuple[int, ...]
    value: float
    fixed: bool = False


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
        Standard deviations, in units of the response (or linear predictor) per unit of the column.
    corr : ndarray, shape (k, k)
        Correlations. NaN where there is none: with an effect of zero variance, and between the
        effects of a double-bar term, which are independent by assumption.
    cov : ndarray, shape (k, k)
        Covariance matrix.
    independent : bool
        Whether the structure has no correlations, as with a double bar.
    structure : str
        Name of the covariance structure.
    parameters : tuple of ComponentParameter
        What the covariance matrix is made of: standard deviations, then correlations.
    """

    group: str
    names: tuple[str, ...]
    sd: NDArray[np.float64]
    corr: NDArray[np.float64]
    cov: NDArray[np.float64]
    independent: bool = False
    structure: str = "us"
    parameters: tuple[ComponentParameter, ...] = ()

    def __getitem__(self, key: str) -> Any:
        if key not in _KEYS:
            raise KeyError(f"no entry {key!r}; the entries are: {', '.join(_KEYS)}")
        return getattr(self, key)

    def keys(self) -> tuple[str, ...]:
        """
        Names of the entries, as of a dict.

        Returns
        -------
        tuple of str
        """
        return _KEYS

    def __iter__(self) -> Iterator[str]:
        return iter(_KEYS)

    def __contains__(self, key: object) -> bool:
        return key in _KEYS


def variance_components(fitted: FittedModel) -> tuple[VarianceComponent, ...]:
    """The covariance matrix σ²λλ' of each term; for a generalized model σ = 1."""
    sigma, result = fitted.scale, []
    for t, (term, part) in enumerate(slices(fitted.design)):
        theta = fitted.estimates.theta[part]
        factor = term.structure.factor(theta)
        independent = not term.structure.correlated and len(term.names) > 1
        sd = sigma * np.sqrt(np.sum(np.square(factor), axis=1))
        result.append(
            VarianceComponent(
                group=term.group.label,
                names=term.names,
                sd=read_only(sd),
                corr=read_only(_correlations(factor, independent)),
                cov=read_only(sigma**2 * factor @ factor.T),
                independent=independent,
                structure=term.covariance,
                parameters=_parameters(
                    term, theta, sigma, {i for own, i, _ in fitted.held.natural if own == t}
                ),
            )
        )
    return tuple(result)


def _parameters(
    term: RandomTerm, theta: NDArray[np.float64], sigma: float, held: set[int]
) -> tuple[ComponentParameter, ...]:
    structure = term.structure
    return tuple(
        [
            ComponentParameter(
                kind, effects, part.columns, value * sigma if kind == "sd" else value, i in held
            )
            for i, ((kind, effects), part, value) in enumerate(
                zip(
                    structure.effects(term.names),
                    structure.parameters,
                    structure.natural(theta).tolist(),
                    strict=True,
                )
            )
        ]
    )


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
