"""New fits by changes: of the arguments of a model, or of its response."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, Final

import numpy as np
import pandas as pd

from ..checks import optional_flag
from ..design.contrast_table import contrasts_in
from ..design.rows import columns_of
from ..errors import ArgumentError
from ..formula import check_functions, parse_formula
from ..formula.change import update_formula
from ..frame import Frame
from ..not_here import GLMER_ARGUMENTS, refuse_not_here
from .changes import fit_new, refitted
from .control import as_control
from .fixed import check_fixed
from .new_response import name_of, new_response
from .state import FittedModel


class Unchanged:
    """The default of arguments for which None means something."""

    def __repr__(self) -> str:
        return "<unchanged>"


UNCHANGED: Final = Unchanged()
# Changes that leave the meaning of theta alone.
_SAME_MODEL = frozenset({"reml", "optimizer", "control", "fixed"})


def refit_response(fitted: FittedModel, y: Any, changes: Mapping[str, Any]) -> FittedModel:
    """
    Fit the design of a model to another response.

    Parameters
    ----------
    fitted : FittedModel
    y : array-like of shape (n,) or (n, 2), optional
        See :func:`~mixedmodels.fit.new_response.new_response`; None for the response as it is.
    changes : mapping
        Of ``REML``, ``start``, ``optimizer`` and ``control``; those that are UNCHANGED stay.
    """
    given = _given(changes)
    if not fitted.exact_likelihood and optional_flag("REML", given.pop("REML", None)):
        raise ArgumentError(
            "refit: REML is for linear mixed models; a generalized one is fitted by maximum likelihood"
        )
    given = fitted.arguments.checked_changes("refit", given)
    if "control" in given:
        given["control"] = as_control(given["control"])
    response = None if y is None else new_response(fitted, y)
    return refitted(fitted, given, response=response, response_name=name_of(y))


def updated(fitted: FittedModel, changes: Mapping[str, Any]) -> FittedModel:
    """
    Fit again with some arguments of `lmer` or `glmer` changed, by the names that they have there.

    Raises
    ------
    MissingColumnError
        When a new formula or a new name needs a column that the model does not hold.
    ArgumentError
        For arguments of the other kind of model.
    """
    given = _given(changes)
    if not fitted.exact_likelihood and "REML" in given:
        refuse_not_here(GLMER_ARGUMENTS, "REML", "REML=")
    given = fitted.arguments.checked_changes("update", given)
    return fit_new(_changed(fitted, given))


def _given(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if value is not UNCHANGED}


def _changed(fitted: FittedModel, given: dict[str, Any]) -> Any:
    """The arguments of a fit with some changed."""
    if given.get("formula", "") is None:
        del given["formula"]
    given = {name: value if name == "data" else snapshot(value) for name, value in given.items()}
    if "control" in given:
        given["control"] = as_control(given["control"])
    if "fixed" in given:
        given["fixed"] = check_fixed(given["fixed"])
    if not _SAME_MODEL.issuperset(given):
        _read_names(fitted, given)
        given.setdefault("start", None)
    return dataclasses.replace(fitted.arguments, **given)


def _read_names(fitted: FittedModel, given: dict[str, Any]) -> None:
    """Work the new formula out, and look up every column that a new argument names."""
    frame = Frame.from_any(given.get("data", fitted.arguments.data))
    if "data" in given:
        # Read once: the names here and the columns of the fit come from the same source.
        given["data"] = frame
    functions = check_functions(given.get("functions", fitted.arguments.functions))
    with nullcontext() if "data" in given else frame.explaining_what_is_kept("data="):
        if "formula" in given:
            text = update_formula(fitted.design.formula, given["formula"], frame.names, functions)
            given["formula"] = text
            parsed = parse_formula(text, frame.names, functions)
            if "contrasts" not in given:
                given["contrasts"] = contrasts_in(parsed, fitted.arguments.contrasts)
        for name in ("weights", "offset", "subset"):
            if isinstance(given.get(name), str):
                columns_of(given[name], frame, functions)


def snapshot(value: Any) -> Any:
    """
    A copy of an argument, so that later changes to it do not reach the model.
    """
    if isinstance(value, (np.ndarray, pd.Series, pd.DataFrame)):
        return value.copy()
    if isinstance(value, dict):
        return {key: snapshot(part) for key, part in value.items()}
    if type(value) is tuple:
        return tuple([snapshot(part) for part in value])
    return list(value) if isinstance(value, list) else value
