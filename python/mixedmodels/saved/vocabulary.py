"""The kinds of values that a model file can hold, by the names that they have there for ever."""

from __future__ import annotations

from typing import Any

from ..design.contrast_coding import Contrast, LevelNumber
from ..design.evaluator import Memory
from ..design.grouping import GroupRecipe
from ..design.matrix import Levels, MatrixPlan
from ..design.recipe import DesignRecipe, LeftOut
from ..design.response import ResponseForm
from ..errors import ModelFileError
from ..families.family import FAMILIES
from ..fit.arguments import FitArguments, GeneralizedArguments
from ..fit.control import Control
from ..fit.endpoint.curvature import ParameterCovariance
from ..fit.fixed import FreeParameters, Held
from ..fit.record import Convergence, Estimates, FitLog, GeneralizedEstimates
from ..fit.without_data import Condensed, GivenValues
from ..formula import ModelFormula, RandomTermSpec
from ..formula.bases import Polynomial, Shift, Spline
from ..formula.nodes import Binary, Call, Flag, Name, Number, Text, Unary, Word
from ..formula.term_list import SelfProduct, TermList
from ..inference.basis.kinds import Infinite, KenwardRoger, NoOptimum, Residual, Satterthwaite
from ..inference.estimates.origin import Origin
from ..means.variables import GridVariable

# A name, once written to files, is never used for anything else.
KINDS: dict[str, Any] = {
    "number": Number,
    "text": Text,
    "flag": Flag,
    "name": Name,
    "word": Word,
    "unary": Unary,
    "binary": Binary,
    "call": Call,
    "terms": TermList,
    "self_product": SelfProduct,
    "random_term": RandomTermSpec,
    "formula": ModelFormula,
    "levels": Levels,
    "contrast": Contrast,
    "level_number": LevelNumber,
    "matrix_plan": MatrixPlan,
    "group": GroupRecipe,
    "left_out": LeftOut,
    "memory": Memory,
    "recipe": DesignRecipe,
    "shift": Shift,
    "polynomial": Polynomial,
    "spline": Spline,
    "response_form": ResponseForm,
    "linear_arguments": FitArguments,
    "generalized_arguments": GeneralizedArguments,
    "given_values": GivenValues,
    "control": Control,
    "linear_estimates": Estimates,
    "generalized_estimates": GeneralizedEstimates,
    "convergence": Convergence,
    "fit_log": FitLog,
    "parameter_covariance": ParameterCovariance,
    "held": Held,
    "free_parameters": FreeParameters,
    "infinite_df": Infinite,
    "residual_df": Residual,
    "no_optimum": NoOptimum,
    "satterthwaite": Satterthwaite,
    "kenward_roger": KenwardRoger,
    "origin": Origin,
    "grid_variable": GridVariable,
    "condensed": Condensed,
}
NAMES = {kind: name for name, kind in KINDS.items()}


def family_of(name: Any, link: Any, dispersion: Any) -> Any:
    """A family by its name, with its link and a dispersion that is held."""
    if name not in FAMILIES:
        raise ModelFileError(f"the model file has an unknown family, {name!r}")
    family = FAMILIES[name](link=link)
    return family if dispersion is None else family.holding(dispersion)
