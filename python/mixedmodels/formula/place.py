"""Errors that show the place in the formula."""

from __future__ import annotations

from ..errors import FormulaError

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
        Position of the culprit; None when there is none to show.
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
