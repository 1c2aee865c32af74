"""Fitted values from some of the terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import one_of, several_texts
from ..design import INTERCEPT
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..wording import nearest
from .rows import rows_of_fit
from .selection import Selection, select_effects

OFFSET = "offset"


def partial_fitted(fitted: FittedModel, include: Any, exclude: Any, type: str) -> NDArray[np.float64]:
    """The sum of some terms for the rows of the fit, see `MixedModel.partial_fitted`."""
    one_of("type", type, ("link", "response"))
    if (include is None) == (exclude is None):
        raise ArgumentError("partial_fitted: give include= or exclude=, the terms to add up or to leave out")
    argument, given = ("include", include) if exclude is None else ("exclude", exclude)
    names = several_texts(argument, given)
    fixed, random = _fixed(fitted, names, argument), _random(fitted, names, argument)
    if argument == "exclude":
        fixed = [label for label in _labels(fitted) if label not in fixed]
        random = _without(select_effects(fitted, None), random)
    eta = _sum(fitted, fixed) + rows_of_fit(fitted, random).random_part()
    eta = fitted.design.missing.pad(eta)
    return fitted.family.mean(eta) if type == "response" else eta


def _labels(fitted: FittedModel) -> list[str]:
    """The terms of the fixed part, and the offset where there is one."""
    design = fitted.design
    return [label for label, _ in design.x_terms] + ([OFFSET] if design.offset is not None else [])


def _sum(fitted: FittedModel, labels: Sequence[str]) -> NDArray[np.float64]:
    design, estimates, kept = fitted.design, fitted.estimates, fitted.estimates.kept
    total = np.zeros(fitted.n_obs)
    for label, columns in design.x_terms:
        if label in labels:
            own = kept[(kept >= columns.start) & (kept < columns.stop)]
            total += design.x[:, own] @ estimates.beta[own]
    return total + design.offset if OFFSET in labels and design.offset is not None else total


def _fixed(fitted: FittedModel, names: Sequence[str], argument: str) -> list[str]:
    """The terms of the fixed part among the names; the factors of a product in any order."""
    known = {_canonical(label): label for label in _labels(fitted)}
    known["1"] = INTERCEPT
    found = []
    for name in names:
        if "|" in name:
            continue
        label = known.get(_canonical(name))
        if label is None or label not in _labels(fitted):
            listed = [*_labels(fitted), *(term.text for term in fitted.design.terms)]
            raise ArgumentError(
                f"{argument}: the model has no term {name!r}; its terms are {', '.join(map(repr, listed))}"
                f"{nearest(name, listed)}"
            )
        found.append(label)
    return found


def _random(fitted: FittedModel, names: Sequence[str], argument: str) -> Selection:
    """The columns of random-effects terms among the names."""
    masks: dict[int, NDArray[np.bool_]] = {}
    for name in names:
        if "|" not in name:
            continue
        text = name.strip()
        try:
            selection = select_effects(fitted, text if text.startswith("(") else f"({text})")
        except ArgumentError as error:
            raise ArgumentError(f"{argument}: {str(error).removeprefix('re_form').lstrip(': ')}") from None
        for t, columns in selection.items():
            mask = masks.setdefault(t, np.zeros(len(fitted.design.terms[t].names), dtype=bool))
            mask[columns] = True
    return {t: np.flatnonzero(masks[t]) for t in sorted(masks)}


def _without(everything: Selection, left_out: Selection) -> Selection:
    rest = {t: np.setdiff1d(columns, left_out.get(t, columns[:0])) for t, columns in everything.items()}
    return {t: columns for t, columns in rest.items() if len(columns)}


def _canonical(label: str) -> str:
    """One spelling for the orders of a product."""
    return ":".join(sorted(part.strip() for part in label.split(":")))
