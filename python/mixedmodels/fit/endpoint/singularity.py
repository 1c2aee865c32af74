"""Which estimated covariance matrices are singular, whatever the units of the data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...covariance import Parameter
from ...design import Predictors, RandomTerm
from ...design.theta import factors, slices
from ...wording import listed

TOLERANCE = 1e-5
# Smaller pivots of a reduced matrix are rounding.
_NO_PIVOT = 1e-8
# Below this share of the largest singular value only rounding is left.
_ROUNDING = 1e-13
# A standard deviation of less, relative to sigma, is reported as zero.
_ROUNDING_SD = 1e-9
# Effects and combinations that a message shows; of more it says how many there are.
_SHOWN = 5
# Correlations as near to a bound as those of singular terms are.
_NEAR_BOUND = 1e-6
# Coefficients of a combination below this share of the largest are left out where that changes nothing.
_SMALL = 0.01


@dataclass(frozen=True)
class SingularTerm:
    """A random-effects term whose covariance matrix is singular, how it shows, and what to do."""

    text: str
    reason: str
    remedy: str
    # Whether it follows from values that were held.
    fixed: bool = False

    def __str__(self) -> str:
        return f"{self.text}: {self.reason}" + (f"; {self.remedy}" if self.remedy else "")


class KnownSingularity(NamedTuple):
    """
    What held values say of a singular term.

    Attributes
    ----------
    zeros : frozenset of int
        The effects whose standard deviation is held at zero.
    whole : bool
        Whether the held values alone make the term as singular as it is.
    """

    zeros: frozenset[int] = frozenset()
    whole: bool = False


_NOTHING_KNOWN = KnownSingularity()


@dataclass(frozen=True)
class Combination:
    """
    A combination of the effects of a term.

    Attributes
    ----------
    names : tuple of str
        Of the effects in it.
    weights : tuple of float
        In the units of the effects, that of the first one.
    sd : float
        Its standard deviation.
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]
    sd: float

    def __str__(self) -> str:
        text = ""
        for name, weight in zip(self.names[:_SHOWN], self.weights, strict=False):
            size = "" if math.isclose(abs(weight), 1.0) else f"{abs(weight):.3g}*"
            sign = "-" if weight < 0 else "+"
            text += f" {sign} {size}{name}" if text else f"{'-' if weight < 0 else ''}{size}{name}"
        return text if len(self.names) <= _SHOWN else f"{text} + ... ({len(self.names)} effects)"


def singular_terms(
    design: Predictors,
    theta: NDArray[np.float64],
    roots: tuple[NDArray[np.float64], ...],
    tol: float = TOLERANCE,
    scale: float = 1.0,
    known: Mapping[int, KnownSingularity] | None = None,
) -> tuple[SingularTerm, ...]:
    """
    The terms with a direction of (nearly) zero variance.

    With λ the relative covariance factor and R'R = Z'WZ/n, the singular values of Rλ are the standard
    deviations that the term adds to the response along its principal directions, relative to σ (to 1,
    on the linear predictor, for a generalized model). They
    do not change with the units of z or the choice of its basis. A term is singular when the least is
    below `tol`; for a random intercept that is lme4's rule. Their standard deviations are reported in units
    of `scale`. Of terms with parameters that are held, by position, `known` says what follows from these.
    """
    found = []
    for t, ((term, part), root) in enumerate(zip(slices(design), roots, strict=True)):
        factor = term.structure.factor(theta[part])
        if len(term.blocks) == 1 and _regular(root.dot(factor), root, factor, tol):
            continue
        if not _is_singular(term, factor, root, tol):
            continue
        own = (known or {}).get(t, _NOTHING_KNOWN)
        if not term.blocks:
            found.append(_at_bounds(term, factor, root, theta[part], tol, own))
            continue
        combinations = _combinations(term, factor, root, max(tol, _ROUNDING * _largest(root @ factor)))
        found.append(_described(term, [scaled(part, scale) for part in combinations], own))
    return tuple(found)


def scaled(part: Combination, scale: float) -> Combination:
    """The combination with its standard deviation times a factor."""
    return replace(part, sd=scale * part.sd)


