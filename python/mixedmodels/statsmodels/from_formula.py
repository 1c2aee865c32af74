"""The arrays of a model from formulas, which the formula engine of the installed statsmodels reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.formula._manager import FormulaManager

from .arguments import check_groups, rows_of
from .components import Component, component_of_columns, component_of_levels, component_of_matrices
from .environment import environment
from .groups import Groups
from .rows import check_missing, complete, rows_of_subset, words
from .spec import ComponentSpec

# As many rows tell the names of columns.
_FEW = 20
# Components without an intercept: one factor, or columns of numbers.
_FACTOR = re.compile(r"\s*~?\s*(?:0|-\s*1)\s*\+\s*(C\(\s*(\w+)\s*\)|\w+)\s*")
_COLUMNS = re.compile(r"\s*~?\s*(?:0|-\s*1)\s*\+\s*(\w+(?:\s*\+\s*\w+)*)\s*")


@dataclass(frozen=True, eq=False)
class FormulaParts:
    """
    The arrays that formulas describe.

    Attributes
    ----------
    data : DataFrame
        The rows used.
    rows : ndarray of int, or None
        Their positions in the data given; None for all of these.
    endog, exog : DataFrame
    model_spec : object
    groups : ndarray, shape (n,)
    group_name : str or None
        Of the column of groups.
    exog_re : ndarray, shape (n, k_re), or None
    exog_re_names : list of str
    exog_vc : VCSpec or None
    """

    data: pd.DataFrame
    rows: Any
    endog: Any
    exog: Any
    model_spec: Any
    groups: Any
    group_name: str | None
    exog_re: Any
    exog_re_names: list[str]
    exog_vc: ComponentSpec | None


def read_formulas(
    formula: str,
    data: Any,
    groups: Any,
    re_formula: str | None,
    vc_formula: Mapping[str, str] | None,
    subset: Any,
    missing: str,
    eval_env: Any,
) -> FormulaParts:
    """The arrays of a model from formulas; arguments as of :meth:`MixedLM.from_formula`."""
    check_missing(missing)
    frame = _as_pandas(data)
    if vc_formula is not None and not isinstance(vc_formula, Mapping):
        raise TypeError("vc_formula must be a dict of formulas by name, such as {'cask': '0 + C(cask)'}")
    components = {} if vc_formula is None else {str(name): text for name, text in vc_formula.items()}
    formulas = [formula, *([] if re_formula is None else [re_formula]), *components.values()]
    for text in formulas:
        if not isinstance(text, str):
            raise TypeError(f"a formula must be a string, not {type(text).__name__}")
    name, labels = _groups(groups, frame)
    rows = None if subset is None else rows_of_subset(subset, frame.index)
    names = words(formulas)
    used, own = (frame, labels) if rows is None else (frame.iloc[rows], labels[rows])
    columns = [used[column] for column in frame.columns if column in names]
    whole = complete([*columns, own], len(own))
    if not whole.all():
        if missing != "drop":
            absent = [c.name for c in columns if pd.isna(c).any()]
            raise ValueError(
                f"missing values in {', '.join(map(repr, absent)) or 'groups'}; use missing='drop' to leave "
                "these rows out"
            )
        rows = np.flatnonzero(whole) if rows is None else rows[whole]
        used, own = frame.iloc[rows], labels[rows]
    if not len(used):
        raise ValueError("no rows are left to fit the model to")
    reader = _Reader(environment(eval_env, names))
    endog, exog, model_spec = reader.two_sides(formula, used)
    group_label = name or "Group"
    exog_re, exog_re_names = None, [] if components else [group_label]
    if re_formula is not None:
        exog_re, exog_re_names = reader.columns(re_formula, used)
        exog_re_names = [column.replace("Intercept", group_label) for column in exog_re_names]
    exog_vc = None
    if components:
        by_group = Groups(own)
        found = [reader.component(key, components[key], used, by_group) for key in sorted(components)]
        exog_vc = ComponentSpec(found, by_group)
    return FormulaParts(used, rows, endog, exog, model_spec, own, name, exog_re, exog_re_names, exog_vc)


def spec_of(formula: str, data: pd.DataFrame, names: dict[str, Any]) -> Any:
    """What the formula engine keeps of a formula, from the data and the names that are no columns."""
    return _Reader(names).two_sides(formula, data)[2]


class _Reader:
    """Formulas as matrices."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._names = names

    def two_sides(self, formula: str, data: pd.DataFrame) -> tuple[Any, Any, Any]:
        manager: Any = FormulaManager()
        found = manager.get_matrices(
            formula, data, eval_env=self._names, na_action=manager.get_na_action(action="raise")
        )
        if not isinstance(found, tuple):
            raise ValueError(f"the formula {formula!r} has no response: write 'y ~ x'")
        endog, exog = found
        if endog.shape[1] > 1:
            raise ValueError(
                f"the response has {endog.shape[1]} columns, {', '.join(map(str, endog.columns))}: it must "
                "be one column of numbers; labels and truth values become a column each"
            )
        return endog, exog, manager.spec

    def columns(self, formula: str, data: pd.DataFrame) -> tuple[Any, list[str]]:
        if formula.replace("~", "").strip() == "1":
            return np.ones((len(data), 1)), ["Intercept"]
        manager: Any = FormulaManager()
        found = manager.get_matrices(
            formula, data, eval_env=self._names, na_action=manager.get_na_action(action="raise")
        )
        return np.asarray(found, dtype=np.float64), [str(column) for column in found.columns]

    def component(self, name: str, formula: str, data: pd.DataFrame, groups: Groups) -> Component:
        """
        A component: its formula is evaluated within each group.

        One factor, and columns of numbers, need not be: what they give is known.
        """
        if formula.replace("~", "").strip() == "1":
            return component_of_columns(name, np.ones((len(data), 1)), ["Intercept"], groups)
        factor, columns = _FACTOR.fullmatch(formula), _COLUMNS.fullmatch(formula)
        if factor is not None and (found := self._factor(name, formula, factor, data, groups)) is not None:
            return found
        if columns is not None:
            wanted = [part.strip() for part in columns[1].split("+")]
            if all(column in data and data[column].dtype.kind in "fiu" for column in wanted):
                own, listed = self.columns(formula, data)
                return component_of_columns(name, own, listed, groups)
        pairs = [self.columns(formula, data.iloc[rows]) for rows in groups.rows]
        return component_of_matrices(name, [pair[0] for pair in pairs], [pair[1] for pair in pairs], groups)

    def _factor(
        self, name: str, formula: str, found: re.Match[str], data: pd.DataFrame, groups: Groups
    ) -> Component | None:
        column = found[2] or found[1]
        if column not in data or (found[2] is None and data[column].dtype.kind in "fiubc"):
            return None
        if data[column].dtype.kind == "b":
            return None
        whole = data[column]
        values = whole.array if isinstance(whole.dtype, pd.CategoricalDtype) else whole.to_numpy()
        # The engine names the columns of the first group; the others are alike.
        first = groups.rows[0][:_FEW]
        _, names = self.columns(formula, data.iloc[first])
        levels = pd.unique(values[first])
        marks = [f"[{level}]" for level in levels]
        prefix = next((n.removesuffix(m) for n in names for m in marks if n.endswith(m)), found[1])
        return component_of_levels(name, values, groups, prefix)


