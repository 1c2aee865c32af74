"""The descriptions of all packaged data sets, in one table."""

from __future__ import annotations

from .entry import DataSet
from .lme4_sets import LME4_SETS
from .nlme_sets import NLME_SETS
from .other_sets import OTHER_SETS

CATALOGUE: dict[str, DataSet] = {
    entry.name: entry
    for entry in sorted((*LME4_SETS, *NLME_SETS, *OTHER_SETS), key=lambda entry: entry.name.lower())
}
"""Every data set by name, in alphabetical order."""

__all__ = ["CATALOGUE", "DataSet"]
