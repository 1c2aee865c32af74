"""Confidence levels and levels of significance."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError


def check_level(level: Any, what: str = "level") -> float:
    """A probability strictly between 0 and 1."""
    if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
        raise ArgumentError(f"{what} must be a number between 0 and 1, not {level!r}")
    return float(level)