def _as_pandas(data: Any) -> pd.DataFrame:
    if isinstance(data, Mapping):
        return pd.DataFrame(data)
    found = rows_of(data)
    # Arrays with names, too.
    if isinstance(found, np.ndarray) and found.dtype.names:
        return pd.DataFrame(found)
    if not isinstance(found, pd.DataFrame):
        raise TypeError(f"data must be a data frame or a dict of columns, not {type(data).__name__}")
    return found


def _groups(groups: Any, data: pd.DataFrame) -> tuple[str | None, Any]:
    if groups is None:
        raise TypeError("from_formula needs groups: a column of data, or a label for each row")
    if isinstance(groups, str):
        if groups not in data:
            raise KeyError(f"groups: data has no column {groups!r}")
        return groups, data[groups].to_numpy()
    if not np.ndim(groups):
        raise TypeError(
            f"groups must be the name of a column, as text, or a label for each row, not {groups!r}; for a "
            f"column whose name is no text give its values, data[{groups!r}]"
        )
    if _are_names(groups, data):
        raise ValueError(
            "groups must be one column; for factors within groups use vc_formula, such as "
            f"groups={groups[0]!r}, vc_formula={{{groups[-1]!r}: '0 + C({groups[-1]})'}}"
        )
    check_groups(groups)
    if (
        isinstance(groups, pd.Series)
        and len(groups) == len(data)
        and not groups.index.equals(data.index)
        and groups.index.is_unique
        and data.index.isin(groups.index).all()
    ):
        groups = groups.loc[data.index]
    labels = groups.to_numpy() if hasattr(groups, "to_numpy") else np.asarray(groups)
    if labels.shape != (len(data),):
        raise ValueError(
            f"groups has shape {labels.shape}, but data has {len(data)} rows; give a label for each row or "
            "the name of a column"
        )
    return None, labels


def _are_names(groups: Any, data: pd.DataFrame) -> bool:
    """Whether a list has names of columns instead of labels."""
    several = isinstance(groups, list) and 0 < len(groups) != len(data)
    return several and all(isinstance(name, str) and name in data for name in groups)
