"""
Models as pickles.

What patsy makes of a formula cannot be pickled, so the formula is read again, from the data. statsmodels does
that in a frame of its guess, and fails in scripts; here all callers are asked for names that are no columns.
"""

from __future__ import annotations

import sys
from typing import Any

from .environment import OF_FORMULAS
from .from_formula import spec_of
from .rows import words

_SPEC = "model_spec"


def state_of(model: Any) -> dict[str, Any]:
    """What is pickled of a model: of its data the class and the attributes."""
    state = dict(vars(model))
    data = vars(state["data"])
    state["data"] = type(state["data"]), {k: v for k, v in data.items() if k != _SPEC}, _SPEC in data
    return state


def restore(model: Any, state: dict[str, Any]) -> None:
    """Put a model together again; without the functions of its formula it cannot predict for new data."""
    kind, attributes, has_spec = state["data"]
    data = kind.__new__(kind)
    vars(data).update(attributes)
    vars(model).update(state | {"data": data})
    if not has_spec:
        return
    columns = set(map(str, attributes["frame"].columns))
    names = _names(words([attributes["formula"]]) - OF_FORMULAS - columns)
    try:
        data.model_spec = spec_of(attributes["formula"], attributes["frame"], names)
    # The formula engine, whichever it is, has errors of its own for functions that are gone.
    except Exception:
        data.model_spec = None


def _names(wanted: set[str]) -> dict[str, Any]:
    """Values of names in the nearest caller that has them."""
    found: dict[str, Any] = {}
    frame = sys._getframe(1)
    while frame is not None and wanted - found.keys():
        space = {**frame.f_globals, **frame.f_locals}
        found |= {name: space[name] for name in wanted - found.keys() if name in space}
        frame = frame.f_back
    return found
