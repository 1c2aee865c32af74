"""The rows of the data that a fit used, recovered after the fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import NewLevelsError, NoDataError
from ..formula import Scope, parse_expression
from ..formula.nodes import variables
from ..frame import Column, Factor, Frame, as_factor
from ..frame.alignment import in_row_order
from ..frame.convert import is_from
from .arguments import DesignArguments
from .build import Predictors
from .rows import subset_mask


@dataclass(frozen=True, eq=False)
class UsedData:
    """
    The rows of the data that a fit used.

    Attributes
    ----------
    frame : Frame
        n rows.
    positions : ndarray of int, shape (n,)
        Their positions in the data.
    n_total : int
        Rows of the data.
    """

    frame: Frame
    positions: NDArray[np.intp]
    n_total: int

    def columns(self, names: Iterable[str]) -> dict[str, Any]:
        """Columns for pandas, factors as categoricals."""
        return {name: as_pandas(self.frame.labels(name)) for name in names}


def used_data(design: Predictors, arguments: DesignArguments) -> UsedData:
    """
    The rows that a fit used.

    Parameters
    ----------
    design : Predictors
    arguments : DesignArguments
        Those of the fit.
    """
    whole = arguments.data
    positions = _in_subset(arguments)
    if design.missing.kept is not None:
        positions = positions[design.missing.kept]
    chosen = np.zeros(whole.n_rows, dtype=bool)
    chosen[positions] = True
    frame = whole if chosen.all() else whole.rows(chosen)
    return UsedData(frame, positions, whole.n_rows)


def _in_subset(arguments: DesignArguments) -> NDArray[np.intp]:
    mask = subset_mask(arguments, arguments.data)
    return np.arange(arguments.data.n_rows) if mask is None else np.flatnonzero(mask)


def in_used_order(values: Any, design: Predictors, arguments: DesignArguments, what: str) -> Any:
    """
    Put values with one entry for each row used, or for each row of the data, in the order of these rows.

    A pandas Series or DataFrame is matched by its index, see `in_row_order`. Other values, and values of
    another length, are returned unchanged.
    """
    index = arguments.data.index
    if index is None or not isinstance(values, (pd.Series, pd.DataFrame)):
        return values
    if len(values) == len(design.x):
        return in_row_order(values, design.row_labels, what, "rows used")
    if len(values) == len(index):
        return in_row_order(values, index, what)
    mask = subset_mask(arguments, arguments.data)
    if mask is not None and len(values) == int(mask.sum()):
        return in_row_order(values, index[mask], what)
    return values


def labels_of_results(design: Predictors, arguments: DesignArguments) -> Any | None:
    """Labels of the rows of results, see `MissingRows.pad`; None without an index."""
    index = arguments.data.index
    if design.missing.kept is None or design.missing.action != "exclude" or index is None:
        return design.row_labels
    mask = subset_mask(arguments, arguments.data)
    return index if mask is None else index[mask]


def names_of_rows(design: Predictors, arguments: DesignArguments) -> pd.Index:
    """Labels of the rows of results; without an index, the positions of the rows in the data."""
    labels = labels_of_results(design, arguments)
    if labels is not None:
        return pd.Index(labels)
    excluded = design.missing.kept is not None and design.missing.action == "exclude"
    return pd.Index(_in_subset(arguments) if excluded else used_data(design, arguments).positions)


def names_of_rows_used(design: Predictors, arguments: DesignArguments) -> pd.Index:
    """Labels of the rows used; without an index, their positions in the data."""
    labels = design.row_labels
    return pd.Index(used_data(design, arguments).positions if labels is None else labels)


def whole_frame(frame: Frame) -> pd.DataFrame:
    """All columns of a frame as a pandas data frame."""
    return pd.DataFrame({name: as_pandas(frame.labels(name)) for name in frame.names}, index=frame.index)


def as_data_frame(data: Any, what: str = "data") -> pd.DataFrame:
    """Data of any kind as a pandas data frame; one of pandas is returned itself."""
    if isinstance(data, pd.DataFrame):
        return data
    # An error for anything but a table.
    frame = Frame.from_any(data, what=what)
    if isinstance(data, Mapping):
        return pd.DataFrame(dict(data))
    if frame.original is None:
        # A query, files or a stream: read once.
        frame.prefetch(frame.names)
        return whole_frame(frame)
    if is_from("pyarrow", "RecordBatch", data):
        return data.to_pandas()
    import narwhals as nw

    return nw.from_native(data, eager_only=True).to_pandas()


def as_pandas(column: Column) -> Any:
    """A column for pandas."""
    if isinstance(column, Factor):
        return pd.Categorical.from_codes(
            column.codes, categories=pd.Index(column.levels), ordered=column.ordered
        )
    if column.kind == "bool" and not np.isnan(column.values).any():
        return column.values.astype(bool)
    return column.stored.copy() if column.integers and column.filled is None else column.values.copy()


_SHOWN = 2


@contextmanager
def naming_left_out(design: Predictors, arguments: DesignArguments) -> Iterator[None]:
    """Explain in the error for new levels why the data of the fit had them and the fit did not."""
    try:
        yield
    except NewLevelsError as error:
        try:
            found = _left_out(design, arguments, error)
        except NoDataError:
            found = ""
        if not found:
            raise
        raise NewLevelsError(f"{error}; {found}", error.column, error.levels) from None


def _left_out(design: Predictors, arguments: DesignArguments, error: NewLevelsError) -> str:
    frame: Frame = arguments.data
    name = _column(error.column, frame, arguments)
    if name is None:
        return ""
    factor = as_factor(frame.labels(name))
    places = {label: i for i, label in enumerate(factor.labels())}
    used = np.zeros(frame.n_rows, dtype=bool)
    used[used_data(design, arguments).positions] = True
    mask = subset_mask(arguments, frame)
    parts = []
    for level in error.levels:
        rows = factor.codes == places.get(level, -2)
        if rows.any() and not used[rows].any():
            chosen = rows if mask is None else rows & mask
            parts.append(f"{level!r} was in the data of the fit, but {_fate(rows, chosen, design, frame)}")
    more = f"; likewise {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    return "; ".join(parts[:_SHOWN]) + more


def _column(text: str, frame: Frame, arguments: DesignArguments) -> str | None:
    """The column from which a factor of the formula was made, if it is a single one."""
    if text in frame:
        return text
    names = variables(parse_expression(text, Scope(frame.names, frozenset(arguments.functions or ()))))
    return names[0] if len(names) == 1 else None


def _fate(rows: NDArray[np.bool_], chosen: NDArray[np.bool_], design: Predictors, frame: Frame) -> str:
    """Why none of these rows was used, given which of them the subset selected."""
    n, n_chosen = int(rows.sum()), int(chosen.sum())
    causes = [f"subset= ({n - n_chosen})"] if n_chosen < n else []
    explained = ~chosen
    for name in design.missing.columns:
        if name in frame:
            missing = frame.labels(name).missing & chosen
            explained |= missing
            causes += [f"missing values in {name!r} ({int(missing.sum())})"] if missing.any() else []
    if not explained.all():
        causes.append(f"zero weight, or weights= or offset= missing ({int((~explained).sum())})")
    each = f"all its {n} rows were" if n > 1 else "its only row was"
    return f"{each} omitted: {', '.join(causes)}"
