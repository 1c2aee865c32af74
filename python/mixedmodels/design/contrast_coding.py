"""Contrast matrices: how the levels of a factor become columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ArgumentError
from ..formula.function_table import BASED, CODINGS
from .hypothesis_coding import hypothesis_matrix

# The first of two values whose second holds hypotheses.
HYPOTHESIS = "hypothesis"


@dataclass(frozen=True)
class LevelNumber:
    """A reference level by its position, counted from 1."""

    value: int


@dataclass(frozen=True, eq=False)
class Contrast:
    """
    The columns of a factor when the model has an intercept.

    Attributes
    ----------
    names : tuple of str
        Column names, as shown in square brackets after the factor's name.
    base : int
        The omitted level (treatment contrasts); -1 when ``matrix`` is given.
    matrix : ndarray, shape (n_levels, n_columns), or None
        Value of each column at each level; None for treatment contrasts.
    r_names : tuple of str
        The names that R appends to the factor's name; by default `names`.
    """

    names: tuple[str, ...]
    base: int = -1
    matrix: NDArray[np.float64] | None = None
    r_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "r_names", self.r_names or self.names)
        # Models share contrasts.
        if self.matrix is not None:
            self.matrix.flags.writeable = False


def make_contrast(spec: Any, labels: Sequence[str], factor: str) -> Contrast:
    """
    The contrasts of a factor.

    Parameters
    ----------
    spec : str, tuple, ndarray or DataFrame
        ``"treatment"``, ``"sum"``, ``"helmert"``, ``"poly"``, ``"diff"``, ``"SAS"`` (also with R's
        ``contr.`` before them), ``("treatment", base level)``, ``("sum", base level)``, a name with the
        levels in another order, ``("helmert", ["low", "mid", "high"])``, ``("hypothesis", weights)``, see
        `hypothesis_matrix`, or a matrix with a row for each level and one column fewer. The rows of a
        DataFrame are matched to the levels by its index.
    labels : sequence of str
        The levels.
    factor : str
        Its name, for errors.

    Raises
    ------
    ArgumentError
        When the contrasts are unknown or do not match the levels.
    """
    n = len(labels)
    base: Any = None
    if isinstance(spec, (tuple, list)) and len(spec) == 2 and isinstance(spec[0], str):
        spec, base = spec
        if spec == HYPOTHESIS:
            names, matrix = hypothesis_matrix(base, labels, factor)
            _check_names(names, factor)
            return Contrast(names, -1, matrix)
    if isinstance(spec, str):
        kind = CODINGS.get(spec)
        if kind is None:
            known = ", ".join(sorted(set(CODINGS.values())))
            raise ArgumentError(
                f"contrasts of {factor!r}: {spec!r} is unknown; use one of {known}, a matrix, or "
                f"({HYPOTHESIS!r}, weights)"
            )
        if base is None:
            return _BUILDERS[kind](labels)
        if isinstance(base, (list, tuple)):
            return _in_order(kind, list(map(str, base)), labels, factor)
        if kind not in BASED:
            raise ArgumentError(
                f"contrasts of {factor!r}: only treatment and sum contrasts have a base level; give {kind} "
                f"contrasts all levels in their order, ({spec!r}, {list(labels[:3])})"
            )
        return _BUILDERS[kind](labels, _find(base, labels, factor))
    matrix, names = _custom(spec, labels, factor)
    if matrix.shape != (n, n - 1):
        raise ArgumentError(
            f"contrasts of {factor!r}: the matrix has shape {matrix.shape}, but {n} levels "
            f"({', '.join(labels[:10])}{', ...' if n > 10 else ''}) need {(n, n - 1)}"
        )
    _check_names(names, factor)
    if not np.isfinite(matrix).all():
        raise ArgumentError(f"contrasts of {factor!r}: the matrix contains values that are not finite")
    return Contrast(names, -1, matrix)


def _treatment(labels: Sequence[str], base: int = 0) -> Contrast:
    others = tuple(label for i, label in enumerate(labels) if i != base)
    return Contrast(tuple(f"T.{label}" for label in others), base, r_names=others)


def _sum(labels: Sequence[str], base: int = -1) -> Contrast:
    """Each coefficient is the mean of a level minus the mean of all; the base has no column."""
    n = len(labels)
    base %= n
    matrix = np.insert(np.eye(n - 1), base, -1.0, axis=0)
    others = [label for i, label in enumerate(labels) if i != base]
    return Contrast(tuple(f"S.{label}" for label in others), -1, matrix, _numbered(n - 1))


def _helmert(labels: Sequence[str]) -> Contrast:
    n = len(labels)
    matrix = np.triu(np.full((n, n - 1), -1.0))
    for j in range(n - 1):
        matrix[j + 1, j] = j + 1.0
    return Contrast(tuple(f"H.{label}" for label in labels[1:]), -1, matrix, _numbered(n - 1))


def _diff(labels: Sequence[str]) -> Contrast:
    """Each coefficient is the mean of a level minus the mean of the level before it."""
    n = len(labels)
    matrix = np.arange(1.0, n) / n - np.triu(np.ones((n, n - 1)))
    pairs = zip(labels[1:], labels, strict=False)
    return Contrast(
        tuple(f"D.{label}" for label in labels[1:]), -1, matrix, tuple(f"{b}-{a}" for b, a in pairs)
    )


def _poly(labels: Sequence[str]) -> Contrast:
    """Orthonormal polynomials on 1, ..., n; each is orthogonalized twice, for accuracy with many levels."""
    n = len(labels)
    score = np.arange(n) - (n - 1) / 2
    columns = np.full((n, n), 1 / np.sqrt(n))
    for j in range(1, n):
        column = score * columns[:, j - 1]
        for _ in range(2):
            column -= columns[:, :j] @ (columns[:, :j].T @ column)
        columns[:, j] = column / np.linalg.norm(column)
    names = [".L", ".Q", ".C", *(f"^{j}" for j in range(4, n))]
    return Contrast(tuple(names[: n - 1]), -1, columns[:, 1:])


def _in_order(kind: str, order: list[str], labels: Sequence[str], factor: str) -> Contrast:
    """Contrasts of the levels in another order, in which levels that no row has may occur."""
    given, order = order, [label for label in order if label in labels]
    if sorted(order) != sorted(labels) or len(set(given)) < len(given):
        raise ArgumentError(
            f"contrasts of {factor!r}: the order {given} must contain each of the levels {list(labels[:20])} "
            "once"
        )
    made = _BUILDERS[kind](order)
    treatment = np.delete(np.eye(len(order)), max(made.base, 0), axis=1)
    matrix = treatment if made.matrix is None else made.matrix
    rows = [order.index(label) for label in labels]
    return Contrast(made.names, -1, np.ascontiguousarray(matrix[rows]), made.r_names)


def _numbered(n: int) -> tuple[str, ...]:
    return tuple(str(j + 1) for j in range(n))


def _custom(spec: Any, labels: Sequence[str], factor: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    if isinstance(spec, pd.DataFrame):
        rows = [str(i) for i in spec.index]
        if sorted(rows) != sorted(labels):
            raise ArgumentError(
                f"contrasts of {factor!r}: the rows of the DataFrame are {rows}, but the levels are "
                f"{list(labels)}"
            )
        order = [rows.index(label) for label in labels]
        names = tuple(map(str, spec.columns))
        spec = spec.to_numpy()[order]
    else:
        names = None
    try:
        matrix = np.array(spec, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(
            f"contrasts of {factor!r}: give a name such as 'sum', ('treatment', base), or a matrix; "
            f"got {type(spec).__name__}"
        ) from None
    if matrix.ndim not in (1, 2):
        raise ArgumentError(
            f"contrasts of {factor!r}: give a name such as 'sum', ('treatment', base), or a matrix; "
            f"got {spec!r}"
        )
    if matrix.ndim == 1:
        matrix = matrix[:, None]
    return matrix, names or _numbered(matrix.shape[-1])


def _check_names(names: Sequence[str], factor: str) -> None:
    twice = [name for i, name in enumerate(names) if name in names[:i]]
    if twice:
        raise ArgumentError(f"contrasts of {factor!r}: two contrasts have the name {twice[0]!r}")


def _find(base: Any, labels: Sequence[str], factor: str) -> int:
    if isinstance(base, LevelNumber):
        if 1 <= base.value <= len(labels):
            return base.value - 1
        raise ArgumentError(
            f"contrasts of {factor!r}: base={base.value} is the position of a level, from 1 to "
            f"{len(labels)}; or name the level in quotes, such as base={labels[0]!r}"
        )
    if str(base) in labels:
        return list(labels).index(str(base))
    raise ArgumentError(
        f"contrasts of {factor!r}: the base {base!r} is not one of its levels {list(labels[:20])}"
    )


_BUILDERS: dict[str, Callable[..., Contrast]] = {
    "treatment": _treatment,
    "sum": _sum,
    "helmert": _helmert,
    "poly": _poly,
    "diff": _diff,
    "SAS": lambda labels: _treatment(labels, len(labels) - 1),
}


def contrasts_text(given: Any) -> str:
    """The ``contrasts`` argument on one line."""
    if given is None or (isinstance(given, Mapping) and not given):
        return "default contrasts"
    if isinstance(given, Mapping):
        return f"contrasts { {name: _plain(spec) for name, spec in given.items()} }"
    return f"contrasts {_plain(given)!r}"


def _plain(spec: Any) -> Any:
    """A matrix as lists, which print on one line."""
    if isinstance(spec, Mapping):
        return {name: _plain(part) for name, part in spec.items()}
    if isinstance(spec, tuple):
        return tuple([_plain(part) for part in spec])
    return spec if isinstance(spec, (str, int, float)) else np.asarray(spec).tolist()
