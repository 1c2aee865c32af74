"""Formulas of statsmodels as one formula of lme4's kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..formula.nodes import is_plain

_CALL_OF_C = re.compile(r"C\(\s*([^,()]+?)\s*\)")
_QUOTED_NAME = re.compile(r"""Q\(\s*(["'])(.*?)\1\s*\)""")
_NAME = re.compile(r"[^\W\d]\w*|`[^`]+`")
# Name of the column of groups that were given as values, unless the data have it.
_GROUPS = "groups"


class UntranslatableError(Exception):
    """No formula of lme4's kind has the same meaning, as far as this module can tell."""


def translated(model: Any, freepat: Any) -> tuple[str, pd.DataFrame]:
    """
    The formula of a model, and the rows used with a column of groups.

    Raises
    ------
    UntranslatableError
    """
    frame = _rows_used(model)
    group, frame = _with_groups(model, frame)
    terms: list[str] = []
    if model.k_re:
        inside = "1" if model.re_formula is None else _right_side(model.re_formula)
        terms.append(f"{_structure(freepat, model.k_re)}({inside} | {quoted(group)})")
    for name in model.exog_vc.names:
        terms.append(_component(_right_side(model.vc_formula[name]), group, frame, model.n_groups))
    fixed = _named(model.formula)
    return " + ".join([fixed, *terms]), frame


def _rows_used(model: Any) -> pd.DataFrame:
    frame = model.frame_in
    if not isinstance(frame, pd.DataFrame):
        frame = frame.to_pandas() if hasattr(frame, "to_pandas") else pd.DataFrame(frame)
    rows = model.rows_used
    return frame if rows is None else frame.iloc[_positions(rows)]


def _positions(rows: Any) -> Any:
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def _with_groups(model: Any, frame: pd.DataFrame) -> tuple[str, pd.DataFrame]:
    """The column of groups; values that are a column of the data are that column."""
    if model.groups_name is not None:
        return model.groups_name, frame
    groups = np.asarray(model.groups)
    for name in frame.columns:
        column = frame[name].to_numpy()
        if isinstance(name, str) and column.shape == groups.shape and bool(np.all(column == groups)):
            return name, frame
    name = _GROUPS
    while name in frame.columns:
        name += "_"
    return name, frame.assign(**{name: groups})


def _structure(freepat: Any, k_re: int) -> str:
    """The covariance structure that a pattern of free parameters is."""
    if freepat is None:
        return ""
    pattern = np.asarray(freepat.cov_re) != 0
    others = np.concatenate([np.ravel(freepat.fe_params), np.ravel(freepat.vcomp)])
    if not np.all(others) or not np.all(np.diag(pattern)):
        raise UntranslatableError("parameters are held")
    if pattern.all() or k_re == 1:
        return ""
    if pattern.sum() == k_re:
        return "diag"
    raise UntranslatableError("some correlations are held")


def _right_side(formula: str) -> str:
    text = formula.strip()
    return _named(text[1:].strip() if text.startswith("~") else text)


def _named(formula: str) -> str:
    """With backticks for patsy's ``Q("a name")``."""
    return _QUOTED_NAME.sub(lambda found: quoted(found[2]), formula)


def _component(text: str, group: str, frame: pd.DataFrame, n_groups: int) -> str:
    """
    A variance component, whose columns are independent with one variance.

    statsmodels evaluates its formula within each group, so a factor has the levels of that group: the
    interaction of the two, unless there is only one group.
    """
    parts = [part.strip() for part in text.split("+")]
    intercept = not {"0", "-1"} & set(parts)
    if parts[-1].endswith("- 1") or parts[-1].endswith("-1"):
        intercept, parts[-1] = False, parts[-1].rsplit("-", 1)[0].strip()
    columns = [part for part in parts if part not in ("", "0", "1", "-1")]
    if not columns:
        return f"(1 | {quoted(group)})"
    factors, numbers = _split(columns[0], frame) if len(columns) == 1 else ([], columns)
    if factors:
        if intercept:
            raise UntranslatableError("a factor beside an intercept is coded by contrasts")
        inside = "1" if not numbers else f"0 + {numbers[0]}"
        if len(numbers) > 1:
            raise UntranslatableError("products of columns")
        return f"({inside} | {_cells(factors, group, frame, n_groups)})"
    for column in numbers:
        if not _is_number(column, frame):
            raise UntranslatableError(f"columns of {column} among others")
    start = "1" if intercept else "0"
    inside = " + ".join([start, *numbers])
    return (
        f"({inside} | {quoted(group)})"
        if len(numbers) + intercept == 1
        else f"homdiag({inside} | {quoted(group)})"
    )


def _split(product: str, frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The factors and the numbers of a product such as ``C(a):x``."""
    factors: list[str] = []
    numbers: list[str] = []
    for part in map(str.strip, product.split(":")):
        call = _CALL_OF_C.fullmatch(part)
        if call or not _is_number(part, frame):
            factors.append(call[1] if call else part)
        else:
            numbers.append(part)
    return factors, numbers


def _is_number(text: str, frame: pd.DataFrame) -> bool:
    if not _NAME.fullmatch(text):
        return "C(" not in text
    name = text.strip("`")
    if name not in frame.columns:
        raise UntranslatableError(f"{name} is no column of the data")
    return bool(pd.api.types.is_numeric_dtype(frame[name]) and not pd.api.types.is_bool_dtype(frame[name]))


def _cells(factors: Sequence[str], group: str, frame: pd.DataFrame, n_groups: int) -> str:
    for factor in factors:
        if not _NAME.fullmatch(factor):
            raise UntranslatableError(f"the factor {factor} is an expression")
    names = [factor.strip("`") for factor in factors]
    if n_groups == 1 or group in names or _nested(names, group, frame):
        return ":".join(map(quoted, names))
    return ":".join(map(quoted, [group, *names]))


def _nested(names: list[str], group: str, frame: pd.DataFrame) -> bool:
    """Whether each combination of the factors is within one group, so that the group adds nothing."""
    pairs = pd.DataFrame(frame[[*names, group]]).drop_duplicates()
    return not bool(pd.DataFrame(pairs[names]).duplicated().any())


def quoted(name: str) -> str:
    """A column name as a formula has it."""
    return name if is_plain(name) else f"`{name}`"
