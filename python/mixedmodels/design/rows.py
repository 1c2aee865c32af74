"""The rows of a fit: subset, missing values and zero weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError, DataError
from ..formula import ModelFormula, Scope, parse_expression
from ..formula.nodes import variables
from ..frame import Factor, Frame, Numeric
from ..frame.alignment import in_row_order
from .arguments import DesignArguments, NaAction, check_action
from .evaluator import Evaluator, Memory
from .values import missing_in

ZERO_WEIGHT = "(zero weight)"


@dataclass(frozen=True, eq=False)
class MissingRows:
    """
    The rows omitted for missing values or zero weights.

    Attributes
    ----------
    n_total : int
        Rows of the data, after ``subset``.
    kept : ndarray of bool, shape (n_total,), or None
        Which rows were used; None when all were.
    action : {"omit", "exclude", "fail"}
    columns : dict
        Missing values by column, for columns that have any; rows of weight zero under "(zero weight)".
    """

    n_total: int
    kept: NDArray[np.bool_] | None
    action: NaAction
    columns: dict[str, int]

    @property
    def n_dropped(self) -> int:
        """The number of omitted rows."""
        return 0 if self.kept is None else self.n_total - int(np.count_nonzero(self.kept))

    def pad(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Expand values of the rows used to all rows of the data.

        Parameters
        ----------
        values : ndarray, shape (n, ...)
            One entry for each row used.

        Returns
        -------
        ndarray, shape (n_total, ...)
            With NaN in the omitted rows if the action is "exclude"; otherwise ``values`` itself.
        """
        if self.kept is None or self.action != "exclude":
            return values
        padded = np.full((self.n_total, *values.shape[1:]), np.nan)
        padded[self.kept] = values
        return padded


def subset_mask(arguments: DesignArguments, frame: Frame) -> NDArray[np.bool_] | None:
    """
    The ``subset`` argument as a mask over all rows of the data; None to keep them all.

    Text is a condition in the syntax of formulas: ``"age > 30 & sex == 'F'"``. Rows where the condition
    is missing are omitted.
    """
    subset, functions = arguments.subset, arguments.functions or {}
    if subset is None:
        return None
    if isinstance(subset, str) and subset in frame:
        column, what = frame.column(subset), f"subset {subset!r}"
        if isinstance(column, Factor):
            raise ArgumentError(f"{what} contains labels, not a condition; compare them with '==' or 'in'")
        value = column.values
    elif isinstance(subset, str):
        node = parse_expression(subset, Scope(frame.names, frozenset(functions)))
        frame.prefetch(variables(node))
        value = Evaluator(frame, Memory(), functions, fitting=True).value(node)
        if not isinstance(value, np.ndarray):
            raise ArgumentError(
                f"subset {subset!r} gives labels, not a condition; compare them with '==' or 'in'"
            )
        what = f"subset {subset!r}"
    else:
        value = row_values(subset, frame, "subset")
        what = "subset"
    known = value[~np.isnan(value)]
    if not ((known == 0) | (known == 1)).all():
        raise ArgumentError(f"{what} must be true or false for each row")
    mask = value == 1
    if not mask.any():
        raise DataError(f"{what} selects no rows")
    return None if mask.all() else mask


def row_values(values: Any, frame: Frame, what: str) -> NDArray[np.float64]:
    """An array-like argument as numbers, one for each row of the data; a Series is matched by its index."""
    name = f"({what})"
    if np.ndim(values) != 1:
        raise ArgumentError(
            f"{what} must be a column name or one value for each row, got {type(values).__name__}"
        )
    if len(values) != frame.n_rows:
        raise ArgumentError(f"{what} has {len(values)} values for {frame.n_rows} rows of data")
    values = in_row_order(values, frame.index, what)
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "biuf":
        column = Frame.from_any({name: values}).column(name)
        if isinstance(column, Factor):
            raise ArgumentError(f"{what} must contain numbers, not text")
        return column.values
    return values.astype(np.float64)


def named_or_given(
    argument: Any, frame: Frame, what: str, functions: Mapping[str, Callable[..., Any]]
) -> tuple[str, NDArray[np.float64]] | None:
    """
    The ``weights`` or ``offset`` argument: its name and a number for each row.

    Text is the name of a column, or an expression such as ``"log(time)"``.
    """
    if argument is None:
        return None
    if not isinstance(argument, str):
        return f"({what})", row_values(argument, frame, what)
    if argument in frame:
        column = frame.column(argument)
        if isinstance(column, Factor):
            raise DataError(f"{what}: column {argument!r} contains text or categories, not numbers")
        return argument, column.values
    node = parse_expression(argument, Scope(frame.names, frozenset(functions)))
    evaluator = Evaluator(frame, Memory(), functions, fitting=True)
    value = evaluator.value(node)
    if not isinstance(value, np.ndarray):
        raise DataError(f"{what}: {argument} does not give numbers")
    evaluator.finite(node, value, missing_in(frame, [node]))
    return argument, value


