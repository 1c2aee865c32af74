"""Contrasts of k means: their coefficients and names."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import flag
from ..design import make_contrast
from ..errors import ArgumentError
from ..inference.hypotheses.labelled_weights import weight_rows

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Contrasts:
    """
    Contrasts of k means.

    Attributes
    ----------
    names : tuple of str
    weights : ndarray, shape (m, k)
    adjust : str
        Their usual adjustment.
    pairwise : bool
        Whether they are all differences of two.
    """

    names: tuple[str, ...]
    weights: Values
    adjust: str
    pairwise: bool = False


def make_contrasts(
    method: Any,
    labels: Sequence[str],
    ratios: bool,
    ref: Any = None,
    reverse: bool = False,
    values: Sequence[str] | None = None,
) -> Contrasts:
    """
    The contrasts of means with these labels.

    Parameters
    ----------
    method : str, mapping of str to weights, or array-like of shape (m, k)
        See :meth:`Emmeans.contrast`.
    labels : sequence of str, length k
    ratios : bool
        Whether differences are shown as ratios, for the names.
    ref : str or int, optional
        The control of ``"trt.vs.ctrl"`` (``"dunnett"``): its label or position; by default the first.
    reverse : bool
        Take differences with the opposite sign.
    values : sequence of str, length k, optional
        The levels as tables show them, which also name the means: "2" for "period2".
    """
    others = dict(zip(values or labels, labels, strict=True))
    flag("reverse", reverse)
    if isinstance(method, str):
        name, other_way, position = _SYNONYMS.get(method, (method, False, None))
        if name not in _DIFFERENCES and name not in _METHODS:
            known = ", ".join(map(repr, [*_DIFFERENCES, *_METHODS, *_SYNONYMS]))
            raise ArgumentError(f"method must be one of {known}, a mapping or a matrix, not {method!r}")
        if ref is not None and not takes_control(method):
            raise ArgumentError("ref= is for method='trt.vs.ctrl'")
        if reverse and name not in _DIFFERENCES:
            raise ArgumentError(f"reverse= is for differences of two means, not for method={method!r}")
        if name in _DIFFERENCES:
            base = (position or 0) % len(labels) if ref is None else _position(ref, labels, others)
            return _differences(name, labels, " / " if ratios else " - ", base, reverse != other_way)
        return _METHODS[name](labels)
    if ref is not None:
        raise ArgumentError("ref= is for method='trt.vs.ctrl', not for weights of your own")
    if reverse:
        raise ArgumentError("reverse= is for differences of two means, not for weights of your own")
    names, weights = _custom(method, labels, others)
    if weights.ndim != 2 or weights.shape[1] != len(labels):
        raise ArgumentError(
            f"a contrast needs {len(labels)} weights, one for each of {', '.join(labels)}; "
            f"got shape {weights.shape}"
        )
    return Contrasts(names, weights, "none")


def takes_control(method: Any) -> bool:
    """Whether the control of a method can be chosen by ``ref=``."""
    if not isinstance(method, str):
        return False
    name, _, position = _SYNONYMS.get(method, (method, False, None))
    return name == "trt.vs.ctrl" and position is None


def _differences(method: str, labels: Sequence[str], sign: str, base: int, reverse: bool) -> Contrasts:
    """Differences of two means: the first of each pair minus the second."""
    k = len(labels)
    if method == "pairwise":
        pairs = [(i, j) for i in range(k) for j in range(i + 1, k)]
    elif method == "consec":
        pairs = [(i + 1, i) for i in range(k - 1)]
    else:
        pairs = [(i, base) for i in range(k) if i != base]
    if reverse:
        pairs = [(j, i) for i, j in pairs]
    weights = np.zeros((len(pairs), k))
    for row, (i, j) in zip(weights, pairs, strict=True):
        row[i], row[j] = 1.0, -1.0
    names = tuple(f"{_enclosed(labels[i])}{sign}{_enclosed(labels[j])}" for i, j in pairs)
    return Contrasts(names, weights, _DIFFERENCES[method], method == "pairwise")


def _effects(labels: Sequence[str]) -> Contrasts:
    k = len(labels)
    return Contrasts(tuple(f"{label} effect" for label in labels), np.eye(k) - 1.0 / k, "fdr")


def _deleted_effects(labels: Sequence[str]) -> Contrasts:
    """Each mean minus the mean of the others."""
    k = len(labels)
    weights = (np.eye(k) * k - 1.0) / max(k - 1, 1)
    return Contrasts(tuple(f"{label} effect" for label in labels), weights, "fdr")


def _mean_changes(labels: Sequence[str]) -> Contrasts:
    """The mean of all that follow minus the mean of those up to each."""
    k = len(labels)
    weights = np.array(
        [[-1.0 / j if i < j else 1.0 / (k - j) for i in range(k)] for j in range(1, k)]
    ).reshape(-1, k)
    return Contrasts(tuple(f"{a}|{b}" for a, b in pairwise(labels)), weights, "mvt")


def _identity(labels: Sequence[str]) -> Contrasts:
    return Contrasts(tuple(labels), np.eye(len(labels)), "none")


def _polynomials(labels: Sequence[str]) -> Contrasts:
    """Orthogonal polynomials up to degree 6 in the numbers of the levels, in their smallest integers."""
    k = len(labels)
    if k < 2:
        return Contrasts((), np.zeros((0, k)), "none")
    matrix = make_contrast("poly", labels, "means").matrix
    assert matrix is not None
    weights = np.array([_smallest_integers(column) for column in matrix.T[:6]])
    names = [*_DEGREES, *(f"degree {d}" for d in range(5, 7))]
    return Contrasts(tuple(names[: len(weights)]), weights, "none")


def _smallest_integers(values: Values) -> Values:
    """Proportional integers; the values divided by the smallest one where these would be huge."""
    scaled = values / np.abs(values[np.abs(values) > 1e-9 * np.abs(values).max()]).min()
    for factor in range(1, 1000):
        whole = np.round(factor * scaled)
        if np.allclose(factor * scaled, whole, rtol=0, atol=1e-7 * factor):
            return whole + 0.0
    return scaled


# Differences of two means, with the adjustments that are usual for them.
_DIFFERENCES = {"pairwise": "tukey", "trt.vs.ctrl": "mvt", "consec": "mvt"}
_METHODS: dict[str, Callable[[Sequence[str]], Contrasts]] = {
    "eff": _effects,
    "del.eff": _deleted_effects,
    "poly": _polynomials,
    "mean_chg": _mean_changes,
    "identity": _identity,
}
# Other names: the method, whether its differences are the other way round, the position of the control.
_SYNONYMS: dict[str, tuple[str, bool, int | None]] = {
    "tukey": ("pairwise", False, None),
    "revpairwise": ("pairwise", True, None),
    "dunnett": ("trt.vs.ctrl", False, None),
    "trt.vs.ctrl1": ("trt.vs.ctrl", False, 0),
    "trt.vs.ctrlk": ("trt.vs.ctrl", False, -1),
}
_DEGREES = ("linear", "quadratic", "cubic", "quartic")


def _custom(method: Any, labels: Sequence[str], others: Mapping[str, str]) -> tuple[tuple[str, ...], Values]:
    """Weights of the user's own, by the labels of the means where they have labels."""
    names: Sequence[str] | None = None
    rows = method
    if isinstance(method, Mapping):
        names, rows = tuple(map(str, method)), list(method.values())
    elif isinstance(method, pd.DataFrame):
        names = tuple(map(str, method.index))
    try:
        weights = weight_rows(rows, labels, others, "mean")
    except ArgumentError:
        raise
    except (TypeError, ValueError):
        raise ArgumentError(
            "method must be the name of a kind of contrasts, a mapping of names to weights, or a matrix "
            f"with a row for each contrast; got {type(method).__name__}"
        ) from None
    if not np.isfinite(weights).all():
        raise ArgumentError("the weights of a contrast must be finite")
    return tuple(names or (f"contrast {i + 1}" for i in range(len(weights)))), weights


def _position(ref: Any, labels: Sequence[str], others: Mapping[str, str]) -> int:
    if isinstance(ref, numbers.Integral) and not isinstance(ref, bool) and 0 <= int(ref) < len(labels):
        return int(ref)
    label = str(ref) if str(ref) in labels else others.get(str(ref))
    if label is not None:
        return list(labels).index(label)
    raise ArgumentError(f"ref must be one of {', '.join(labels)}, or its position from 0; not {ref!r}")


def _enclosed(label: str) -> str:
    """A label in brackets where it could be mistaken for a formula."""
    return f"({label})" if any(sign in label for sign in "+-*/") else label
