"""
Parsing one expression of a formula: ``log(x + 1)``, ``ns(age, df = 3)``, ``week > 2 & dose != "low"``.

This is the gate for untrusted text. The small grammar below parses the text into the tree of
``nodes.py``; nothing is ever passed to Python's ``eval``. The grammar has no attributes, subscripts,
lambdas or assignments; names are looked up among the columns only, and calls reach only the functions
of ``function_table.py`` and those that the caller passed explicitly.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple, NoReturn

from .function_table import BASED, CODINGS, FormulaFunction
from .nodes import PRECEDENCE, Binary, Call, Flag, Name, Node, Number, Text, Unary, Word, write
from .scope import Scope, error_at, find_function, missing_column

MAX_NODES = 200
MAX_DEPTH = 40
MAX_EXPONENT = 1000.0

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)L?(?![\w.])
  | `(?P<quoted>[^`]+)`
  | (?P<name>\.?[^\W\d][\w.]*)
  | "(?P<double>[^"\\]*)" | '(?P<single>[^'\\]*)'
  | (?P<operator>%in%|\*\*|==|!=|<=|>=|&&|\|\||[-+*/^<>!&|(),=\[\]~])
  )""",
    re.VERBOSE,
)
_SPELLINGS = {"&&": "&", "||": "|", "and": "&", "or": "|", "%in%": "in", "not": "!", "~": "!"}
_NUMBERS = {"pi": math.pi, "np.pi": math.pi}
_CONSTANTS = {"TRUE": True, "True": True, "FALSE": False, "False": False, "NULL": None, "None": None}
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_LITERAL = (Number, Text, Flag, Word)


class _Token(NamedTuple):
    kind: str
    text: str
    start: int


def parse_expression(source: str, scope: Scope, start: int = 0, end: int | None = None) -> Node:
    """
    Parse an expression; refuse anything that the grammar does not allow.

    Parameters
    ----------
    source : str
        The text that contains the expression (the whole formula, so that errors can show the place).
    scope : Scope
    start, end : int
        Where the expression begins and ends in ``source``.

    Returns
    -------
    Node

    Raises
    ------
    FormulaError
        When the text is not an expression, calls an unknown function, or is too long or too deeply nested.
    MissingColumnError
        When a name is not a column.
    """
    return _Parser(source, start, len(source) if end is None else end, scope).parse()


