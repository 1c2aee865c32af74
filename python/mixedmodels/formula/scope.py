"""The meaning of names in a formula, and errors that show the place."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..covariance import structure_names
from ..errors import FormulaError, MissingColumnError, NotAvailableError
from ..not_here import COVARIANCES, SMOOTHS, not_available
from ..wording import nearest
from .function_table import FUNCTIONS, FormulaFunction
from .nodes import is_plain

_WIDTH = 72


def error_at(
    message: str, source: str, start: int | None, kind: type[FormulaError] | None = None
) -> FormulaError:
    """
    A FormulaError whose text shows the source with a caret under position ``start``.

    Parameters
    ----------
    message : str
    source : str
        The whole formula or expression.
    start : int or None
        Position of the error; None when there is none to show.
    kind : type, optional
        The class of the error, FormulaError by default.
    """
    kind = kind or FormulaError
    flat = "".join(" " if c.isspace() else c if c.isprintable() else "?" for c in source)
    if start is None:
        return kind(f"{message}\n  in: {flat[:_WIDTH]}{'...' if len(flat) > _WIDTH else ''}")
    left = max(0, min(start - _WIDTH // 2, len(flat) - _WIDTH))
    shown = flat[left : left + _WIDTH]
    before, after = "..." if left else "", "..." if left + _WIDTH < len(flat) else ""
    caret = " " * (len(before) + start - left) + "^"
    return kind(f"{message}\n  in: {before}{shown}{after}\n      {caret}")


class NoRandomEffectsError(FormulaError):
    """A formula without random effects."""


@dataclass(frozen=True)
class Scope:
    """The names that a formula may use: columns of the data, and the caller's own functions."""

    columns: Collection[str]
    functions: Collection[str] = ()


def find_function(name: str, scope: Scope, source: str, start: int) -> FormulaFunction | None:
    """The entry of the table; None for a function that the caller passed."""
    if name in scope.functions:
        return None
    function = FUNCTIONS.get(name)
    if function is not None:
        return function
    if name in structure_names():
        raise error_at(
            f"{name}() is a covariance structure for random effects and needs a bar: {name}(terms | group)",
            source,
            start,
        )
    entry = COVARIANCES.get(name) or SMOOTHS.get(name)
    if entry is not None:
        message = str(not_available(f"{name}()", entry))
        raise NotAvailableError(str(error_at(message, source, start)), *entry)
    known = [*FUNCTIONS, *scope.functions]
    hint = nearest(name, known, 3, str) or "."
    raise error_at(
        f"formulas have no function {name!r}{hint} Pass your own with functions={{{name!r}: ...}}",
        source,
        start,
    )


def missing_column(name: str, scope: Scope, source: str, start: int) -> Exception:
    """The error for an unknown column, suggesting the nearest names."""
    names = list(map(str, scope.columns))
    hint = nearest(name, names, 3, lambda own: own if is_plain(own) else f"`{own}`")
    known = f"; its columns are {', '.join(map(repr, names[:20]))}{', ...' if len(names) > 20 else ''}"
    shown = error_at(f"the data has no column {name!r}{hint or known}", source, start)
    return MissingColumnError(str(shown))
