"""The calls in formulas that make or read factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import DataError
from ..formula.function_table import CODINGS, FULL
from ..formula.nodes import Call, Number, Text, Word
from ..frame import Factor, drop_unused
from .contrast_coding import LevelNumber
from .values import Basis, Coded, Value, match_levels


def coding_of(call: Call) -> Any:
    """The contrasts that C() names, with a base level given to C() or to the coding; FULL for all levels."""
    if call.function == FULL:
        return FULL
    options = dict(call.options)
    node = call.arguments[1] if len(call.arguments) > 1 else options.get("contr")
    base = options.get("base")
    if node is None and base is None:
        return None
    word = node.word if isinstance(node, Word) else node.function if isinstance(node, Call) else "treatment"
    kind = CODINGS[word]
    counts = True
    if isinstance(node, Call) and (node.options or node.arguments):
        # An unnamed number is a label.
        counts, base = bool(node.options), node.options[0][1] if node.options else node.arguments[0]
    if base is None:
        return kind
    if isinstance(base, Number):
        if not counts:
            return kind, f"{base.value:g}"
        if not float(base.value).is_integer():
            raise DataError(
                f"base={base.value:g} must be the position of a level, a whole number from 1, or the label "
                "of a level in quotes"
            )
        return kind, LevelNumber(int(base.value))
    return kind, base.value if isinstance(base, Text) else ""


def with_first(factor: Factor, reference: Any, text: str) -> Factor:
    """The factor with one level (a label, or its position from 1) moved to the front."""
    if factor.ordered:
        raise DataError(f"{text}: an ordered factor cannot be releveled")
    labels = factor.labels()
    if isinstance(reference, str) and reference in labels:
        first = labels.index(reference)
    elif isinstance(reference, float) and reference in range(1, len(labels) + 1):
        first = int(reference) - 1
    else:
        shown = f"{reference:g}" if isinstance(reference, float) else repr(reference)
        raise DataError(f"{text}: {shown} is not one of the levels {', '.join(map(repr, labels[:20]))}")
    return match_levels(factor, (labels[first], *labels[:first], *labels[first + 1 :]), text)


def by_number(factor: Factor, text: str) -> Factor:
    """The factor with its levels, which must be numbers, in numerical order."""
    factor = drop_unused(factor)
    times = numbers_of(factor.labels())
    if times is None:
        raise DataError(
            f"{text}: numFactor() needs a column of numbers, or a factor whose levels are numbers"
        )
    order = np.argsort(times, kind="stable")
    return match_levels(factor, tuple([factor.labels()[i] for i in order]), text)


def numbers_of(labels: Sequence[str]) -> tuple[float, ...] | None:
    """Labels as finite numbers, with or without glmmTMB's parentheses, ``"(2.5)"``; None for other labels."""
    try:
        numbers = tuple([float(label.removeprefix("(").removesuffix(")")) for label in labels])
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def labels_of(value: Value, n: int) -> Any:
    """Labels by row, as objects."""
    if isinstance(value, Coded):
        value = value.factor
    if isinstance(value, Factor):
        return np.array([*value.labels(), None], dtype=object)[value.codes]
    return np.full(n, value, dtype=object)


def plain(value: Value) -> Any:
    """A value as passed to the caller's own functions: numpy arrays, labels as objects."""
    if isinstance(value, Coded):
        value = value.factor
    if isinstance(value, Factor):
        return np.array([*value.levels, None], dtype=object)[value.codes]
    if isinstance(value, Basis):
        return value.values.copy()
    return value.copy() if isinstance(value, np.ndarray) else value
