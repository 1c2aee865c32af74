"""Formula and data frame to the arrays of a model, and the recipe to rebuild them for new data."""

from __future__ import annotations

from .all_levels import AllLevels, CodedTerm, all_levels
from .build import (
    INTERCEPT,
    Design,
    Predictors,
    RandomTerm,
    build_design,
    build_predictors,
)
from .contrasts import Contrast, make_contrast
from .generalized import GeneralizedDesign, build_generalized_design
from .generalized_response import GeneralizedResponse, ResponseForm
from .grouping import GroupingFactor
from .r_names import r_names
from .recipe import DesignRecipe, NewRandomTerm
from .residual_check import told_from_residuals
from .rows import MissingRows

__all__ = [
    "INTERCEPT",
    "AllLevels",
    "CodedTerm",
    "Contrast",
    "Design",
    "DesignRecipe",
    "GeneralizedDesign",
    "GeneralizedResponse",
    "GroupingFactor",
    "MissingRows",
    "NewRandomTerm",
    "Predictors",
    "RandomTerm",
    "ResponseForm",
    "all_levels",
    "build_design",
    "build_generalized_design",
    "build_predictors",
    "make_contrast",
    "r_names",
    "told_from_residuals",
]
