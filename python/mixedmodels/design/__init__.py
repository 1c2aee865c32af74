"""Formula and data frame to the arrays of a model, and the recipe to rebuild them for new data."""

from __future__ import annotations

from .build import INTERCEPT, Design, RandomTerm, build_design, numeric_response
from .contrasts import Contrast, make_contrast
from .grouping import GroupingFactor
from .recipe import DesignRecipe, NewRandomTerm
from .rows import MissingRows

__all__ = [
    "INTERCEPT",
    "Contrast",
    "Design",
    "DesignRecipe",
    "GroupingFactor",
    "MissingRows",
    "NewRandomTerm",
    "RandomTerm",
    "build_design",
    "make_contrast",
    "numeric_response",
]
