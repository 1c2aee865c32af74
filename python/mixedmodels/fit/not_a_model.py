"""The error for something else in the place of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pandas import DataFrame

from ..errors import ArgumentError


def not_a_model(value: Any) -> ArgumentError:
    """The error for something else in the place of a model."""
    order = ""
    if hasattr(value, "to_mixedmodels"):
        order = "; to_mixedmodels() of these results gives one"
    elif isinstance(value, (str, Mapping, DataFrame)) or type(value).__module__.startswith("statsmodels."):
        order = "; the model comes first, then the rest"
    return ArgumentError(
        f"a model fitted by lmer() or glmer() is needed here, not {type(value).__name__}{order}"
    )
