"""
Evaluation of the expressions of a formula on data.

The first evaluation, on the fitting data, fills a *memory*: the levels of every factor and the constants of
every stateful transform. Evaluation on new data uses that memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, FormulaError
from ..formula.function_table import FULL, FUNCTIONS
from ..formula.nodes import Binary, Call, Flag, Name, Node, Number, Text, Unary, Word, write
from ..frame import Factor, Frame, LabelsOnly, Numeric, as_factor, drop_unused, interact
from .call_options import OPTIONS, checked_constant
from .factor_calls import by_number, coding_of, labels_of, plain, with_first
from .values import Basis, Coded, Value, match_levels

_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
    "**": np.power,
}
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_LOGICAL = frozenset({*_COMPARE, "&", "|", "in", "not in"})


@dataclass
class Memory:
    """
    Facts about the fitting data that are needed for new data.

    Attributes
    ----------
    columns : dict
        For each column: its level labels, or None for numbers.
    truths : set of str
        The columns of True/False values.
    levels : dict
        Labels of each factor made by a call, by the call's text.
    transforms : dict
        Each fitted transform, by the call's text.
    """

    columns: dict[str, tuple[str, ...] | None] = field(default_factory=dict)
    truths: set[str] = field(default_factory=set)
    levels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    transforms: dict[str, Any] = field(default_factory=dict)


class Evaluator:
    """
    Evaluates expressions on the rows of a frame.

    Parameters
    ----------
    frame : Frame
    memory : Memory
        Filled when ``fitting``, used otherwise.
    functions : mapping
        The caller's own functions.
    fitting : bool
    """

    def __init__(
        self, frame: Frame, memory: Memory, functions: Mapping[str, Callable[..., Any]], *, fitting: bool
    ) -> None:
        self.frame, self.memory, self.functions, self.fitting = frame, memory, functions, fitting
        self.n = frame.n_rows
        # Values of whole expressions.
        self.cache: dict[Node, Any] = {}
        self._used: dict[int, tuple[Factor, Factor]] = {}

    def drop_unused(self, factor: Factor) -> Factor:
        """The factor without unused levels; computed once for a factor that several terms share."""
        if id(factor) not in self._used:
            self._used[id(factor)] = factor, drop_unused(factor)
        return self._used[id(factor)][1]

    def value(self, node: Node) -> NDArray[np.float64] | Basis | Factor | Coded:
        """
        The value of a whole expression: numbers (shape (n,)), several columns, or a factor.

        Missing values in the columns stay missing.

        Raises
        ------
        DataError
            When a transform gives values that are not finite, when the expression is not a column, or when
            new data has levels that were not in the fit.
        """
        if isinstance(node, Name):
            return self._column(node.name)
        with np.errstate(all="ignore"):
            value = self._evaluate(node)
        if isinstance(value, (Factor, Coded, Basis)):
            return value
        if isinstance(value, np.ndarray) and value.shape == (self.n,):
            return value
        raise DataError(
            f"{write(node)} does not give a value for each row; a term must be computed from columns"
        )

    def finite(
        self, node: Node, value: NDArray[np.float64] | Basis, missing: NDArray[np.bool_] | None
    ) -> None:
        """Refuse values that are not finite, except in missing rows."""
        if isinstance(node, Name):
            column = self.frame.column(node.name)
            if isinstance(column, Numeric) and column.finite:
                return
        numbers = value.values if isinstance(value, Basis) else value
        good = np.isfinite(numbers)
        if good.all():
            return
        bad = ~(good if good.ndim == 1 else good.all(axis=1))
        if missing is not None:
            bad &= ~missing
        if bad.any():
            rows = np.flatnonzero(bad)
            raise DataError(
                f"{write(node)} is not finite in {len(rows)} row{'s' if len(rows) > 1 else ''} "
                f"(first: {', '.join(map(str, rows[:5]))}, counting from 0 among the rows used); "
                "check the values from which it is computed"
            )

    def _evaluate(self, node: Node) -> Value:
        if isinstance(node, Name):
            return self._column(node.name)
        if isinstance(node, Number):
            return node.value
        if isinstance(node, Text):
            return node.value
        if isinstance(node, Flag):
            return node.value
        if isinstance(node, Word):
            raise FormulaError(f"{node.word!r} is not allowed here, where a value is needed")
        if isinstance(node, Unary):
            operand = self._evaluate(node.operand)
            if node.operator == "!":
                return 1.0 - self._truth(operand, node)
            numbers = self._numbers(operand, node.operand)
            return -numbers if node.operator == "-" else numbers
        if isinstance(node, Binary):
            return self._binary(node)
        return self._call(node)

    def _column(self, name: str) -> NDArray[np.float64] | Factor:
        column = self.frame.column(name)
        if self.fitting:
            self.memory.columns[name] = column.labels() if isinstance(column, Factor) else None
            if isinstance(column, Numeric) and column.kind == "bool":
                self.memory.truths.add(name)
        elif name in self.memory.columns:
            labels = self.memory.columns[name]
            if labels is not None:
                return match_levels(column, labels, f"column {name!r}")
            if isinstance(column, Factor):
                raise DataError(
                    f"column {name!r} was numeric in the fit, but contains text or categories now"
                )
        return column if isinstance(column, Factor) else column.values

    def _numbers(self, value: Value, node: Node) -> Any:
        if isinstance(value, (Factor, Coded)):
            raise DataError(
                f"{write(node)} is a factor, but numbers are needed; as.numeric() gives its codes"
            )
        if isinstance(value, Basis):
            raise DataError(f"{write(node)} has several columns; it cannot be part of arithmetic")
        if isinstance(value, (str, tuple)) or value is None:
            raise FormulaError(f"{write(node)} is not allowed here, where a number is needed")
        return np.float64(value) if isinstance(value, (bool, float)) else value

    def _truth(self, value: Value, node: Node) -> Any:
        numbers = self._numbers(value, node)
        known = np.asarray(numbers)[~np.isnan(numbers)]
        if not ((known == 0) | (known == 1)).all():
            raise DataError(
                f"{write(node)} is not a condition; '&', '|' and 'not' combine conditions, which are true or "
                "false"
            )
        return numbers

    def _binary(self, node: Binary) -> Value:
        left, right = self._evaluate(node.left), self._evaluate(node.right)
        operator = node.operator
        if operator in _ARITHMETIC:
            return _ARITHMETIC[operator](self._numbers(left, node.left), self._numbers(right, node.right))
        if operator in _COMPARE:
            return self._compare(node, left, right)
        if operator in ("in", "not in"):
            items = right if isinstance(right, tuple) else (right,)
            if any(isinstance(item, (np.ndarray, Factor, Basis, Coded)) for item in items):
                raise FormulaError(f"{write(node)}: after 'in' there must be constants, such as c(1, 2)")
            found: Any = 0.0
            for item in items:
                found = found + self._compare(Binary("==", node.left, node.right), left, item)
            found = np.minimum(found, 1.0)
            return found if operator == "in" else 1.0 - found
        a, b = self._truth(left, node.left), self._truth(right, node.right)
        # Three-valued logic: a missing value does not matter if the other side decides.
        decided = 0.0 if operator == "&" else 1.0
        both = a * b if operator == "&" else np.maximum(a, b)
        return np.where((a == decided) | (b == decided), decided, both)

    def _compare(self, node: Binary, left: Value, right: Value) -> Any:
        if isinstance(left, str) and isinstance(right, Factor):
            left, right = right, left
        if isinstance(left, Factor):
            if node.operator not in ("==", "!=") or not isinstance(right, (str, float, bool)):
                raise DataError(
                    f"{write(node)}: a factor can only be compared with one of its levels, by '==' or '!='"
                )
            label = f"{right:g}" if isinstance(right, float) else str(right)
            chosen = np.array([level == label for level in left.labels()] + [False])
            same = chosen[left.codes] == (node.operator == "==")
            return np.where(left.codes < 0, np.nan, same)
        a, b = self._numbers(left, node.left), self._numbers(right, node.right)
        return np.where(np.isnan(a) | np.isnan(b), np.nan, _COMPARE[node.operator](a, b))

    def _call(self, node: Call) -> Value:
        name = node.function
        if name in self.functions:
            return self._own_function(node)
        if name == "c":
            return tuple(self._evaluate(a) for a in node.arguments)
        if name == "I":
            return self._evaluate(node.arguments[0])
        function = FUNCTIONS[name]
        if function.kind == "elementwise":
            arguments = [self._numbers(self._evaluate(a), a) for a in node.arguments]
            options = {k: self._numbers(self._evaluate(v), v) for k, v in node.options}
            assert function.call is not None
            return function.call(*arguments, **options)
        if function.kind == "stateful":
            return self._stateful(node)
        if function.kind == "factor":
            return self._factor_call(node)
        raise FormulaError(f"{name}() is not allowed here")

    def _stateful(self, node: Call) -> Value:
        text = write(node)
        x = self._numbers(self._evaluate(node.arguments[0]), node.arguments[0])
        if not isinstance(x, np.ndarray) or x.shape != (self.n,):
            raise DataError(f"{text} must be computed from a column")
        if self.fitting:
            self.finite(node.arguments[0], x, None)
            function = FUNCTIONS[node.function]
            named = zip(function.parameters[1:], node.arguments[1:], strict=False)
            options: dict[str, Any] = {}
            for key, argument in [*named, *node.options]:
                constant = self._evaluate(argument)
                if isinstance(constant, tuple):
                    constant = np.array([self._numbers(item, argument) for item in constant], dtype=float)
                if constant is not None:
                    options[OPTIONS.get(key, key)] = checked_constant(constant, key, argument, text)
            assert function.call is not None
            self.memory.transforms[text] = function.call(x, text, **options)
        values = self.memory.transforms[text](np.asarray(x, dtype=np.float64))
        if values.ndim == 1:
            return values
        return Basis(values, tuple(str(j + 1) for j in range(values.shape[1])))

    def _factor_call(self, node: Call) -> Value:
        name, text = node.function, write(node)
        if name in ("ifelse", "np.where"):
            return self._choice(node)
        if name == "interaction":
            factors = [self._factor(a) for a in node.arguments]
            return self._remember(text, interact(factors))
        argument = node.arguments[0]
        if name in ("as.numeric", "as.integer"):
            value = self._evaluate(argument)
            if isinstance(value, Factor):
                return np.where(value.codes < 0, np.nan, value.codes + 1.0)
            numbers = self._numbers(value, argument)
            return numbers if name == "as.numeric" else np.trunc(numbers)
        factor = self._factor(argument)
        if name in ("C", FULL):
            return Coded(self._remember(text, factor), coding_of(node))
        if name == "numFactor":
            return self._remember(text, by_number(factor, text) if self.fitting else factor)
        options = dict(node.options)
        options.update(zip(FUNCTIONS[name].parameters[1:], node.arguments[1:], strict=False))
        if name == "relevel" and self.fitting:
            factor = with_first(factor, self._evaluate(options["ref"]), text)
        if "levels" in options and self.fitting:
            chosen = self._evaluate(options["levels"])
            items = chosen if isinstance(chosen, tuple) else (chosen,)
            labels = tuple(f"{v:g}" if isinstance(v, float) else str(v) for v in items)
            if len(set(labels)) < len(labels):
                raise FormulaError(f"{text}: the levels must differ")
            factor = match_levels(factor, labels, text, "among its levels")
        ordered = name in ("ordered", "as.ordered") or factor.ordered
        return self._remember(text, Factor(text, factor.codes, factor.levels, ordered))

    def _choice(self, node: Call) -> Value:
        """One of two values for each row, chosen by a condition: numbers or labels."""
        text = write(node)
        parts = dict([*zip(FUNCTIONS[node.function].parameters, node.arguments, strict=False), *node.options])
        test = self._truth(self._evaluate(parts["test"]), parts["test"])
        values = [self._evaluate(parts[name]) for name in ("yes", "no")]
        if not any(isinstance(value, (str, Factor, Coded)) for value in values):
            yes, no = (self._numbers(v, parts[name]) for v, name in zip(values, ("yes", "no"), strict=True))
            return np.where(np.isnan(test), np.nan, np.where(test == 1, yes, no))
        if not all(isinstance(value, (str, Factor, Coded)) for value in values):
            raise DataError(f"{text} mixes numbers and labels; both values must be numbers, or both labels")
        yes, no = (labels_of(value, self.n) for value in values)
        labels = np.where(np.isnan(test), None, np.where(test == 1, yes, no))
        labels = np.broadcast_to(labels, (self.n,))
        return self._remember(text, as_factor(Frame.from_any({text: labels}).column(text)))

    def _factor(self, node: Node) -> Factor:
        """An expression as a factor."""
        if isinstance(node, Name) and not self.fitting and self.memory.columns.get(node.name) is None:
            # Numbers in the fit: labels are compared, so new data may have numbers or text.
            return as_factor(self.frame.labels(node.name))
        if isinstance(node, Name) and isinstance(column := self.frame.labels(node.name), LabelsOnly):
            return column
        value = self._evaluate(node)
        if isinstance(value, Coded):
            return value.factor
        if isinstance(value, Factor):
            return value
        numbers = self._numbers(value, node)
        if not isinstance(numbers, np.ndarray):
            raise DataError(f"{write(node)} is a constant; a factor must be made from a column")
        if isinstance(node, Name):
            return as_factor(self.frame.column(node.name))
        return as_factor(Numeric(write(node), numbers, "bool" if is_truth(node, self.memory) else "float"))

    def _remember(self, text: str, factor: Factor) -> Factor:
        if self.fitting:
            self.memory.levels[text] = factor.labels()
            return Factor(text, factor.codes, factor.levels, factor.ordered)
        return match_levels(factor, self.memory.levels[text], text)

    def _own_function(self, node: Call) -> Value:
        text = write(node)
        arguments = [plain(self._evaluate(a)) for a in node.arguments]
        options = {k: plain(self._evaluate(v)) for k, v in node.options}
        try:
            result = self.functions[node.function](*arguments, **options)
        except Exception as error:
            raise DataError(f"{text}: the function raised {type(error).__name__}: {error}") from error
        if np.ndim(result) == 0:
            number: Any = result
            if isinstance(number, (int, float, np.number)):
                return float(number)
            raise DataError(
                f"{text}: the function must return numbers or labels, not {type(result).__name__}"
            )
        if len(result) != self.n:
            raise DataError(f"{text}: the function returned {len(result)} rows instead of {self.n}")
        if np.ndim(result) == 2:
            try:
                values = np.array(result, dtype=np.float64)
            except (TypeError, ValueError):
                raise DataError(
                    f"{text}: the function must return numbers, or one label for each row"
                ) from None
            return Basis(values, tuple(str(j + 1) for j in range(values.shape[1])))
        column = Frame.from_any({text: result}).column(text)
        if isinstance(column, Factor):
            return self._remember(text, column)
        return column.values


def is_truth(node: Node, memory: Memory) -> bool:
    """Whether an expression is true or false, rather than any number."""
    if isinstance(node, Name):
        return node.name in memory.truths
    if isinstance(node, Call) and node.function == "I":
        return is_truth(node.arguments[0], memory)
    if isinstance(node, Unary):
        return node.operator == "!"
    return isinstance(node, Binary) and node.operator in _LOGICAL
