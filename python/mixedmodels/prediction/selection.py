"""The ``re_form`` argument: which random effects take part in a prediction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design.evaluate import Evaluator
from ..design.plan import check_contrasts, make_plan
from ..errors import ArgumentError
from ..fitted_model import FittedModel
from ..formula import RandomTermSpec, parse_formula
from ..frame import Frame

Selection = dict[int, NDArray[np.bool_]]


def select_effects(fitted: FittedModel, re_form: Any, frame: Frame | None) -> Selection:
    """
    The columns of each term that take part; a term that is left out has no entry.

    Parameters
    ----------
    fitted : FittedModel
    re_form : None, formula, or one of NaN, pandas.NA, False, 0
        None for all random effects; ``"~0"`` and the others for none; a formula such as
        ``"~(1 | Subject)"`` for those of its terms.
    frame : Frame, optional
        Data with the columns of the formula; the fitting data by default.

    Raises
    ------
    ArgumentError
        When the formula names effects that the model does not have.
    """
    if re_form is None or re_form is True:
        return {t: np.ones(len(term.names), dtype=bool) for t, term in enumerate(fitted.design.terms)}
    if _is_none(re_form):
        return {}
    if not isinstance(re_form, str):
        raise ArgumentError(f"re_form must be None, '~0' or a formula such as '~(1 | g)', not {re_form!r}")
    text = re_form.strip()
    if text == "NA":
        return {}
    frame = frame if frame is not None else Frame.from_any(fitted.arguments.data)
    recipe = fitted.design.recipe
    text = text if text.startswith("~") else f"~ {text}"
    parsed = parse_formula(text, frame.names, recipe.functions, need_response=False, need_random=False)
    if parsed.fixed_terms.factors or parsed.offset_nodes:
        raise ArgumentError(
            f"re_form {re_form!r} has fixed effects or offsets; name random-effects terms only"
        )
    if not parsed.random:
        if parsed.fixed_terms.terms:
            raise ArgumentError(
                f"re_form {re_form!r} has no random-effects term; write '~0' for no random effects"
            )
        return {}
    selection: Selection = {}
    for spec in parsed.random:
        _add(selection, fitted, spec, frame)
    return selection


def _is_none(re_form: Any) -> bool:
    if re_form is pd.NA or re_form is False:
        return True
    return isinstance(re_form, (int, float)) and (re_form == 0 or math.isnan(re_form))


def _add(selection: Selection, fitted: FittedModel, spec: RandomTermSpec, frame: Frame) -> None:
    """Find the columns of one term of re_form among those of the model's terms."""
    design, recipe = fitted.design, fitted.design.recipe
    members = [t for t, (_, group) in enumerate(recipe.random) if group.nodes == spec.group_nodes]
    known = {node for t in members for node in recipe.random[t][0].nodes}
    if members and known.issuperset(spec.terms.factors):
        evaluator = Evaluator(frame, recipe.memory, recipe.functions, fitting=False)
        contrasts = check_contrasts(fitted.arguments.contrasts)
        wanted = list(make_plan(spec.terms, evaluator, contrasts, set()).names)
        for t in members:
            names = design.terms[t].names
            chosen = selection.setdefault(t, np.zeros(len(names), dtype=bool))
            chosen |= [name in wanted for name in names]
            wanted = [name for name in wanted if name not in names]
        if not wanted:
            return
    listed = ", ".join(term.text for term in design.terms)
    raise ArgumentError(f"re_form: {spec.text} is not part of the model's random-effects terms: {listed}")
