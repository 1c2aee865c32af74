"""Warnings about columns and powers whose meaning in the model is probably not what the user intended."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import DataWarning, FormulaWarning
from ..formula import ModelFormula
from ..formula.nodes import Name, write
from ..formula.term_list import SelfProduct
from ..frame import Factor, Frame
from ..notices import warn_user
from .evaluator import Evaluator
from .matrix import Levels, MatrixPlan, label_of

# A factor in the fixed part with at least this many levels, and more than half as many levels as rows, is
# probably a mistake.
_MANY_LEVELS = 10
# Of two levels that differ only by case, one with at most this share of the other's rows is probably a typo;
# more frequent ones, such as the genotypes AA, Aa and aa, are intended.
_RARE = 0.05
# Text is reported as numbers with a few exceptions if numbers have this many times more levels, and this
# share of the rows.
_TIMES_MORE_LEVELS = 5
_SHARE_OF_ROWS = 0.9


def warn_of_columns(formula: ModelFormula, frame: Frame, fixed: MatrixPlan) -> None:
    """
    Warn of suspicious levels in the factors of a model.

    Parameters
    ----------
    formula : ModelFormula
    frame : Frame
        The rows used.
    fixed : MatrixPlan
        The columns of the fixed part.
    """
    terms = [formula.fixed_terms, *(spec.terms for spec in formula.random)]
    predictors = {node.name for part in terms for node in part.factors if isinstance(node, Name)}
    for name in formula.variables:
        column = frame.labels(name)
        if not isinstance(column, Factor):
            continue
        found = look_alikes(column)
        if name in predictors and not found:
            found = numbers_as_text(column)
        if found:
            warn_user(f"column {name!r} {found}", DataWarning)
    for node, coding in zip(fixed.nodes, fixed.codings, strict=True):
        if isinstance(coding, Levels):
            found = _many_levels(coding.labels, frame.n_rows, label_of(node))
            if found:
                warn_user(found, DataWarning)


def look_alikes(factor: Factor) -> str:
    """
    The warning for levels that differ only by surrounding blanks, or by case with one of them rare.

    Empty when there are none.
    """
    try:
        text = "".join(factor.levels)
    except TypeError:
        # Some levels are not text.
        return ""
    if text.isalnum() and text == text.casefold():
        # Neither blanks nor upper case, as in subject numbers.
        return ""
    if len({_plain(label) for label in factor.levels}) == len(factor.levels):
        return ""
    rows = _rows_of_levels(factor)
    groups: dict[str, list[int]] = {}
    for i in np.flatnonzero(rows):
        groups.setdefault(_plain(factor.levels[i]), []).append(int(i))
    found = [_suspicious(factor, rows, group) for group in groups.values() if len(group) > 1]
    alike = [group for group in found if group]
    if not alike:
        return ""
    number = sum(map(len, alike))
    return (
        f"has {number} levels that differ from others only by case or surrounding blanks, such as "
        f"{_counted(factor, rows, alike[0])}. They are separate levels in the model; if they mean the same, "
        "give them the same text before the fit"
    )


def _suspicious(factor: Factor, rows: NDArray[np.int64], group: Sequence[int]) -> list[int]:
    """The most frequent of several similar levels, and the levels that probably mean the same."""
    main = max(group, key=lambda i: rows[i])
    blanks = {i for i in group if factor.levels[i] != factor.levels[i].strip()}
    other = [
        i for i in group if i != main and (i in blanks or main in blanks or rows[i] <= _RARE * rows[main])
    ]
    return sorted([main, *other]) if other else []


def numbers_as_text(factor: Factor) -> str:
    """The warning for a factor whose labels are numbers except in a few rows; empty for others."""
    if not factor.levels or not all(isinstance(level, str) for level in factor.levels):
        return ""
    numeric = np.array([_is_number(level) for level in factor.levels])
    if numeric.all() or numeric.sum() < _TIMES_MORE_LEVELS * (~numeric).sum():
        return ""
    rows = _rows_of_levels(factor)
    strange = np.flatnonzero(~numeric & (rows > 0))
    inside, total = int(rows[numeric].sum()), int(rows.sum())
    if not len(strange) or inside < _SHARE_OF_ROWS * total:
        return ""
    return (
        f"is text: {inside} of {total} rows look like numbers, others are "
        f"{_counted(factor, rows, strange)}. The model treats it as a factor with {np.count_nonzero(rows)} "
        "levels; to use it as a number, set the other values to missing and convert the column"
    )


def _many_levels(labels: Sequence[str], n: int, name: str) -> str:
    if len(labels) < _MANY_LEVELS or 2 * len(labels) <= n:
        return ""
    return (
        f"factor {name!r} in the fixed part has {len(labels)} levels ({labels[0]!r}, {labels[1]!r}, ...) in "
        f"{n} rows; if it contains numbers, convert it to numbers; if it identifies groups, write "
        f"(1 | {name})"
    )


def _rows_of_levels(factor: Factor) -> NDArray[np.int64]:
    return np.bincount(factor.codes[factor.codes >= 0], minlength=len(factor.levels))


def _counted(factor: Factor, rows: NDArray[np.int64], levels: Sequence[int] | NDArray[np.intp]) -> str:
    shown = [f"{factor.levels[i]!r} ({rows[i]} row{'s' if rows[i] != 1 else ''})" for i in levels[:2]]
    return " and ".join(shown)


def _plain(label: str) -> str:
    return label.strip().casefold()


def _is_number(label: str) -> bool:
    try:
        return math.isfinite(float(label))
    except ValueError:
        return False


def warn_of_self_products(products: Sequence[SelfProduct], evaluator: Evaluator) -> None:
    """
    Warn that ``x**2`` means x, as in R, if x is a number that differs from its square.

    For a factor there is nothing to confuse.
    """
    for product in products:
        value = evaluator.value(product.node)
        if not isinstance(value, np.ndarray) or np.array_equal(value, value**2):
            continue
        name = write(product.node)
        warn_user(
            f"{product.text} does not add a power of {name}: as in R, a product of a variable with itself is "
            f"that variable; for the power write I({name}**{product.power})",
            FormulaWarning,
        )