class _Parser:
    def __init__(self, source: str, start: int, end: int, scope: Scope) -> None:
        self.source, self.scope, self.end = source, scope, end
        self.tokens = list(self._lex(start, end))
        self.position = 0
        self.depth = 0
        self.nodes = 0

    def _lex(self, start: int, end: int):
        while start < end and self.source[start:end].strip():
            match = _TOKEN.match(self.source, start, end)
            if match is None:
                while self.source[start].isspace():
                    start += 1
                self.fail(f"{self.source[start]!r} is not allowed here", start)
            kind = match.lastgroup or ""
            text = match[kind]
            place = match.start(kind)
            if kind == "name" and text in _SPELLINGS:
                kind = "operator"
            start = match.end()
            yield _Token(kind, text, place)
        yield _Token("end", "", end)

    def fail(self, message: str, start: int | None = None) -> NoReturn:
        place = self.tokens[self.position].start if start is None else start
        raise error_at(message, self.source, place)

    @property
    def token(self) -> _Token:
        return self.tokens[self.position]

    def take(self, text: str) -> bool:
        if self.token.kind == "operator" and self.token.text == text:
            self.position += 1
            return True
        return False

    def expect(self, text: str, message: str) -> None:
        if not self.take(text):
            self.fail(message)

    def parse(self) -> Node:
        if self.token.kind == "end":
            self.fail("an expression is missing here")
        node = self.expression(0)
        if self.token.kind != "end":
            self.unexpected()
        return node

    def unexpected(self) -> NoReturn:
        text = self.token.text
        if self.token.kind == "end":
            self.fail("the expression ends unexpectedly")
        if text == "[":
            self.fail("subscripts are not allowed in a formula")
        if text == "=":
            self.fail("'=' sets an option of a function; to compare, write '=='")
        if text == "(":
            self.fail("only a named function can have arguments")
        if text.startswith("."):
            self.fail("attributes are not allowed in a formula")
        if text in ("lambda", "for", "if", "else"):
            self.fail(f"{text!r} is not allowed in a formula")
        self.fail(f"unexpected {text!r}: an operator or a comma is missing before it")

    def count(self, node: Node) -> Node:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.fail(f"the expression has more than {MAX_NODES} parts; add it to the data as a column first")
        return node

    def expression(self, least: int) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.fail(f"the expression is nested more than {MAX_DEPTH} levels deep")
        left = self.prefix()
        while (operator := self.infix()) is not None:
            binding = PRECEDENCE[operator]
            if binding < least:
                break
            place = self.token.start
            self.position += 2 if operator == "not in" else 1
            if operator in _COMPARISONS:
                left = self.comparison(left, operator, binding)
                continue
            right = self.expression(binding if operator in ("^", "**") else binding + 1)
            if operator in ("^", "**"):
                self.check_exponent(right, place)
            if operator in ("|", "&"):
                self.check_logic(operator, (left, right), place)
            left = self.count(Binary(operator, left, right))
        self.depth -= 1
        return left

    def infix(self) -> str | None:
        token = self.token
        if token.kind == "name" and token.text == "in":
            return "in"
        if token.kind != "operator":
            return None
        if token.text == "not":
            following = self.tokens[self.position + 1]
            return "not in" if following.text == "in" else None
        operator = _SPELLINGS.get(token.text, token.text)
        return operator if operator in PRECEDENCE and operator != "!" else None

    def comparison(self, left: Node, operator: str, binding: int) -> Node:
        """``a < b``, also in a row: ``a < b < c`` is ``a < b & b < c``."""
        right = self.expression(binding + 1)
        result = self.count(Binary(operator, left, right))
        while (following := self.infix()) in _COMPARISONS:
            assert following is not None
            self.position += 1
            left, right = right, self.expression(binding + 1)
            result = self.count(Binary("&", result, self.count(Binary(following, left, right))))
        return result

    def check_exponent(self, node: Node, place: int) -> None:
        value = node.operand if isinstance(node, Unary) else node
        if isinstance(value, Number) and value.value > MAX_EXPONENT:
            self.fail(f"exponents above {MAX_EXPONENT:g} are not allowed", place)
        if not isinstance(value, (Number, Name)):
            self.fail("an exponent must be a number or a column", place)

    def check_logic(self, operator: str, operands: tuple[Node, ...], place: int) -> None:
        for node in operands:
            if isinstance(node, (Number, Text)) or (
                isinstance(node, Binary) and PRECEDENCE[node.operator] >= 50
            ):
                hint = (
                    "; a random-effects term (terms | group) cannot appear inside a call"
                    if operator == "|"
                    else ""
                )
                self.fail(
                    f"{operator!r} combines conditions here, and {write(node)} is not a condition{hint}",
                    place,
                )

    def prefix(self) -> Node:
        token = self.token
        self.position += 1
        if token.kind == "number":
            return self.count(Number(float(token.text), token.text))
        if token.kind == "quoted":
            return self.count(self.column(token))
        if token.kind in ("double", "single"):
            return self.count(Text(token.text))
        if token.kind == "name":
            if self.token.text == "(" and self.token.kind == "operator":
                return self.count(self.call(token))
            if token.text in self.scope.columns:
                return self.count(Name(token.text))
            if token.text in _CONSTANTS:
                return self.count(Flag(_CONSTANTS[token.text]))
            if token.text in ("T", "F"):
                return self.count(Flag(token.text == "T"))
            if token.text in _NUMBERS:
                return self.count(Number(_NUMBERS[token.text], token.text))
            return self.count(self.column(token))
        if token.kind == "operator":
            operator = _SPELLINGS.get(token.text, token.text)
            if operator in ("-", "+", "!"):
                binding = PRECEDENCE["!" if operator == "!" else "unary"]
                return self.count(Unary(operator, self.expression(binding)))
            if operator == "(":
                inner = self.expression(0)
                self.expect(")", "a closing parenthesis ')' is missing")
                return inner
            if operator == "[":
                return self.count(self.sequence("]"))
        self.position -= 1
        self.unexpected()

    def column(self, token: _Token) -> Name:
        if token.text in self.scope.columns:
            return Name(token.text)
        if token.text == "lambda":
            self.fail("'lambda' is not allowed in a formula", token.start)
        raise missing_column(token.text, self.scope, self.source, token.start)

    def call(self, token: _Token) -> Call:
        function = find_function(token.text, self.scope, self.source, token.start)
        self.position += 1
        arguments: list[Node] = []
        options: dict[str, Node] = {}
        while not self.take(")"):
            if (arguments or options) and not self.take(","):
                if self.token.kind == "end":
                    self.fail(f"a closing parenthesis ')' is missing after {token.text}(")
                self.unexpected()
            self.argument(token.text, function, arguments, options)
        if function is not None:
            self.check_arguments(token, function, arguments, options)
        if token.text == "c":
            return _constants(self, arguments, token)
        return Call(token.text, tuple(arguments), tuple(options.items()))

    def argument(
        self, name: str, function: FormulaFunction | None, arguments: list[Node], options: dict[str, Node]
    ) -> None:
        token = self.token
        following = self.tokens[min(self.position + 1, len(self.tokens) - 1)]
        if token.kind == "name" and following.kind == "operator" and following.text == "=":
            self.position += 2
            if token.text in options:
                self.fail(f"{name}() is given {token.text!r} twice", token.start)
            if name == "C" and token.text in ("contr", "contrasts"):
                options["contr"] = self.coding()
                return
            if name == "C" and token.text == "base":
                options["base"] = self.base()
                return
            options[token.text] = self.expression(0)
            return
        if options:
            self.fail(f"in {name}(), unnamed arguments must come before named ones")
        arguments.append(self.coding() if name == "C" and arguments else self.expression(0))

    def coding(self) -> Node:
        """The second argument of C(): a word such as ``sum``, or a call such as ``contr.treatment("b")``."""
        token = self.token
        if token.kind in ("double", "single") and token.text in CODINGS:
            self.position += 1
            return self.count(Word(token.text))
        if token.kind != "name" or token.text not in CODINGS:
            self.fail(f"the codings of C() are {', '.join(CODINGS)}; for a matrix use contrasts=")
        self.position += 1
        if not self.take("("):
            return self.count(Word(token.text))
        arguments: list[Node] = []
        options: list[tuple[str, Node]] = []
        while not self.take(")"):
            if arguments or options:
                self.fail(f"{token.text}() takes at most one argument, the base level")
            option = self.token.text
            named = option in ("base", "reference") and self.tokens[self.position + 1].text == "="
            if named:
                self.position += 2
            base = self.base()
            if option == "base" and named and isinstance(base, Number):
                # Counts the levels; anywhere else the base is a label.
                options.append((option, base))
            else:
                arguments.append(base)
        if (arguments or options) and CODINGS[token.text] not in BASED:
            self.fail(f"{token.text}() takes no argument", token.start)
        return self.count(Call(token.text, tuple(arguments), tuple(options)))

    def base(self) -> Node:
        """A base level: its label in quotes, or a number."""
        node = self.prefix()
        if not isinstance(node, (Text, Number)):
            self.fail("the base level of a factor must be a quoted label or a number")
        return node

    def sequence(self, closing: str) -> Call:
        start = self.tokens[self.position - 1]
        items: list[Node] = []
        while not self.take(closing):
            if items:
                self.expect(",", f"a closing {closing!r} is missing")
            items.append(self.expression(0))
        return _constants(self, items, start)

    def check_arguments(
        self, token: _Token, function: FormulaFunction, arguments: list[Node], options: dict[str, Node]
    ) -> None:
        name = token.text
        if function.many:
            if options:
                self.fail(f"{name}() takes no named arguments", token.start)
            if not arguments:
                self.fail(f"{name}() needs an argument", token.start)
            return
        known = ("x",) if name == "I" else function.parameters
        for option in options:
            if option not in known[1:]:
                listed = ", ".join(known[1:]) or "none"
                self.fail(f"{name}() has no option {option!r}; its options are {listed}", token.start)
            if option in known[: len(arguments)]:
                self.fail(f"{name}() is given {option!r} twice", token.start)
        if not arguments or len(arguments) + len(options) < function.required:
            wanted = "an argument" if function.required == 1 else f"its arguments {', '.join(known)}"
            self.fail(f"{name}() needs {wanted}", token.start)
        if len(arguments) > len(known):
            self.fail(f"{name}() takes at most {len(known)} arguments, got {len(arguments)}", token.start)
        if function.kind == "stateful" or name in ("factor", "ordered", "relevel", "round", "log"):
            for option, value in [*zip(known[1:], arguments[1:], strict=False), *options.items()]:
                if not is_constant(value):
                    self.fail(f"{option!r} of {name}() must be a constant, not {write(value)}", token.start)


def is_constant(node: Node) -> bool:
    """Whether an argument is a literal number, text or flag, or several of them."""
    if isinstance(node, Unary):
        return node.operator in "+-" and isinstance(node.operand, Number)
    if isinstance(node, Call):
        return node.function == "c" and all(map(is_constant, node.arguments))
    return isinstance(node, _LITERAL)


def _constants(parser: _Parser, items: list[Node], token: _Token) -> Call:
    if not all(map(is_constant, items)):
        parser.fail("a list may contain only constants", token.start)
    return Call("c", tuple(items))
