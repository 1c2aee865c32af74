"""The states of models that were loaded from a file without their data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ..design import theta as theta_layout
from ..design.without_data import REASON
from ..errors import NoDataError
from .fitted_generalized import FittedGeneralized
from .fitted_linear import FittedLinear
from .fixed import embedded
from .state import NewTerms


@dataclass(frozen=True)
class GivenValues:
    """In the place of an argument that had a value for each row, which a file does not have."""


@dataclass(frozen=True, eq=False)
class Condensed:
    """
    Rows with the same weighted cross-products as those of a fit: as many for each combination of levels as
    there are different columns, or fewer.

    Attributes
    ----------
    values : ndarray, shape (m, c + 1)
        The different columns of X and of the terms; last a response.
    cells : ndarray of int, shape (m,)
        The combination of levels of each row.
    codes : ndarray of int, shape (n_cells, n_terms)
        The levels of each combination.
    x : ndarray of int, shape (rank,)
        The column of each coefficient that is estimated.
    z : tuple of ndarray of int
        Likewise for each term.
    """

    values: NDArray[np.float64]
    cells: NDArray[np.int64]
    codes: NDArray[np.int64]
    x: NDArray[np.int64]
    z: tuple[NDArray[np.int64], ...]

    def engine(self, design: Any) -> Any:
        """The engine's model of these rows: for estimates and variances given theta."""
        from .._engine import Lmm

        terms = []
        for t, term in enumerate(design.terms):
            times = None if term.times is None else list(term.times)
            codes = self.codes[self.cells, t].astype(np.uint32)
            z = np.ascontiguousarray(self.values[:, self.z[t]])
            terms.append((codes, len(term.group.levels), z, term.covariance, times))
        x = np.asfortranarray(self.values[:, self.x])
        return Lmm(np.ascontiguousarray(self.values[:, -1]), x, terms, None, None)


@dataclass(frozen=True, eq=False)
class Stored:
    """
    What a file has beside the estimates.

    Attributes
    ----------
    content : bytes
        The file.
    condensed : Condensed or None
        None where it would be too large.
    """

    content: bytes
    condensed: Condensed | None


class WithoutData:
    """What a state without data answers in another way, or cannot answer."""

    stored: Stored
    opened: Callable[[bytes], Any]

    def __repr__(self) -> str:
        fitted: Any = self
        return f"{type(self).__name__}({fitted.design.formula.text!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return self.opened, (self.stored.content,)

    @property
    def engine(self) -> NoReturn:
        raise NoDataError(REASON)

    @property
    def linear_predictor(self) -> NoReturn:
        raise NoDataError(REASON)

    @property
    def mean(self) -> NoReturn:
        raise NoDataError(REASON)

    def prediction_variances(
        self, x: NDArray[np.float64], terms: NewTerms, coefficients: bool = True
    ) -> NDArray[np.float64]:
        fitted: Any = self
        own = fitted.estimates
        none = np.iinfo(np.uint32).max
        if not any((codes != none).any() for codes, _ in terms):
            part = x[:, own.kept]
            covariance = fitted.conditional_covariance()
            return np.einsum("ij,jk,ik->i", part, covariance, part) if coefficients else np.zeros(len(x))
        from .._engine import prediction_variances

        engine = fitted.derived(_condensed_engine)
        found = prediction_variances(engine, own.theta, x[:, own.free], terms, coefficients)
        return fitted.scale**2 * found

    def _level_variances(self) -> list[tuple[list[int], NDArray[np.float64]]]:
        fitted: Any = self
        blocks = fitted.derived(_condensed_engine).conditional_variances(
            fitted.estimates.theta, fitted.restricted
        )
        return [(members, fitted.scale**2 * values) for members, values in blocks]


def effects_from(design: Any, estimates: Any) -> tuple[NDArray[np.float64], ...]:
    """b = Λu of each term."""
    factors = theta_layout.factors(design, estimates.theta)
    return tuple([u @ factor.T for u, factor in zip(estimates.u, factors, strict=True)])


def _condensed_engine(fitted: Any) -> Any:
    condensed = fitted.stored.condensed
    if condensed is None:
        raise NoDataError(
            "the file does not have what variances of the levels' effects need, as it would be too large: "
            "load the model with its data, load(path, data=data); predictions for new groups "
            "(re_form=NA) have standard errors without them"
        )
    return condensed.engine(fitted.design)


@dataclass(frozen=True, eq=False, repr=False)
class LinearWithoutData(WithoutData, FittedLinear):
    """A fitted linear model without its data."""

    stored: Any = field(default=None, kw_only=True)
    opened: Any = field(default=None, kw_only=True)

    def at(self, theta: NDArray[np.float64], beta: NDArray[np.float64], dispersion: float) -> Any:
        """Without the objective, and without the parts of it that depend on the weights."""
        engine, own = self.derived(_condensed_engine), self.estimates
        found = engine.evaluate(theta, self.reml)
        estimates = dataclasses.replace(
            own,
            theta=theta,
            objective=np.nan,
            sigma=float(np.sqrt(dispersion)),
            beta=own.with_free(found["beta"]),
            unscaled_covariance=embedded(found["xtvx_inv"], own.kept, own.held),
            b=tuple(found["b"]),
            u=tuple(found["u"]),
        )
        other = dataclasses.replace(self, estimates=estimates)
        other.know(self.held, None)
        other._results[_condensed_engine] = engine
        return other


@dataclass(frozen=True, eq=False, repr=False)
class GeneralizedWithoutData(WithoutData, FittedGeneralized):
    """A fitted generalized model without its data."""

    stored: Any = field(default=None, kw_only=True)
    opened: Any = field(default=None, kw_only=True)

    def at(self, theta: NDArray[np.float64], beta: NDArray[np.float64], dispersion: float) -> NoReturn:
        raise NoDataError(REASON)
