"""The response: numbers for a linear model, any form that the family allows for a generalized one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError, DataError
from ..families import Family
from ..formula.nodes import Binary, Call, Name, Node, variables, write
from ..frame import Factor, Frame, Numeric
from .column_checks import numbers_as_text
from .evaluator import Evaluator, Memory
from .rows import ChosenRows
from .values import Basis, Coded


def numeric_response(node: Node, evaluator: Evaluator, rows: ChosenRows) -> NDArray[np.float64]:
    """
    A response that is a single column of numbers (True counts as 1), shape (n,).

    Raises
    ------
    DataError
        For a factor, for several columns, and for values that are not finite.
    """
    text = write(node)
    if isinstance(node, Call) and node.function == "cbind":
        raise DataError(
            f"the response {text} is a matrix, but a linear mixed model has one response; "
            "fit one column and refit() the model to the others, or, for successes and failures, use glmer() "
            "with family='binomial'"
        )
    value = evaluator.value(node)
    if isinstance(value, (Factor, Coded)):
        factor = value.factor if isinstance(value, Coded) else value
        hint = numbers_as_text(factor)
        if hint:
            raise DataError(f"the response {text} {hint}")
        levels = ", ".join(map(repr, factor.labels()[:5]))
        raise DataError(
            f"the response {text} is not numeric but a factor with levels {levels}"
            f"{', ...' if len(factor.levels) > 5 else ''}; a linear mixed model needs numbers "
            f"(as.numeric({text}) gives the codes 1, 2, ...); for two levels fit a binomial model"
        )
    if isinstance(value, Basis):
        raise DataError(
            f"the response {text} has {value.values.shape[1]} columns; a linear mixed model has one"
        )
    evaluator.finite(node, value, None)
    return np.array(value, dtype=np.float64)


Values = NDArray[np.float64]
RowName = Callable[[int], str]

# Tolerance, relative to the trials, for a number of successes to be whole.
_WHOLE = 1e-6


@dataclass(frozen=True)
class ResponseForm:
    """
    How a response was specified.

    Attributes
    ----------
    kind : {"number", "bool", "labels", "proportion", "counts"}
        "number" for numbers, including 0 and 1; "labels" for a factor with two levels; "proportion" for
        proportions of a number of trials; "counts" for successes with failures or trials in two columns.
    labels : tuple
        The two levels of a factor, failure first.
    binomial : bool
        Whether the response counts successes in trials.
    """

    kind: Literal["number", "bool", "labels", "proportion", "counts"] = "number"
    labels: tuple[Any, ...] = ()
    binomial: bool = False


@dataclass(frozen=True, eq=False)
class Response:
    """
    A response as passed to the engine.

    Attributes
    ----------
    y : ndarray, shape (n,)
        Numbers of successes for a binomial response.
    weights : ndarray, shape (n,), or None
        Numbers of trials (None: all one) for a binomial response, else prior weights.
    form : ResponseForm
    """

    y: Values
    weights: Values | None
    form: ResponseForm


def read_response(node: Node, evaluator: Evaluator, rows: ChosenRows, family: Family) -> Response:
    """
    The left side of a formula as a response for a family.

    Raises
    ------
    DataError
        Naming the response, and the first row and value that are invalid for the family.
    """
    name = write(node)
    if family.trials:
        return _binomial(node, name, evaluator, rows)
    if isinstance(node, Call) and node.function == "cbind":
        raise DataError(
            f"the response {name} has several columns, which only the binomial family accepts (successes "
            f"and failures); family {family.name} needs one"
        )
    value = evaluator.value(node)
    if isinstance(value, (Factor, Coded)):
        raise DataError(
            f"the response {name} contains text or categories ({_levels(value)}), but family {family.name} "
            "needs numbers"
        )
    if isinstance(value, Basis):
        raise DataError(f"the response {name} has {value.values.shape[1]} columns; a response has one")
    evaluator.finite(node, value, None)
    y = np.array(value, dtype=np.float64)
    check_values(y, family, name, rows.name)
    return Response(y, rows.weights, ResponseForm("number"))


def trials_of(node: Node, frame: Frame, functions: Mapping[str, Callable[..., Any]]) -> Values | None:
    """
    The numbers of trials in a response of two columns, shape (n,), NaN where they are missing.

    None when the data lack a column, or the response is not of this form.
    """
    ratio = _ratio(node)
    parts = [ratio[1]] if ratio is not None else []
    if isinstance(node, Call) and node.function == "cbind" and len(node.arguments) == 2:
        parts = list(node.arguments)
    if not parts or not all(name in frame for part in parts for name in variables(part)):
        return None
    evaluator = Evaluator(frame, Memory(), functions, fitting=True)
    return np.sum([_counts(part, evaluator) for part in parts], axis=0)


def is_two_columns(node: Node) -> bool:
    """Whether a response is written as ``cbind(successes, failures)`` or ``successes / trials``."""
    return (isinstance(node, Call) and node.function == "cbind") or _ratio(node) is not None


def check_values(y: Values, family: Family, name: str, row: RowName) -> None:
    """Refuse values outside the support of the family."""
    bad = family.check(y)
    if bad is not None:
        i, wanted = bad
        raise DataError(
            f"the response {name} is {y[i]:g} in {row(i)}; family {family.name} requires every value to be "
            f"{wanted}"
        )


def from_counts(successes: Values, failures: Values, name: str, row: RowName) -> tuple[Values, Values | None]:
    """Successes and trials from two columns of counts."""
    _check_counts(successes, "successes", name, row)
    _check_counts(failures, "failures", name, row)
    return _from_trials(successes, successes + failures, name, row)


def from_ratio(successes: Values, trials: Values, name: str, row: RowName) -> tuple[Values, Values | None]:
    """Successes and trials from counts written as a ratio."""
    _check_counts(successes, "successes", name, row)
    _check_counts(trials, "trials", name, row)
    if (successes > trials).any():
        i = int(np.argmax(successes > trials))
        raise DataError(f"{name}: {successes[i]:g} successes in {trials[i]:g} trials in {row(i)}")
    return _from_trials(successes, trials, name, row)


def _check_counts(values: Values, what: str, name: str, row: RowName) -> None:
    good = (values >= 0) & (values == np.floor(values))
    if not good.all():
        i = int(np.argmin(good))
        raise DataError(
            f"{name}: the number of {what} is {values[i]:g} in {row(i)}; it must be a whole number of at "
            "least 0"
        )


def _from_trials(successes: Values, trials: Values, name: str, row: RowName) -> tuple[Values, Values | None]:
    if not trials.all():
        i = int(np.argmin(trials))
        raise DataError(f"{name}: there are no trials in {row(i)}; exclude the row with subset=")
    return successes, None if (trials == 1).all() else trials


def from_proportions(
    values: Values, trials: Values | None, name: str, row: RowName
) -> tuple[Values, Values | None]:
    """Successes and trials from proportions (0 or 1 for single trials) and numbers of trials."""
    good = (values >= 0) & (values <= 1)
    if trials is None:
        good = (values == 0) | (values == 1)
    if not good.all():
        i = int(np.argmin(good))
        found = f"the response {name} is {values[i]:g} in {row(i)}"
        if trials is not None:
            raise DataError(f"{found}; a proportion lies between 0 and 1")
        raise DataError(
            f"{found}, but without numbers of trials every value must be 0 or 1; for proportions give the "
            "trials as weights=, or write successes / trials or cbind(successes, failures)"
            f"{_beta_advice(values)}"
        )
    if trials is None:
        return values, None
    _check_trials(trials, row)
    successes = np.round(values * trials)
    whole = np.abs(values * trials - successes) <= _WHOLE * trials
    if not whole.all():
        i = int(np.argmin(whole))
        raise DataError(
            f"the response {name} is {values[i]:.10g} of {trials[i]:g} trials in {row(i)}, "
            f"{values[i] * trials[i]:.6g} successes, which is not a whole number; for the binomial family "
            f"weights= must be the numbers of trials{_beta_advice(values)}"
        )
    return successes, None if (trials == 1).all() else trials


def _beta_advice(values: Values) -> str:
    """Advice on the family for proportions that are not counts."""
    if not ((values > 0) & (values < 1)).all():
        return ""
    return "; for continuous proportions, such as ratings, use family='beta'"


def _check_trials(trials: Values, row: RowName) -> None:
    good = (trials > 0) & (trials == np.floor(trials))
    if good.all():
        return
    i = int(np.argmin(good))
    advice = "; exclude the row with subset=" if trials[i] == 0 else ""
    raise DataError(
        f"weights: the number of trials is {trials[i]:g} in {row(i)}; for the binomial family it must be a "
        f"whole number of at least 1{advice}"
    )


def _binomial(node: Node, name: str, evaluator: Evaluator, rows: ChosenRows) -> Response:
    if isinstance(node, Call) and node.function == "cbind":
        if len(node.arguments) != 2 or node.options:
            raise DataError(f"the response {name} must have two columns: cbind(successes, failures)")
        columns = [_numbers(part, evaluator) for part in node.arguments]
        return _two_columns(columns[0], columns[1], name, rows)
    ratio = _ratio(node)
    if ratio is not None and rows.weights is None:
        counts = [_numbers(part, evaluator) for part in ratio]
        y, trials = from_ratio(counts[0], counts[1], name, rows.name)
        return Response(y, trials, ResponseForm("counts", binomial=True))
    value = evaluator.value(node)
    if isinstance(value, Basis):
        if value.values.shape[1] != 2:
            raise DataError(
                f"the response {name} has {value.values.shape[1]} columns; a binomial response has two, "
                "successes and failures"
            )
        evaluator.finite(node, value, None)
        return _two_columns(value.values[:, 0], value.values[:, 1], name, rows)
    form = ResponseForm("number", binomial=True)
    if isinstance(value, (Factor, Coded)):
        factor = evaluator.drop_unused(value.factor if isinstance(value, Coded) else value)
        if len(factor.levels) != 2:
            kind = "is constant" if len(factor.levels) == 1 else f"has {len(factor.levels)} levels"
            raise DataError(
                f"the response {name} {kind} ({_levels(factor)}); a binomial response has two levels, "
                "failure first"
            )
        form = ResponseForm("labels", factor.levels, binomial=True)
        numbers = (factor.codes == 1).astype(np.float64)
    else:
        evaluator.finite(node, value, None)
        numbers = np.array(value, dtype=np.float64)
        if _is_bool(node, evaluator):
            form = ResponseForm("bool", binomial=True)
        elif rows.weights is not None:
            form = ResponseForm("proportion", binomial=True)
    y, trials = from_proportions(numbers, rows.weights, name, rows.name)
    return Response(y, trials, form)


def _ratio(node: Node) -> tuple[Node, Node] | None:
    """Numerator and denominator of ``successes / trials``; None if the denominator is constant."""
    while isinstance(node, Call) and node.function == "I":
        node = node.arguments[0]
    if isinstance(node, Binary) and node.operator == "/" and variables(node.right):
        return node.left, node.right
    return None


def _two_columns(successes: Values, failures: Values, name: str, rows: ChosenRows) -> Response:
    if rows.weights is not None:
        raise ArgumentError(
            f"weights= are the numbers of trials of a binomial model, but {name} already contains them; give "
            "only one of the two"
        )
    y, trials = from_counts(successes, failures, name, rows.name)
    return Response(y, trials, ResponseForm("counts", binomial=True))


def _numbers(node: Node, evaluator: Evaluator) -> Values:
    value = _counts(node, evaluator)
    evaluator.finite(node, value, None)
    return value


def _counts(node: Node, evaluator: Evaluator) -> Values:
    value = evaluator.value(node)
    if isinstance(value, (Factor, Coded, Basis)):
        raise DataError(f"the response: {write(node)} must be a column of counts")
    return np.array(np.broadcast_to(np.asarray(value, dtype=np.float64), (evaluator.n,)))


def _is_bool(node: Node, evaluator: Evaluator) -> bool:
    if not isinstance(node, Name):
        return False
    column = evaluator.frame.column(node.name)
    return isinstance(column, Numeric) and column.kind == "bool"


def _levels(value: Factor | Coded) -> str:
    labels = (value.factor if isinstance(value, Coded) else value).labels()
    return ", ".join(map(repr, labels[:5])) + (", ..." if len(labels) > 5 else "")
