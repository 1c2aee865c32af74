"""From formula and data frame to the arrays of a model, and the recipe to rebuild them for new data."""

from __future__ import annotations

from .all_levels import AllLevels, CodedTerm, all_levels
from .arguments import DesignArguments
from .arrays import ArrayModel, ArrayTerm, model_of_arrays
from .build import Design, Predictors, build_design, build_generalized_design, build_predictors
from .contrast_coding import Contrast, make_contrast
from .grouping import GroupingFactor
from .matrix import INTERCEPT
from .r_names import r_names
from .random_term import RandomTerm, distinct_from_residuals
from .recipe import DesignRecipe, NewRandomTerm
from .response import Response, ResponseForm
from .rows import MissingRows

__all__ = [
    "INTERCEPT",
    "AllLevels",
    "ArrayModel",
    "ArrayTerm",
    "CodedTerm",
    "Contrast",
    "Design",
    "DesignArguments",
    "DesignRecipe",
    "GroupingFactor",
    "MissingRows",
    "NewRandomTerm",
    "Predictors",
    "RandomTerm",
    "Response",
    "ResponseForm",
    "all_levels",
    "build_design",
    "build_generalized_design",
    "build_predictors",
    "distinct_from_residuals",
    "make_contrast",
    "model_of_arrays",
    "r_names",
]
