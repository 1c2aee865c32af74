"""Warnings that point at the user's own line."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from .errors import MixedModelsWarning
from .wording import one_line, shorten

_PACKAGE = str(Path(__file__).parent)
_SILENT: ContextVar[bool] = ContextVar("silent", default=False)


@contextmanager
def silent() -> Iterator[None]:
    """Suppress warnings in this thread, for repeated work about which the user was warned before."""
    token = _SILENT.set(True)
    try:
        yield
    finally:
        _SILENT.reset(token)


def warn_user(message: str, category: type[MixedModelsWarning]) -> None:
    """Issue a warning at the first frame outside this package, however deep the call came from."""
    if not _SILENT.get():
        _warn(message, category)


def warn_deprecated(message: str) -> None:
    """Issue a `DeprecationWarning` at the first frame outside this package."""
    _warn(message, DeprecationWarning)


def _warn(message: str, category: type[Warning]) -> None:
    level, frame = 3, sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


# Label of a response without a name.
UNNAMED = "another response"
_LABEL_WIDTH = 100


@lru_cache(maxsize=64)
def model_label(formula: str, response: str | None = None) -> str:
    """The formula, and the name of the response if it is not the one in the formula."""
    text = shorten(one_line(formula), _LABEL_WIDTH)
    return text if response is None else f"{text}, refitted to {shorten(one_line(response), _LABEL_WIDTH)}"


def warn_of_fit(notices: Iterable[tuple[type[MixedModelsWarning], str]], label: str) -> None:
    """Issue the warnings of a fit, each naming the model."""
    for category, text in notices:
        warn_user(f"{text} [{label}]", category)
