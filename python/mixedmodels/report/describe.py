"""A model in a few lines of text, and its labelled model matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..fit.state import FittedModel
from ..render.numbers import format_number
from ..render.page import Page
from ..render.style import Style
from ..render.text import text_page
from ..wording import one_line
from .varcorr import group_line, var_corr, variance_table

_MOST_COEFFICIENTS = 8


def head_lines(fitted: FittedModel) -> list[str]:
    """The title and, for a generalized model, family and link, and what counts as success."""
    if fitted.exact_likelihood:
        return [fitted.title]
    lines = [fitted.title, f" Family: {fitted.family!r}"]
    form = fitted.design.form
    success = {"labels": repr(form.labels[-1]) if form.labels else "", "bool": "True"}.get(form.kind)
    if form.binomial and success:
        lines.append(f" Response: {one_line(fitted.design.response_name)}, success = {one_line(success)}")
    return lines


def describe(fitted: FittedModel) -> str:
    """The ``repr`` of a model: formula, criterion, variances, coefficients."""
    # Adding 0 takes the sign from a zero.
    coefficients = ["NaN" if np.isnan(v) else f"{v + 0.0:.5g}" for v in fitted.estimates.beta]
    shown = [f"{one_line(n)} {c}" for n, c in zip(fitted.design.x_names, coefficients, strict=True)]
    more = f", ... ({len(shown)} in all)" if len(shown) > _MOST_COEFFICIENTS else ""
    heading = [
        *head_lines(fitted),
        f" Formula: {one_line(fitted.design.formula.text)}",
        f" {fitted.criterion}: {format_number(fitted.estimates.objective, 8)}",
    ]
    notes = [
        f" Number of obs: {fitted.n_obs}; groups: {group_line(fitted)}",
        f" Fixed effects: {', '.join(shown[:_MOST_COEFFICIENTS]) or 'none'}{more}",
    ]
    return text_page(Page.of(variance_table(var_corr(fitted), Style()), heading, notes))


def model_matrix(fitted: FittedModel) -> pd.DataFrame:
    """The fixed-effects model matrix with names, and with the row labels of the data where it has any."""
    names = pd.Index(fitted.design.x_names, dtype=object)
    return pd.DataFrame(fitted.design.x.copy(), index=fitted.design.row_labels, columns=names)
