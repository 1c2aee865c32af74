"""The names that formulas may use besides the columns: those of the caller."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Mapping
from types import FrameType
from typing import Any

# Functions of formulas that a variable of the caller with the same name should not hide.
OF_FORMULAS = frozenset({"C", "I", "Q"})
_PACKAGE = __name__.rpartition(".")[0]


def caller() -> FrameType | None:
    """The frame that called this folder, however many of its functions lie between."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _inside(frame.f_globals.get("__name__", "")):
        frame = frame.f_back
    return frame


def environment(eval_env: Any, names: Iterable[str]) -> dict[str, Any]:
    """
    Values for names in formulas.

    Parameters
    ----------
    eval_env : None, int, mapping, or EvalEnvironment of patsy
        None is the caller, an integer a frame so many steps further out, -1 nothing.
    names : iterable of str

    Returns
    -------
    dict
    """
    if eval_env is None or isinstance(eval_env, int):
        steps = eval_env or 0
        if steps < 0:
            return {}
        frame = caller()
        for _ in range(steps):
            frame = None if frame is None else frame.f_back
        spaces: list[Mapping[str, Any]] = [] if frame is None else [frame.f_locals, frame.f_globals]
    elif isinstance(eval_env, Mapping):
        return dict(eval_env)
    else:
        spaces = list(eval_env._namespaces)
    found = {}
    for name in set(names) - OF_FORMULAS:
        space = next((space for space in spaces if name in space), None)
        if space is not None:
            found[name] = space[name]
    return found


def _inside(module: str) -> bool:
    return module == _PACKAGE or module.startswith(f"{_PACKAGE}.")


def warn(message: str, category: type[Warning]) -> None:
    """Issue a warning at the line of the user."""
    frame, level = sys._getframe(0), 1
    while frame.f_back is not None and _inside(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
