"""Models given as arrays: the data frame and the formula that say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ..covariance import structure_names
from ..errors import ArgumentError, DataError
from ..formula.nodes import Name, write
from ..frame import Factor, Frame
from ..frame.alignment import in_row_order
from ..wording import a_kind, nearest
from .matrix import INTERCEPT

# Names that a first column of ones may have to be the intercept.
_INTERCEPTS = frozenset({INTERCEPT, "Intercept", "intercept", "const"})


@dataclass(frozen=True, eq=False)
class ArrayTerm:
    """
    A random-effects term given as arrays, for ``LinearMixedModel.from_arrays``.

    Attributes
    ----------
    groups : array-like of shape (n,)
        The level of each row: labels or codes of any kind that a data frame may hold.
    Z : array-like of shape (n, k) or (n,), or data frame, optional
        The columns whose effects vary over the groups; by default a column of ones, an intercept. Labels
        (text or a categorical) stand for one column for each level, as `structure` "ar1" or "ou" needs them.
    names : sequence of str, optional
        Names of the columns of `Z`. By default those of a data frame; otherwise a first column of ones is the
        intercept, a column that `X` has too takes the name that it has there, and others are ``z1``, ...
    group : str, optional
        Name of the grouping factor; by default the name of a Series, otherwise ``"group"``. Terms with the
        same name must have the same groups.
    structure : str, default "us"
        Covariance structure of the effects of a level, as before the parentheses of a formula: ``"us"``
        (any covariance matrix), ``"diag"``, ``"homdiag"``, ``"cs"``, ...

    Examples
    --------
    >>> from mixedmodels import ArrayTerm
    >>> ArrayTerm(["a", "a", "b", "b"], group="batch").structure
    'us'
    """

    groups: Any
    Z: Any = None
    names: Sequence[str] | None = None
    group: str | None = None
    structure: str = "us"


@dataclass(frozen=True, eq=False)
class ArrayModel:
    """
    The arrays of a model as a formula and the columns that it names.

    Attributes
    ----------
    formula : str
    data : dict
        Columns by name.
    """

    formula: str
    data: dict[str, Any]


def model_of_arrays(
    y: Any,
    X: Any,
    terms: ArrayTerm | Sequence[ArrayTerm],
    names: Sequence[str] | None = None,
    response: str | None = None,
) -> ArrayModel:
    """
    The formula and the columns of a model that is given as arrays.

    Parameters
    ----------
    y : array-like of shape (n,), or (n, 2) for numbers of successes and failures
    X : array-like of shape (n, p) or (n,), or data frame
    terms : ArrayTerm or sequence of ArrayTerm
    names : sequence of str, optional
        Names of the columns of `X`.
    response : str, optional
        Name of the response.

    Raises
    ------
    ArgumentError
        For arguments of another kind or of different lengths, naming the argument.
    DataError
        For columns of the same name that differ.
    """
    columns = _Columns(y)
    left = columns.response(y, response)
    found = _matrix(X, "X", columns.index)
    labels = _labels(found, names, "X", "names", lambda j: f"x{j + 1 - found.constant}")
    for j, label in enumerate(labels):
        columns.add(label, found.columns[j], "X")
    right = [_sum(labels)]
    listed = _terms(terms)
    several = len(listed) > 1
    for t, term in enumerate(listed):
        what = f"terms[{t}]" if several else "the term"
        inside = _sum(columns.effects(term, what, several * f"{t + 1}_"))
        group = columns.group(term, what, t)
        call = "" if term.structure == "us" else _checked(term.structure, what)
        right.append(f"{call}({inside} | {write(Name(group))})")
    return ArrayModel(f"{left} ~ {' + '.join(right)}", columns.found)


class _Columns:
    """The columns found so far, by name."""

    def __init__(self, y: Any) -> None:
        self.found: dict[str, Any] = {}
        self.homes: dict[str, str] = {}
        self.groups: list[str] = []
        self.index = y.index if isinstance(y, (pd.Series, pd.DataFrame)) else None
        self.n_rows = len(y) if hasattr(y, "__len__") else 0

    def add(self, name: str, values: Any, home: str) -> None:
        """A column; one that is there already must be the same."""
        if len(values) != self.n_rows:
            raise ArgumentError(f"from_arrays: {home} has {len(values)} rows, but y has {self.n_rows}")
        if self.index is None and isinstance(values, pd.Series):
            self.index = values.index
        if name not in self.found:
            if "`" in name:
                raise ArgumentError(f"from_arrays: the name {name!r} contains a backtick; rename it")
            self.found[name], self.homes[name] = values, home
        elif not _same(self.found[name], values):
            raise DataError(
                f"from_arrays: {home} and {self.homes[name]} both have a column {name!r}, with different "
                "values; give one of them another name"
            )

    def response(self, y: Any, name: str | None) -> str:
        """The left side of the formula."""
        if isinstance(y, (str, bytes, dict)) or not hasattr(y, "__len__"):
            raise ArgumentError(f"from_arrays: y must be an array of the responses, not {a_kind(y)}")
        _check_optional_name(name, "response")
        shape = np.shape(y)
        if shape[1:] == (1,):
            found = _matrix(y, "y", None)
            y, own = found.columns[0], name or (found.names or [None])[0]
        else:
            own = name or _name_of(y)
        if np.ndim(y) == 1:
            self.add(own or "y", y, "y")
            return write(Name(own or "y"))
        if len(shape) != 2 or shape[1] != 2:
            raise ArgumentError(
                f"from_arrays: y has shape {shape}; give one value for each row, or two columns with "
                "successes and failures for a binomial model"
            )
        counts = _matrix(y, "y", None).columns
        parts = [f"{own}_{part}" if own else part for part in ("successes", "failures")]
        for part, values in zip(parts, counts, strict=True):
            self.add(part, values, "y")
        return f"cbind({', '.join(write(Name(part)) for part in parts)})"

    def effects(self, term: ArrayTerm, what: str, prefix: str) -> list[str]:
        """The names of the columns of a term."""
        if term.Z is None:
            names = [] if term.names is None else _names(term.names, f"names of {what}")
            if names not in ([], [INTERCEPT]):
                raise ArgumentError(f"from_arrays: {what} has names but no Z")
            return [INTERCEPT]
        if _is_factor(term.Z):
            return [self.factor(term, what)]
        found = _matrix(term.Z, f"Z of {what}", self.index)
        if not found.columns:
            raise ArgumentError(f"from_arrays: Z of {what} has no columns; leave it out for an intercept")

        def default(j: int) -> str:
            alike = [name for name, home in self.homes.items() if home == "X"]
            same = (name for name in alike if _same(self.found[name], found.columns[j]))
            return next(same, f"z{prefix}{j + 1 - found.constant}")

        labels = _labels(found, term.names, f"Z of {what}", f"names of {what}", default)
        for label, values in zip(labels, found.columns, strict=True):
            self.add(label, values, f"Z of {what}")
        return labels

    def factor(self, term: ArrayTerm, what: str) -> str:
        """The name of the factor whose levels are the columns of a term."""
        argument = f"names of {what}"
        names = [_name_of(term.Z) or "level"] if term.names is None else _names(term.names, argument)
        if len(names) != 1:
            raise ArgumentError(f"from_arrays: {argument} must hold one name, for the labels in Z")
        self.add(names[0], term.Z, f"Z of {what}")
        return names[0]

    def group(self, term: ArrayTerm, what: str, t: int) -> str:
        """The name of the grouping factor of a term."""
        groups = term.groups
        if isinstance(groups, (str, bytes, dict)) or np.ndim(groups) != 1:
            raise ArgumentError(
                f"from_arrays: groups of {what} must be an array with a level for each row, not "
                f"{a_kind(groups)}"
            )
        _check_optional_name(term.group, f"group of {what}")
        name = term.group or _name_of(groups)
        if name is None:
            same = (own for own in self.groups if _same(self.found[own], groups))
            name = next(same, "group" if not self.groups else f"group{t + 1}")
        self.add(name, groups, f"groups of {what}")
        self.groups.append(name)
        return name


@dataclass(frozen=True, eq=False)
class _Matrix:
    """Columns of numbers, with the names that they have already, and whether the first is all ones."""

    columns: list[Any]
    names: list[str] | None
    constant: bool


def _matrix(values: Any, what: str, index: Any) -> _Matrix:
    if values is None:
        raise ArgumentError(
            f"from_arrays: {what} must be an array, not None; a column of ones, np.ones(len(y)), is an "
            "intercept, and an array of shape (n, 0) has no columns"
        )
    if hasattr(values, "toarray"):
        raise ArgumentError(
            f"from_arrays: {what} is a sparse matrix; give a dense array, {what[0]}.toarray()"
        )
    if not isinstance(values, (np.ndarray, list, tuple)) and np.ndim(values) != 1:
        return _from_frame(values, what, index)
    try:
        if np.asarray(values).dtype.kind in "mM":
            raise TypeError
        own = np.asarray(values, dtype=np.float64)
        if isinstance(values, np.ma.MaskedArray):
            own = np.where(np.ma.getmaskarray(values), np.nan, own)
    except (TypeError, ValueError):
        raise ArgumentError(
            f"from_arrays: {what} must contain numbers; code factors and dates as columns"
        ) from None
    own = own[:, None] if own.ndim == 1 else own
    if own.ndim != 2:
        raise ArgumentError(f"from_arrays: {what} has shape {own.shape}; it needs rows and columns")
    columns: list[Any] = list(own.T)
    name = _name_of(values)
    if isinstance(values, pd.Series):
        columns = [pd.Series(columns[0], index=values.index)]
    return _Matrix(columns, None if name is None else [name], _ones(columns))


def _is_factor(values: Any) -> bool:
    """Whether values are labels, one for each row."""
    if isinstance(values, (str, bytes)) or np.ndim(values) != 1:
        return False
    return isinstance(Frame.from_any({"Z": values}, what="from_arrays").column("Z"), Factor)


def _from_frame(values: Any, what: str, index: Any) -> _Matrix:
    frame = Frame.from_any(values, what=what)
    columns = []
    for name in frame.names:
        column = frame.column(name)
        if isinstance(column, Factor):
            raise ArgumentError(
                f"from_arrays: column {name!r} of {what} contains labels; code it as columns of numbers, or "
                "use from_formula()"
            )
        own = column.values
        columns.append(own if frame.index is None else pd.Series(own, index=frame.index))
    return _Matrix(columns, list(frame.names), _ones(columns))


def _ones(columns: Sequence[Any]) -> bool:
    return bool(columns) and bool((np.asarray(columns[0]) == 1.0).all())


def _labels(found: _Matrix, names: Any, what: str, argument: str, default: Any) -> list[str]:
    """Names of the columns, the intercept in its own spelling."""
    count = len(found.columns)
    if names is None and found.names is None:
        return [INTERCEPT if j == 0 and found.constant else default(j) for j in range(count)]
    own = _names(found.names if names is None else names, argument)
    if len(own) != count:
        raise ArgumentError(f"from_arrays: {argument} has {len(own)} entries for {count} columns of {what}")
    if found.constant and own[0] in _INTERCEPTS:
        own[0] = INTERCEPT
    elif INTERCEPT in own:
        raise ArgumentError(
            f"from_arrays: {INTERCEPT!r} is the name of a first column of ones; give the column of {what} "
            "another name"
        )
    repeated = next((name for i, name in enumerate(own) if name in own[:i]), None)
    if repeated is not None:
        raise ArgumentError(f"from_arrays: {what} has two columns called {repeated!r}; rename one")
    return own


def _names(names: Any, argument: str) -> list[str]:
    if isinstance(names, str) or not hasattr(names, "__len__"):
        raise ArgumentError(f"from_arrays: {argument} must be a list of names, not {a_kind(names)}")
    for name in names:
        _check_name(name, argument)
    return list(names)


def _check_optional_name(name: Any, argument: str) -> None:
    if name is not None:
        _check_name(name, argument)


def _check_name(name: Any, argument: str) -> None:
    if not isinstance(name, str) or not name.strip():
        raise ArgumentError(f"from_arrays: {argument} must be a name, not {name!r}")


def _terms(terms: Any) -> list[ArrayTerm]:
    listed = [terms] if isinstance(terms, ArrayTerm) else terms
    if not isinstance(listed, (list, tuple)) or not all(isinstance(term, ArrayTerm) for term in listed):
        raise ArgumentError(
            "from_arrays: terms must be ArrayTerm objects, such as [ArrayTerm(groups, Z)], not "
            f"{a_kind(terms)}"
        )
    if not listed:
        raise ArgumentError("from_arrays: a mixed model needs at least one random-effects term in terms")
    return list(listed)


def _checked(structure: Any, what: str) -> str:
    known = structure_names()
    if structure not in known:
        hint = nearest(structure, known) if isinstance(structure, str) else ""
        raise ArgumentError(
            f"from_arrays: structure of {what} must be one of {', '.join(known)}, not {structure!r}{hint}"
        )
    return structure


def _sum(labels: Sequence[str]) -> str:
    """Columns as the terms of a formula; the constant is written 1, and 0 says that there is none."""
    constant = list(labels[:1]) == [INTERCEPT]
    return " + ".join(["1" if constant else "0", *(write(Name(label)) for label in labels[constant:])])


def _name_of(values: Any) -> str | None:
    name = getattr(values, "name", None)
    return name if isinstance(name, str) and name else None


def _same(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if isinstance(a, pd.Series) and isinstance(b, pd.Series):
        b = in_row_order(b, a.index, "groups")
    one, other = np.asarray(a), np.asarray(b)
    if one.shape != other.shape:
        return False
    if one.dtype.kind in "biuf" and other.dtype.kind in "biuf":
        # Most columns differ in the first row already.
        return all(np.array_equal(one[rows], other[rows], equal_nan=True) for rows in (slice(1), slice(None)))
    return bool(pd.Series(one).equals(pd.Series(other)))
