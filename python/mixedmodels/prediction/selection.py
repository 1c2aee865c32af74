"""The ``re_form`` argument: which random effects take part in a prediction."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..design.plan_columns import names_of_columns
from ..errors import ArgumentError, MissingColumnError
from ..fit.state import FittedModel
from ..formula import RandomTermSpec, parse_formula

# Columns by term, both by position; in increasing order.
Selection = dict[int, NDArray[np.intp]]


def select_effects(fitted: FittedModel, re_form: Any) -> Selection:
    """
    The columns of each term that take part; a term that is left out has no entry.

    What a term of ``re_form`` means is decided by the fit, never by the data of the prediction, whose factors
    may have fewer levels or other ones.

    Parameters
    ----------
    fitted : FittedModel
    re_form : None, formula, or one of NaN, pandas.NA, False, 0
        None for all random effects; ``"~0"`` and the others for none; a formula such as
        ``"~(1 | Subject)"`` for those of its terms.

    Raises
    ------
    ArgumentError
        When the formula names effects that the model does not have.
    """
    if re_form is None or re_form is True:
        return {t: np.arange(len(term.names)) for t, term in enumerate(fitted.design.terms)}
    if _is_none(re_form):
        return {}
    if not isinstance(re_form, str):
        raise ArgumentError(f"re_form must be None, '~0' or a formula such as '~(1 | g)', not {re_form!r}")
    text = re_form.strip()
    if text == "NA":
        return {}
    recipe = fitted.design.recipe
    text = text if text.startswith("~") else f"~ {text}"
    known = recipe.formula.variables
    try:
        parsed = parse_formula(text, known, recipe.functions, need_response=False, need_random=False)
    except MissingColumnError as error:
        raise ArgumentError(
            f"re_form {re_form!r} reads a column that the model does not use; {_listed(fitted)}"
        ) from error
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
    masks = {t: np.zeros(len(term.names), dtype=bool) for t, term in enumerate(fitted.design.terms)}
    # A term absorbed by others has no effects of its own: they must be selected as well.
    absorbed = [(spec, homes) for spec in parsed.random for homes in _add(masks, fitted, spec)]
    for spec, homes in absorbed:
        if not all(masks[t].all() for t in homes):
            held = " and ".join(fitted.design.terms[t].text for t in homes)
            raise ArgumentError(
                f"re_form: the model has {spec.text} as a part of {held}; name the whole term instead"
            )
    return {t: np.flatnonzero(mask) for t, mask in masks.items() if mask.any()}


def _is_none(re_form: Any) -> bool:
    if re_form is pd.NA or re_form is False:
        return True
    return isinstance(re_form, (int, float)) and (re_form == 0 or math.isnan(re_form))


def _add(
    masks: dict[int, NDArray[np.bool_]], fitted: FittedModel, spec: RandomTermSpec
) -> Iterator[tuple[int, ...]]:
    """
    Find the columns of one term of re_form among those of the model's terms.

    Yields the terms that hold columns which the model has under other names only.
    """
    recipe = fitted.design.recipe
    absorbed = [part for part in recipe.left_out if part.group.nodes == spec.group_nodes]
    members = [t for t, (_, group) in enumerate(recipe.random) if group.nodes == spec.group_nodes]
    members += [t for part in absorbed for t in part.within if t not in members]
    # Terms may code a factor differently: the coding of the term itself counts.
    own_last = sorted(members, key=lambda t: fitted.design.terms[t].text == spec.text)
    plans = [part.plan for part in absorbed] + [recipe.random[t][0] for t in own_last]
    codings = {node: c for plan in plans for node, c in zip(plan.nodes, plan.codings, strict=True)}
    if members and codings.keys() >= set(spec.terms.factors):
        wanted = names_of_columns(spec.terms, codings)
        names = {t: fitted.design.terms[t].names for t in members}
        # A term of the model by itself; else the columns wherever they are.
        whole = [t for t in members if set(names[t]) == set(wanted)]
        for t in whole or members:
            masks[t] |= [name in wanted for name in names[t]]
        rest = set(wanted).difference(*names.values())
        if not rest:
            return
        holding = [part for part in absorbed if rest.intersection(part.plan.names)]
        if rest.issubset(name for part in holding for name in part.plan.names):
            yield from (part.within for part in holding)
            return
    raise ArgumentError(f"re_form: {spec.text} is not part of the model; {_listed(fitted)}")


def _listed(fitted: FittedModel) -> str:
    return f"its random-effects terms are {', '.join(term.text for term in fitted.design.terms)}"
