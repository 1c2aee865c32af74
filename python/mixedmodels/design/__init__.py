"""Formula and data frame to the arrays of a model, and the recipe to rebuild them for new data."""

from __future__ import annotations

from .build import (
    INTERCEPT,
    Design,
    Predictors,
    RandomTerm,
    build_design,
    build_predictors,
    numeric_response,
    told_from_residuals,
)
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
    "Predictors",
    "RandomTerm",
    "build_design",
    "build_predictors",
    "make_contrast",
    "numeric_response",
    "told_from_residuals",
]
