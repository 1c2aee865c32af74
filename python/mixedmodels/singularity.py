"""Which estimated covariance matrices are singular, whatever the units of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .design import Predictors, RandomTerm
from .theta import factors

TOLERANCE = 1e-5
# Below this share of the largest singular value only rounding is left.
_ROUNDING = 1e-13
# Above this share of its sum of squares beside earlier columns a column keeps half the digits.
_INDEPENDENT = 1e-8
# Squares below this have lost digits to underflow.
_LEAST = 1e-290


@dataclass(frozen=True)
class SingularTerm:
    """A random-effects term whose covariance matrix is singular, and how it shows."""

    text: str
    reason: str

    def __str__(self) -> str:
        return f"{self.text}: {self.reason}"


def term_roots(design: Predictors, weights: NDArray[np.float64] | None) -> tuple[NDArray[np.float64], ...]:
    """For each term the triangular R with R'R = Z'WZ/n, shape (k, k)."""
    return tuple([_root(term.z, weights) for term in design.terms])


def _root(z: NDArray[np.float64], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    n = len(z)
    with np.errstate(over="ignore", invalid="ignore"):
        # Not by BLAS: its threads would go on waiting for work, on the cores that the fit needs next.
        products = np.einsum("ij,ik->jk", z, z if weights is None else z * weights[:, None]) / n
    root = _cholesky(products.tolist())
    if root is None:
        root = np.linalg.qr(z if weights is None else z * np.sqrt(weights)[:, None], mode="r") / np.sqrt(n)
    root.flags.writeable = False
    return root


def _cholesky(products: list[list[float]]) -> NDArray[np.float64] | None:
    """
    The triangular root of Z'WZ/n; None when columns are so nearly dependent that digits would be lost.

    In plain numbers, for in a small matrix the calls of array functions would outweigh the work.
    """
    rows: list[list[float]] = []
    for j, own in enumerate(products):
        rest = own[j] - sum([row[j] * row[j] for row in rows])
        if not (_LEAST < own[j] < math.inf and rest > _INDEPENDENT * own[j]):
            return None
        pivot = math.sqrt(rest)
        right = [(own[i] - sum([row[j] * row[i] for row in rows])) / pivot for i in range(j + 1, len(own))]
        rows.append([0.0] * j + [pivot] + right)
    return np.array(rows)


def singular_terms(
    design: Predictors,
    theta: NDArray[np.float64],
    roots: tuple[NDArray[np.float64], ...],
    tol: float = TOLERANCE,
) -> tuple[SingularTerm, ...]:
    """
    The terms with a direction of (nearly) zero variance.

    With λ the relative covariance factor and R'R = Z'WZ/n, the singular values of Rλ are the standard
    deviations that the term adds to the response along its principal directions, relative to σ (to 1,
    on the linear predictor, for a generalized model). They
    do not change with the units of z or the choice of its basis. A term is singular when the least is
    below `tol`; for a random intercept that is lme4's rule.
    """
    found = []
    for term, factor, root in zip(design.terms, factors(design, theta), roots, strict=True):
        if term.covariance != "diagonal" and _regular(root.dot(factor), root, factor, tol):
            continue
        if not _is_singular(term, factor, root, tol):
            continue
        zero = [name for name, size in zip(term.names, _sizes(factor, root), strict=True) if size < tol]
        found.append(SingularTerm(term.text, _no_variance(zero) if zero else _degenerate(term.names)))
    return tuple(found)


def singular_fits(
    design: Predictors, theta: NDArray[np.float64], roots: tuple[NDArray[np.float64], ...]
) -> NDArray[np.bool_]:
    """Whether `singular_terms` finds any, for each row of thetas of shape (m, n_theta)."""
    found = np.zeros(len(theta), dtype=bool)
    for term, factor, root in zip(design.terms, factors(design, theta), roots, strict=True):
        found |= _is_singular(term, factor, root, TOLERANCE)
    return found


def _regular(
    product: NDArray[np.float64], root: NDArray[np.float64], factor: NDArray[np.float64], tol: float
) -> bool:
    """
    Whether the determinant alone shows that Rλ is regular, which spares most fits the singular values.

    The least singular value is |det| over the product of the others, which the inequality of the
    arithmetic and geometric means bounds by the sum of their squares.
    """
    k = len(product)
    largest = math.sqrt(np.vdot(product, product))
    least = abs(math.prod(root.diagonal().tolist()) * math.prod(factor.diagonal().tolist()))
    if k > 1 and largest > 0.0:
        least /= (largest / math.sqrt(k - 1)) ** (k - 1)
    return 0.0 < least >= max(tol, _ROUNDING * largest)


def _is_singular(
    term: RandomTerm, factor: NDArray[np.float64], root: NDArray[np.float64], tol: float
) -> NDArray[np.bool_]:
    """For one factor of shape (k, k), or each of a stack of them."""
    if term.covariance == "diagonal" or len(term.names) == 1:
        return np.asarray((_sizes(factor, root) < tol).any(axis=-1))
    # A column of Z without an entry (R has a zero row) says nothing against the covariance matrix.
    values = np.linalg.svd(root @ factor, compute_uv=False)
    regular = values[..., -1] >= np.maximum(tol, _ROUNDING * values[..., 0])
    return ~(regular & (np.diagonal(factor, axis1=-2, axis2=-1) != 0.0).all(axis=-1))


def _sizes(factor: NDArray[np.float64], root: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each column of a term adds to the response, by its own standard deviation, relative to sigma."""
    return np.linalg.norm(factor, axis=-1) * np.linalg.norm(root, axis=0)


def _no_variance(names: list[str]) -> str:
    what = "variance" if len(names) == 1 else "variances"
    return f"{what} of {', '.join(names)} estimated as zero"


def _degenerate(names: tuple[str, ...]) -> str:
    if len(names) == 2:
        return f"correlation of {names[0]} and {names[1]} estimated as +1 or -1"
    return "random effects perfectly correlated in some direction"
