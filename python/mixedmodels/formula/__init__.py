"""lme4-style formulas: untrusted text parsed into response, fixed part and random-effects terms."""

from __future__ import annotations

from .expression import parse_expression
from .from_terms import Formula
from .function_table import FUNCTIONS, FormulaFunction
from .model_formula import ModelFormula, RandomTermSpec, check_functions, parse_formula
from .scope import NoRandomEffectsError, Scope
from .term_list import TermList

__all__ = [
    "FUNCTIONS",
    "Formula",
    "FormulaFunction",
    "ModelFormula",
    "NoRandomEffectsError",
    "RandomTermSpec",
    "Scope",
    "TermList",
    "check_functions",
    "parse_expression",
    "parse_formula",
]
