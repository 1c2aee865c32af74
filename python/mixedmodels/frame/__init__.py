"""Any data frame as typed columns: numbers and factors, missing values marked."""

from __future__ import annotations

from .column import Column, Factor, LabelsOnly, Numeric
from .factor import as_factor, drop_unused, interact
from .frame import Frame

__all__ = ["Column", "Factor", "Frame", "LabelsOnly", "Numeric", "as_factor", "drop_unused", "interact"]