def columns_of(argument: str, frame: Frame, functions: Mapping[str, Callable[..., Any]]) -> tuple[str, ...]:
    """The columns that a text argument (a column name or an expression) reads."""
    if argument in frame:
        return (argument,)
    return variables(parse_expression(argument, Scope(frame.names, frozenset(functions))))


def listed_rows(mask: NDArray[np.bool_]) -> str:
    """The number of rows and the first few of them, for messages."""
    rows = np.flatnonzero(mask)
    shown = ", ".join(map(str, rows[:5])) + (", ..." if len(rows) > 5 else "")
    return f"{len(rows)} row{'s' if len(rows) > 1 else ''} (row {shown}, counting from 0)"


def missing_rows(
    columns: Sequence[tuple[str, Numeric | Factor | NDArray[np.float64]]],
    n: int,
    action: NaAction,
    zero: NDArray[np.bool_] | None,
) -> MissingRows:
    """
    Omit rows with a missing value in any column used; refuse infinite values in the other rows.

    Parameters
    ----------
    columns : sequence of (name, column)
    n : int
        Number of rows.
    action : {"omit", "exclude", "fail"}
    zero : ndarray of bool, shape (n,), or None
        Rows of weight zero.
    """
    counts: dict[str, int] = {}
    kept: NDArray[np.bool_] | None = None
    suspects: list[tuple[str, NDArray[np.float64]]] = []
    for name, column in columns:
        if isinstance(column, Factor):
            if not column.gaps:
                continue
            missing = column.missing
        else:
            if column.finite if isinstance(column, Numeric) else np.isfinite(column).all():
                continue
            values = column.values if isinstance(column, Numeric) else column
            missing = np.isnan(values)
            suspects.append((name, values))
        count = int(np.count_nonzero(missing))
        if count:
            counts[name] = count
            kept = ~missing if kept is None else kept & ~missing
    if counts and action == "fail":
        listed = ", ".join(f"{name!r} ({count})" for name, count in counts.items())
        raise DataError(f"missing values in {listed}; use na_action='omit' or 'exclude' to omit these rows")
    if zero is not None:
        counts[ZERO_WEIGHT] = int(np.count_nonzero(zero))
        kept = ~zero if kept is None else kept & ~zero
    for name, values in suspects:
        infinite = np.isinf(values) if kept is None else np.isinf(values) & kept
        if infinite.any():
            raise DataError(
                f"{name!r} is infinite in {listed_rows(infinite)}; make these values missing or finite"
            )
    if kept is not None and not kept.any():
        listed = ", ".join(f"{name!r} in {count}" for name, count in counts.items())
        raise DataError(f"0 (non-NA) cases: no row is complete; of {n} rows, missing: {listed}")
    if kept is not None:
        kept.flags.writeable = False
    return MissingRows(n, kept, action, counts)


@dataclass(frozen=True, eq=False)
class ChosenRows:
    """The rows used, with the arguments that have one value per row."""

    frame: Frame
    weights: NDArray[np.float64] | None
    offset: NDArray[np.float64] | None
    missing: MissingRows
    positions: NDArray[np.intp]

    def name(self, i: int) -> str:
        """The i-th of these rows in messages: its label, or its position in the data."""
        index = self.frame.index
        if index is None or np.array_equal(index, self.positions):
            return f"row {self.positions[i]} (counting from 0)"
        return f"row {index[i]!r}"


def choose_rows(
    parsed: ModelFormula, frame: Frame, arguments: DesignArguments, *, drop_zero_weights: bool = True
) -> ChosenRows:
    """Apply subset, missing values and zero weights to the frame and the arguments with one value per row."""
    action, functions = check_action(arguments.na_action), arguments.functions or {}
    weight = named_or_given(arguments.weights, frame, "weights", functions)
    extra = named_or_given(arguments.offset, frame, "offset", functions)
    chosen = subset_mask(arguments, frame)
    positions = np.arange(frame.n_rows) if chosen is None else np.flatnonzero(chosen)
    if chosen is not None:
        frame = frame.rows(chosen)
        weight = None if weight is None else (weight[0], weight[1][chosen])
        extra = None if extra is None else (extra[0], extra[1][chosen])
    columns: list[Any] = [(name, frame.labels(name)) for name in parsed.variables]
    columns += [part for part in (weight, extra) if part is not None]
    zero = None
    if weight is not None:
        name, values = weight
        if (values < 0).any():
            raise DataError(f"weights: {name!r} is negative in {listed_rows(values < 0)}")
        if drop_zero_weights and (values == 0).any():
            zero = values == 0
    missing = missing_rows(columns, frame.n_rows, action, zero)
    kept = missing.kept
    if kept is not None:
        frame = frame.rows(kept)
    return ChosenRows(
        frame,
        None if weight is None else np.array(weight[1] if kept is None else weight[1][kept]),
        None if extra is None else np.array(extra[1] if kept is None else extra[1][kept]),
        missing,
        positions if kept is None else positions[kept],
    )
