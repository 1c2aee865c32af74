"""Covariance structures of random effects: facts that the engine states and every other room reads."""

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