def boundary_directions(
    design: Predictors,
    theta: NDArray[np.float64],
    roots: tuple[NDArray[np.float64], ...],
    known: Mapping[int, KnownSingularity] | None = None,
) -> list[str]:
    """The combinations of effects without any variance, in words, but for what held values say."""
    found = []
    for t, ((term, part), root) in enumerate(zip(slices(design), roots, strict=True)):
        factor = term.structure.factor(theta[part])
        if (known or {}).get(t, _NOTHING_KNOWN).whole or term.structure.interior(theta[part]).all():
            continue
        if not term.blocks:
            found += _zeros(term, factor, theta[part])
            continue
        found += [
            f"the variance of {part} within {term.group.label}"
            for part in _combinations(term, factor, root, _ROUNDING * max(1.0, _largest(root @ factor)))
        ]
    return found


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
    if not term.structure.correlated:
        return np.asarray((_sizes(factor, root) < tol).any(axis=-1))
    # A column of Z without an entry (R has a zero row) says nothing against the covariance matrix.
    values = np.linalg.svd(root @ factor, compute_uv=False)
    regular = values[..., -1] >= np.maximum(tol, _ROUNDING * values[..., 0])
    own = np.linalg.norm(factor, axis=-1) if not term.blocks else np.diagonal(factor, axis1=-2, axis2=-1)
    return ~(regular & (own != 0.0).all(axis=-1))


