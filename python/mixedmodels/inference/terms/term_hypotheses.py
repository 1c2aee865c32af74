"""
The hypotheses about the coefficients that belong to a term: types I, II and III.

The definitions follow Goodnight (1980), "Tests of hypotheses in fixed effects linear models", and
speak of the columns that the terms have when factors are coded by all their levels. So they do not depend on
the contrasts of the fit, and empty cells are allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...design import INTERCEPT, AllLevels, CodedTerm, all_levels
from ...fit.state import FittedModel

# Singular values below this share of the largest one count as zero.
_TOLERANCE = 1e-8

# Whether the second term contains the first.
Containment = Callable[[CodedTerm, CodedTerm], bool]


def contained(inner: CodedTerm, outer: CodedTerm) -> bool:
    """Whether the terms have the same numeric variables and `outer` has more factors (SAS's rule)."""
    return inner.numeric == outer.numeric and inner.factors < outer.factors


def marginal(inner: CodedTerm, outer: CodedTerm) -> bool:
    """Whether `outer` has all variables of `inner`, and more (the principle of marginality)."""
    return inner.factors | inner.numeric < outer.factors | outer.numeric


@dataclass(frozen=True, eq=False)
class TermHypotheses:
    """
    The hypotheses Lβ = 0 of the terms of a fit.

    Parameters
    ----------
    fitted : FittedModel
    """

    fitted: FittedModel

    @property
    def labels(self) -> list[str]:
        """The terms that can be tested: all but the intercept and those with coefficients that are held."""
        return [term.label for term in self._terms]

    def named(self, text: Any) -> Any:
        """The label of the term that a text names, which may quote a name as formulas do; else the text."""
        if isinstance(text, str) and text not in self.labels:
            plain = text.replace("`", "")
            return plain if plain in self.labels else text
        return text

    @property
    def notes(self) -> list[str]:
        """Which terms are not tested as coefficients of theirs are held."""
        left_out = self._held
        return [f"Not tested, because coefficients are fixed: {', '.join(left_out)}"] if left_out else []

    @property
    def _held(self) -> list[str]:
        held, columns = self.fitted.estimates.held, dict(self.fitted.design.x_terms)
        return [
            label
            for label, own in columns.items()
            if label != INTERCEPT and ((held >= own.start) & (held < own.stop)).any()
        ]

    def type_1(self, root: NDArray[np.float64] | None = None) -> list[NDArray[np.float64]]:
        """
        Each term after those before it.

        Parameters
        ----------
        root : ndarray, shape (rank, rank), optional
            R with R'R the information of the coefficients; of X'X by default.

        Returns
        -------
        list of ndarray, shape (df, rank)
            None of the rows for a term that those before it span.
        """
        root = self._upper(root) * self._sizes
        # Doolittle's factor, with a diagonal of ones.
        root = root / np.diag(root)[:, None]
        kept = self.fitted.estimates.kept
        columns = dict(self.fitted.design.x_terms)
        return [root[(kept >= columns[label].start) & (kept < columns[label].stop)] for label in self.labels]

    def type_2(
        self, contains: Containment, root: NDArray[np.float64] | None = None
    ) -> list[NDArray[np.float64]]:
        """Each term after all others that do not contain it, see `type_1`."""
        root = self._upper(root)
        result = []
        for term in self._terms:
            others = [o for o in self._all.terms if o is not term and not contains(term, o)]
            before, own = self._columns(others), self._columns([term])
            # The information in the term's columns that the columns of the others do not have.
            basis = _column_basis(root @ before)
            rest = root @ own
            rest = rest - basis @ (basis.T @ rest)
            found = _column_basis(rest, largest=_largest(root @ own)).T @ root
            # Orthonormal as functions of the coefficients of all levels, like those of type III:
            # Satterthwaite's degrees of freedom depend a little on the choice of rows.
            triangle = _triangle((found @ self._scaled).T)
            result.append(np.linalg.solve(triangle.T, found) * self._sizes)
        return result

    def type_3(self) -> list[NDArray[np.float64]]:
        """
        Each term's part of what can be estimated in it and in the terms that contain it: that which is
        orthogonal to what can be estimated in those alone.

        Returns
        -------
        list of ndarray, shape (df, rank)
        """
        rows = _row_basis(self._scaled)
        back = np.linalg.pinv(self._scaled, rcond=_TOLERANCE)
        result = []
        for term in self._terms:
            above = [o for o in self._all.terms if o is term or contained(term, o)]
            outside = np.ones(rows.shape[1], dtype=bool)
            for other in above:
                outside[other.columns] = False
            functions = left_null(rows[:, outside]).T @ rows
            own = functions[:, term.columns]
            result.append(_column_basis(own, largest=1.0).T @ functions @ back * self._sizes)
        return result

    def without(self, *labels: str) -> NDArray[np.float64]:
        """The coefficients of a basis of what the other terms span, shape (rank, dimension)."""
        return self._others(labels) / self._sizes[:, None]

    def dropped(self, label: str) -> NDArray[np.float64]:
        """The hypothesis that a term can be left out: L of shape (df, rank)."""
        return left_null(self._others([label])).T * self._sizes

    def droppable(self) -> list[str]:
        """The terms that are not marginal to others."""
        return [label for label in self.labels if not self.containing(label)]

    def containing(self, label: str) -> list[str]:
        """The terms to which this one is marginal."""
        (own,) = [term for term in self._all.terms if term.label == label]
        return [term.label for term in self._all.terms if marginal(own, term)]

    @property
    def _terms(self) -> list[CodedTerm]:
        left_out = self._held
        return [term for term in self._all.terms if term.label != INTERCEPT and term.label not in left_out]

    @property
    def _all(self) -> AllLevels:
        return self.fitted.derived(_coding)

    def _others(self, labels: Sequence[str]) -> NDArray[np.float64]:
        return _column_basis(self._columns([term for term in self._all.terms if term.label not in labels]))

    @property
    def _sizes(self) -> NDArray[np.float64]:
        return self.fitted.derived(_column_sizes)

    @property
    def _scaled(self) -> NDArray[np.float64]:
        return self.fitted.derived(_scaled_coding)

    def _columns(self, terms: list[CodedTerm]) -> NDArray[np.float64]:
        return np.hstack([np.zeros((len(self._scaled), 0)), *(self._scaled[:, t.columns] for t in terms)])

    def _upper(self, root: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """The triangular root of the information in the scaled columns; of their products by default."""
        if root is None:
            return self.fitted.derived(_root_of_x)
        return _triangle(root / self._sizes)


def _coding(fitted: FittedModel) -> AllLevels:
    return all_levels(fitted.design.recipe)


def _column_sizes(fitted: FittedModel) -> NDArray[np.float64]:
    """Root mean squares of the kept columns of x: the unit of what they multiply, for the numerics."""
    return np.sqrt(np.mean(fitted.design.x[:, fitted.estimates.kept] ** 2, axis=0))


def _scaled_coding(fitted: FittedModel) -> NDArray[np.float64]:
    """
    The coding by all levels as combinations of the kept columns of x, divided by their sizes.

    Numeric variables are divided by their root mean square, so that no test depends on their units.
    """
    design, kept = fitted.design, fitted.estimates.kept
    coding, sizes = fitted.derived(_coding), fitted.derived(_column_sizes)
    result = coding.coefficients[kept]
    if len(kept) < design.x.shape[1]:
        dropped = np.setdiff1d(np.arange(design.x.shape[1]), kept)
        shares = np.linalg.lstsq(design.x[:, kept] / sizes, design.x[:, dropped], rcond=None)[0]
        result = result + shares / sizes[:, None] @ coding.coefficients[dropped]
    result = result * sizes[:, None]
    for term in coding.terms:
        if not term.numeric:
            continue
        part = result[:, term.columns]
        for j in range(term.numeric_column.max() + 1):
            chosen = term.numeric_column == j
            # The levels' columns add up to the product of the numeric variables.
            product = design.x[:, kept] @ (part[:, chosen].sum(axis=1) / sizes)
            part[:, chosen] /= max(float(np.sqrt(np.mean(product**2))), np.finfo(float).tiny)
    return result


def _root_of_x(fitted: FittedModel) -> NDArray[np.float64]:
    # Not by the cross-products, which lose half of the digits of nearly dependent columns.
    x = fitted.design.x[:, fitted.estimates.kept]
    return _triangle(x / fitted.derived(_column_sizes))


def _triangle(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The upper triangular R with R'R = A'A."""
    return np.asarray(np.linalg.qr(matrix, mode="r"), dtype=np.float64)


def _largest(matrix: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(matrix, 2)) if matrix.size else 0.0


def _column_basis(matrix: NDArray[np.float64], largest: float | None = None) -> NDArray[np.float64]:
    """An orthonormal basis of the columns; `largest` is what singular values are small compared with."""
    if not matrix.size:
        return np.zeros((len(matrix), 0))
    left, values, _ = np.linalg.svd(matrix, full_matrices=False)
    return left[:, values > _TOLERANCE * (values[0] if largest is None else largest)]


def _row_basis(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    return _column_basis(matrix.T).T


def left_null(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """An orthonormal basis of the combinations of rows that vanish, shape (rows, dimension)."""
    if not matrix.size:
        return np.eye(len(matrix))
    left, values, _ = np.linalg.svd(matrix, full_matrices=True)
    return left[:, np.count_nonzero(values > _TOLERANCE * max(1.0, values[0])) :]
