"""Tests of linear hypotheses Lβ = c."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...checks import finite_number
from ...design import r_names
from ...errors import ArgumentError, EstimabilityWarning
from ...fit.state import FittedModel
from ...notices import warn_user
from ...render.anova_table import AnovaTable, anova_table
from ...render.numbers import format_number
from ...wording import listed, one_line
from ..basis.choice import DdfName, Vcov, basis_of, large_samples
from ..basis.degrees_of_freedom import DegreesOfFreedom, JointTest, by_method, notes_on_tests
from .coefficient_tests import function_tests
from .estimability import Undetermined
from .hypothesis_text import parse_hypothesis
from .labelled_weights import weight_rows

# Of functions that the data do not determine.
NO_TEST = JointTest(math.nan, math.nan, 0, math.nan)


@dataclass(frozen=True, eq=False)
class Hypotheses:
    """
    Linear functions of the coefficients and their values under the hypothesis.

    Attributes
    ----------
    rows : ndarray, shape (m, rank)
        In the kept coefficients.
    rhs : ndarray, shape (m,)
    labels : tuple of str
    estimable : ndarray of bool, shape (m,)
        Which of them the data determine.
    """

    rows: NDArray[np.float64]
    rhs: NDArray[np.float64]
    labels: tuple[str, ...]
    estimable: NDArray[np.bool_]


def joint_test(
    fitted: FittedModel,
    hypotheses: Any,
    rhs: Any = None,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> AnovaTable:
    """
    Test all hypotheses at once, see :func:`mixedmodels.linear_hypothesis`.

    Returns
    -------
    AnovaTable
        One row with columns F value, NumDF, DenDF, Pr(>F), or Chisq, Df, Pr(>Chisq); NaN when the data do
        not determine one of the functions.
    """
    return _tested_jointly(read_hypotheses(fitted, hypotheses, rhs), basis_of(fitted, ddf, vcov))


def wald_test(fitted: FittedModel, hypotheses: Any, rhs: Any = None, vcov: Vcov | None = None) -> AnovaTable:
    """Test all hypotheses at once by χ², whatever the kind of model, see :func:`mixedmodels.wald_test`."""
    basis = basis_of(fitted, "inf") if vcov is None else large_samples(basis_of(fitted, vcov=vcov))
    return _tested_jointly(read_hypotheses(fitted, hypotheses, rhs), basis)


def _tested_jointly(found: Hypotheses, basis: DegreesOfFreedom) -> AnovaTable:
    test = basis.joint(found.rows, found.rhs) if found.estimable.all() else NO_TEST
    heading = [by_method("Linear hypothesis", basis), *(f" {label}" for label in found.labels)]
    columns: dict[str, list[float]]
    if basis.infinite:
        columns = {"Chisq": [test.wald * test.df1], "Df": [test.df1], "Pr(>Chisq)": [test.p_value]}
    else:
        columns = {
            "F value": [test.statistic],
            "NumDF": [test.df1],
            "DenDF": [test.df2],
            "Pr(>F)": [test.p_value],
        }
    return anova_table(columns, ["hypothesis"], heading, notes_on_tests(basis, [test]))


def single_tests(
    fitted: FittedModel,
    hypotheses: Any,
    rhs: Any = None,
    ddf: DdfName | None = None,
    vcov: Vcov | None = None,
) -> AnovaTable:
    """
    Test the hypotheses one at a time, see :func:`mixedmodels.t_test`.

    Returns
    -------
    AnovaTable
        A row for each, with columns Estimate, Std. Error, df, t value, Pr(>|t|), or Estimate, Std. Error,
        z value, Pr(>|z|); NaN for functions that the data do not determine.
    """
    found = read_hypotheses(fitted, hypotheses, rhs)
    basis = basis_of(fitted, ddf, vcov)
    table = function_tests(basis, found.rows, found.rhs)
    columns = {str(name): np.where(found.estimable, table[name], np.nan) for name in table}
    return anova_table(columns, found.labels, [by_method("Tests", basis)], basis.notes)


def read_hypotheses(fitted: FittedModel, hypotheses: Any, rhs: Any = None) -> Hypotheses:
    """
    Hypotheses in any form that users write them.

    Parameters
    ----------
    fitted : FittedModel
    hypotheses : str, sequence of str, mapping of str to float, or array-like of shape (m, p) or (p,)
        Texts such as ``"a2 - a1 = 0"``, names of coefficients with weights, or L. The columns of a data
        frame and the index of a Series are names, unless they are 0, 1, 2, ... Names are those of the
        summary, or R's.
    rhs : float or array-like of shape (m,), optional
        The value of Lβ under the hypothesis; zero by default. Texts state it themselves.

    Raises
    ------
    ArgumentError
        When the form or a name does not suit, or a text or mapping names a coefficient that was dropped.

    Warns
    -----
    EstimabilityWarning
        For rows of L that the data do not determine. Names mean the coefficients as they are reported, with
        the dropped ones left out; L multiplies all columns of X.
    """
    names, others = fitted.design.x_names, r_names(fitted.design.recipe)
    labels: list[str] | None = None
    given: NDArray[np.float64] | None = None
    by_name = True
    if isinstance(hypotheses, str):
        hypotheses = [hypotheses]
    if isinstance(hypotheses, Mapping):
        rows = _from_mapping(hypotheses, names, others)[None]
    elif _all_texts(hypotheses):
        parsed = [parse_hypothesis(text, names, others) for text in hypotheses]
        rows = np.array([row for row, _ in parsed])
        given = np.array([value for _, value in parsed])
        labels = [text if "=" in text else f"{text} = 0" for text in hypotheses]
    else:
        rows, by_name = _from_array(hypotheses, names, others), False
    if given is None:
        given = _right_side(rhs, len(rows))
    elif rhs is not None:
        raise ArgumentError("rhs= is for a matrix or weights; in a string write 'x = 1'")
    kept = fitted.estimates.kept
    undetermined = Undetermined(fitted)
    dropped = undetermined.dropped
    if by_name and rows[:, dropped].any():
        name = names[dropped[np.argmax(rows[:, dropped].any(axis=0))]]
        raise ArgumentError(
            f"the coefficient {name!r} was dropped as linearly dependent on others and cannot be tested"
        )
    if labels is None:
        labels = [
            _written(row, value, names) for row, value in zip(rows.tolist(), given.tolist(), strict=True)
        ]
    labels = list(map(one_line, labels))
    estimable = np.ones(len(rows), dtype=bool)
    if not by_name:
        depends = undetermined.depends(rows)
        estimable = undetermined.estimable(rows)
        if not estimable.all():
            columns = [one_line(names[j]) for j in dropped[depends.any(axis=0)]]
            unknown = listed([labels[i] for i in np.flatnonzero(~estimable)], "; ")
            warn_user(
                f"L: NaN for {unknown}: not determined by the data "
                f"(dropped column{'s' if len(columns) > 1 else ''} {listed(columns)})",
                EstimabilityWarning,
            )
    return Hypotheses(rows[:, kept], given, tuple(labels), estimable)


def _all_texts(value: Any) -> bool:
    if not isinstance(value, Sequence) or not len(value):
        return False
    return all(isinstance(part, str) for part in value)


def _from_mapping(
    weights: Mapping[Any, Any], names: Sequence[str], others: Mapping[str, str]
) -> NDArray[np.float64]:
    row = np.zeros(len(names))
    for given, weight in weights.items():
        name = others.get(given, given)
        if name not in names:
            known = f"the coefficients are: {listed(names, most=20)}" if names else "the model has none"
            raise ArgumentError(f"there is no coefficient {given!r}; {known}")
        row[list(names).index(name)] += finite_number(f"the weight of {given!r}", weight)
    return _finite(row)


def _from_array(value: Any, names: Sequence[str], others: Mapping[str, str]) -> NDArray[np.float64]:
    try:
        rows = weight_rows(value, names, others, "coefficient")
    except ArgumentError:
        raise
    except (TypeError, ValueError):
        raise ArgumentError(
            f"hypotheses must be strings, a mapping of names to weights, or numbers, not {value!r}"
        ) from None
    if rows.ndim != 2 or rows.shape[1] != len(names) or not len(rows):
        raise ArgumentError(
            f"L has shape {np.shape(value)}; it needs a column for each of the {len(names)} coefficients"
        )
    return _finite(rows)


def _finite(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    if not np.isfinite(rows).all():
        raise ArgumentError("the weights of a hypothesis must be finite")
    return rows


def _right_side(rhs: Any, m: int) -> NDArray[np.float64]:
    try:
        values = np.asarray(0.0 if rhs is None else rhs, dtype=np.float64)
    except (TypeError, ValueError):
        raise ArgumentError(f"rhs must hold numbers, not {rhs!r}") from None
    if values.shape not in ((), (m,)) or not np.isfinite(values).all():
        raise ArgumentError(f"rhs must be one finite number, or {m}: one for each row of L")
    return np.broadcast_to(values, (m,)).astype(np.float64)


def _written(row: Sequence[float], value: float, names: Sequence[str]) -> str:
    """A row as an equation."""
    text = ""
    for weight, name in zip(row, names, strict=True):
        if weight == 0:
            continue
        size = "" if abs(weight) == 1 else f"{format_number(abs(weight), 4).strip()}*"
        sign = "-" if weight < 0 else "+"
        text += f" {sign} {size}{name}" if text else f"{'-' if weight < 0 else ''}{size}{name}"
    return f"{text or '0'} = {format_number(value, 4).strip()}"
