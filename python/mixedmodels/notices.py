"""Warnings that point at the user's own line."""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

from .errors import MixedModelsWarning

_PACKAGE = str(Path(__file__).parent)


def warn_user(message: str, category: type[MixedModelsWarning]) -> None:
    """Issue a warning at the first frame outside this package, however deep the call came from."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
