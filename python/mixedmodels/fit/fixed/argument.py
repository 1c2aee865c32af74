"""The argument `fixed` as it is given."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ...checks import shown
from ...errors import ArgumentError


def check_fixed(fixed: Any) -> dict[Any, Any] | None:
    """The argument as a dict of its own; None when nothing is held."""
    if fixed is None:
        return None
    if not isinstance(fixed, Mapping):
        raise ArgumentError(
            f"fixed must map names of parameters to values, such as {{'sigma': 1.0}}, not {shown(fixed)}"
        )
    return {
        key: list(value) if isinstance(value, (list, tuple)) else value for key, value in fixed.items()
    } or None


def without_coefficients(fixed: Mapping[Any, Any] | None, names: Collection[str]) -> dict[Any, Any] | None:
    """The argument without the coefficients of these names."""
    left = {
        key: value
        for key, value in (fixed or {}).items()
        if key not in names and not (isinstance(key, tuple) and key[:1] == ("fixed",))
    }
    return left or None
