"""Covariance structures of random effects: facts about them, asked of the engine and read by every other room."""

from __future__ import annotations

from .spelling import structure_name, structure_names
from .structure import Parameter, Structure, structure_of, without_correlations

__all__ = [
    "Parameter",
    "Structure",
    "structure_name",
    "structure_names",
    "structure_of",
    "without_correlations",
]