def _sizes(factor: NDArray[np.float64], root: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each column of a term adds to the response, by its own standard deviation, relative to sigma."""
    return np.linalg.norm(factor, axis=-1) * np.linalg.norm(root, axis=0)


def _largest(matrix: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(matrix, 2))


def _combinations(
    term: RandomTerm, factor: NDArray[np.float64], root: NDArray[np.float64], tol: float
) -> list[Combination]:
    """
    The combinations of effects with a standard deviation below `tol`, relative to sigma.

    With Rλ = USV', the effects c'b with c = R'u have the standard deviations s; several of them are combined
    so that each has as few effects as possible.
    """
    k, units = len(term.names), np.linalg.norm(root, axis=0)
    if not term.structure.correlated:
        small = np.eye(k)[(_sizes(factor, root) < tol) | (units == 0)]
    else:
        left, values, _ = np.linalg.svd(root @ factor)
        small = left[:, values < tol].T @ root / np.where(units > 0, units, 1.0)
    result = []
    for whole in _reduced(small):
        row = _sparse(whole, units[:, None] * factor, tol)
        # What contributes most to the response comes first.
        used = np.argsort(-np.abs(row), kind="stable")[: np.count_nonzero(row)]
        first = used[0]
        size = np.linalg.norm((row * units) @ factor)
        unit = units[first] if units[first] > 0 else 1.0
        weights = row * units / (row[first] * unit) if len(used) > 1 else (row != 0).astype(float)
        result.append(
            Combination(
                tuple(term.names[j] for j in used),
                tuple(weights[used].tolist()),
                0.0 if size < _ROUNDING_SD else float(np.linalg.norm(weights @ factor)),
            )
        )
    return sorted(result, key=lambda part: term.names.index(part.names[0]))


def _at_bounds(
    term: RandomTerm,
    factor: NDArray[np.float64],
    root: NDArray[np.float64],
    theta: NDArray[np.float64],
    tol: float,
    known: KnownSingularity,
) -> SingularTerm:
    """A singular term by its natural parameters, some of which are at a bound."""
    reasons = _bounds_in_words(term, factor, root, theta, tol, known)
    if not reasons:
        reasons = ["the correlations are at the limit of what a covariance matrix allows"]
    remedy = "use a structure with fewer parameters"
    if all(bound == part.upper for part, _, bound in _correlations_at_bounds(term, theta)):
        remedy += f", such as (1 | {term.group.label})"
    if not (_sizes(factor, root) >= tol).any():
        remedy = "leave out the term"
    return SingularTerm(term.text, ", ".join(reasons), "" if known.whole else remedy, known.whole)


def _bounds_in_words(
    term: RandomTerm,
    factor: NDArray[np.float64],
    root: NDArray[np.float64],
    theta: NDArray[np.float64],
    tol: float,
    known: KnownSingularity,
) -> list[str]:
    """Which standard deviations are zero and which correlations at a bound."""
    found = []
    small = np.flatnonzero(_sizes(factor, root) < tol).tolist()
    if len(small) == term.structure.k:
        return [f"variance {'fixed at' if known.zeros.issuperset(small) else 'estimated as'} zero"]
    found += _zero_variances([term.names[j] for j in small if j in known.zeros], "fixed at")
    found += _zero_variances([term.names[j] for j in small if j not in known.zeros], "estimated as")
    verb = "fixed at" if known.whole else "estimated as"
    for part, what, bound in _correlations_at_bounds(term, theta):
        side = "upper" if bound == part.upper else "lower"
        found.append(f"{what} {verb} {bound:.3g}, its {side} bound")
    return found


def _correlations_at_bounds(
    term: RandomTerm, theta: NDArray[np.float64]
) -> Iterator[tuple[Parameter, str, float]]:
    structure = term.structure
    effects = dict(zip(structure.parameters, structure.effects(term.names), strict=True))
    for part, bound in structure.at_bound(theta, _NEAR_BOUND):
        _, names = effects[part]
        yield part, names[1] if part.shared else f"the correlation of {names[0]} and {names[1]}", bound


def _zeros(term: RandomTerm, factor: NDArray[np.float64], theta: NDArray[np.float64]) -> list[str]:
    """Variances, and distances of correlations from their bounds, that are zero, in words."""
    gone = [name for name, row in zip(term.names, factor, strict=True) if not row.any()]
    if len(gone) == len(term.names):
        return [f"the variance of {term.text}"]
    found = [f"the variance of {name} in {term.text}" for name in gone]
    for part, what, bound in _correlations_at_bounds(term, theta):
        size = f"{abs(bound):.3g}"
        distance = f"{size} - {what}" if bound == part.upper else f"{what} {'+' if bound < 0 else '-'} {size}"
        found.append(f"{distance} in {term.text}")
    return found or [f"a direction of the covariance matrix in {term.text}"]


def _reduced(rows: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """Rows with the same span, each with a one where the others have zeros."""
    rows = rows.copy()
    done: list[int] = []
    for _ in range(len(rows)):
        open_rows = [i for i in range(len(rows)) if i not in done]
        i, j = divmod(int(np.argmax(np.abs(rows[open_rows]))), rows.shape[1])
        i = open_rows[i]
        if abs(rows[i, j]) < _NO_PIVOT:
            break
        rows[i] /= rows[i, j]
        for other in range(len(rows)):
            if other != i:
                rows[other] -= rows[other, j] * rows[i]
        done.append(i)
    return [rows[i] for i in sorted(done)]


def _sparse(row: NDArray[np.float64], root: NDArray[np.float64], tol: float) -> NDArray[np.float64]:
    """The row without its small entries, if its product with `root` stays below the tolerance then."""
    shorter = np.where(np.abs(row) < _SMALL * np.abs(row).max(), 0.0, row)
    return shorter if np.linalg.norm(shorter @ root) < tol else row


def _zero_variances(names: Sequence[str], verb: str) -> list[str]:
    if not names:
        return []
    return [f"variance{'s' * (len(names) > 1)} of {listed(list(names), most=_SHOWN)} {verb} zero"]


def _described(
    term: RandomTerm, combinations: Sequence[Combination], known: KnownSingularity
) -> SingularTerm:
    singles = [part.names[0] for part in combinations if len(part.names) == 1]
    others = [part for part in combinations if len(part.names) > 1]
    zero = [term.names[j] for j in known.zeros]
    reasons = _zero_variances([name for name in singles if name in zero], "fixed at")
    reasons += _zero_variances([name for name in singles if name not in zero], "estimated as")
    verb = "fixed at" if known.whole else "estimated as"
    shown_others = others if len(others) <= 3 else others[:2]
    for part in shown_others:
        shown = f"{part} has standard deviation {part.sd:.2g}"
        if len(term.names) == 2:
            sign = "+1" if part.weights[0] * part.weights[1] < 0 else "-1"
            shown = f"correlation of {term.names[0]} and {term.names[1]} {verb} {sign} ({shown})"
        reasons.append(shown)
    if len(shown_others) < len(others):
        reasons.append(f"and {len(others) - len(shown_others)} other combinations nearly 0")
    if not reasons:
        reasons.append("columns of the term are linearly dependent, as far as their digits tell")
    if known.whole:
        remedy = ""
    elif len(singles) == len(term.names):
        remedy = "leave out the term"
    elif others:
        used = dict.fromkeys(name for part in others for name in part.names)
        remedy = f"drop one of the effects {', '.join(used)} or make them independent (||)"
        if len(used) > _SHOWN:
            remedy = "drop some of its effects, make them independent (||) or leave out the term"
    elif len(singles) > _SHOWN:
        remedy = "drop these from the term or leave it out"
    else:
        remedy = f"drop {' and '.join(singles) or 'some'} from the term"
        if not singles:
            remedy += ", or center covariates that are far from 0"
    return SingularTerm(term.text, ", ".join(reasons), remedy, known.whole)
