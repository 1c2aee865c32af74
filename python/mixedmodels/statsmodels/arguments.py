"""The arrays that a model is made from, checked and as numbers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from statsmodels.tools.sm_exceptions import MissingDataError

from .environment import warn
from .groups import Groups
from .spec import VCSpec, spec_of_dictionaries

# Kinds of objects, by pandas, that are real numbers.
_NUMBERS = ("floating", "integer", "mixed-integer-float", "boolean", "decimal", "empty")


class Arrays(NamedTuple):
    """The arguments of a model with a row for each response; `exog_re` may be None."""

    endog: Any
    exog: Any
    groups: Any
    exog_re: Any


def read_arrays(endog: Any, exog: Any, groups: Any, exog_re: Any) -> Arrays:
    """
    The arguments as arrays and pandas objects of numbers, and labels of groups.

    Raises
    ------
    TypeError
        For formulas, names of columns and None where an array is needed.
    ValueError
        For what is no number, several responses or columns of groups, and different numbers of rows.
    MissingDataError
        For infinite values.
    """
    for name, part in (("endog", endog), ("exog", exog), ("groups", groups)):
        if part is None or isinstance(part, str):
            raise TypeError(
                f"{name} must be an array with a row for each response, not {part!r}; for formulas and names "
                "of columns use MixedLM.from_formula or mixedlm"
            )
    given = (endog, exog, groups, exog_re)
    parts = {name: rows_of(part) for name, part in zip(Arrays._fields, given, strict=True)}
    for name, part in parts.items():
        if part is not None and not np.ndim(part):
            raise TypeError(f"{name} must be an array with a row for each response, not {part.item()!r}")
    check_groups(parts["groups"])
    if np.ndim(parts["endog"]) > 1 and np.shape(parts["endog"])[1] != 1:
        raise ValueError(f"endog must have one column, not {np.shape(parts['endog'])[1]}")
    n = len(parts["endog"])
    for name, part in parts.items():
        if part is not None and len(part) != n:
            raise ValueError(f"{name} has {len(part)} rows, but endog has {n}")
    for name in ("endog", "exog", "exog_re"):
        parts[name] = _numbers(name, parts[name])
        check_finite(name, parts[name], np.isinf, "infinite values")
    return Arrays(**parts)


def rows_of(part: Any) -> Any:
    """Columns of other data frames as pandas objects, lists as arrays."""
    if part is None or isinstance(part, np.ndarray) or hasattr(part, "iloc"):
        return part
    if hasattr(part, "collect") and hasattr(part, "lazy"):
        part = part.collect()
    return part.to_pandas() if hasattr(part, "to_pandas") else np.asarray(part)


def check_groups(groups: Any) -> None:
    """Refuse several columns of groups."""
    shape = np.shape(groups)
    if len(shape) != 1:
        raise ValueError(
            f"groups must be one column of labels, not of shape {shape}; for factors within groups use "
            "vc_formula (exog_vc)"
        )


def check_finite(name: str, part: Any, is_bad: Any, what: str) -> None:
    """Refuse numbers that are missing, or infinite, and name the first row."""
    if part is None:
        return
    bad = is_bad(np.asarray(part, dtype=np.float64))
    if not bad.any():
        return
    row = int(np.flatnonzero(bad if bad.ndim == 1 else bad.any(axis=1))[0])
    label = part.index[row] if hasattr(part, "iloc") else row
    remedy = "; use missing='drop' to leave these rows out" if is_bad is np.isnan else ""
    raise MissingDataError(f"{name} has {what}, the first in row {label!r}{remedy}")


def components_of(given: Any, groups: Groups, all_groups: Any, rows: Any) -> VCSpec:
    """The variance components at the rows used, from the argument `exog_vc`."""
    if given is None:
        return VCSpec([], [], [])
    whole = groups if rows is None else Groups(all_groups)
    if isinstance(given, VCSpec):
        spec = given
    elif hasattr(given, "mats"):
        # That of statsmodels.
        spec = VCSpec(given.names, given.colnames, given.mats)
    elif isinstance(given, dict):
        warn(
            "Using deprecated variance components format: exog_vc must be a VCSpec, not a dict", FutureWarning
        )
        spec = spec_of_dictionaries(given, whole)
    else:
        raise TypeError(
            f"exog_vc must be a VCSpec with a matrix for each component and group, not {type(given).__name__}"
        )
    return spec if rows is None else spec.at_rows(rows, whole, groups)


def _numbers(name: str, part: Any) -> Any:
    """The same as real numbers; objects may be numbers."""
    if not hasattr(part, "columns"):
        return part if part is None or _is_plain(part.dtype) else _as_floats(name, part)
    if all(_is_plain(dtype) for dtype in part.dtypes):
        return part
    columns = [
        _as_floats(f"column {label!r} of {name}", part.iloc[:, j]) for j, label in enumerate(part.columns)
    ]
    return pd.DataFrame(np.column_stack(columns), index=part.index, columns=part.columns)


def _is_plain(dtype: Any) -> bool:
    return isinstance(dtype, np.dtype) and dtype.kind in "fiub"


def _as_floats(what: str, values: Any) -> Any:
    found = pd.api.types.infer_dtype(np.ravel(values) if np.ndim(values) > 1 else values, skipna=True)
    if found not in _NUMBERS:
        kind = {"string": "text", "datetime64": "dates", "datetime": "dates"}.get(found, str(values.dtype))
        raise ValueError(f"{what} must be numbers, not {kind}")
    return values.astype(np.float64)
