"""A model in a few lines, and its labelled model matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..fit.state import FittedModel
from ..render.numbers import format_number
from ..wording import one_line
from .head import head_lines
from .varcorr import group_line, var_corr


def describe(fitted: FittedModel) -> str:
    """What ``repr`` of a model shows: formula, criterion, variances, coefficients."""
    # Adding 0 takes the sign from a zero.
    coefficients = ["NaN" if np.isnan(v) else f"{v + 0.0:.5g}" for v in fitted.estimates.beta]
    shown = [f"{one_line(n)} {c}" for n, c in zip(fitted.design.x_names, coefficients, strict=True)]
    more = f", ... ({len(shown)} in all)" if len(shown) > 8 else ""
    lines = [
        *head_lines(fitted),
        f" Formula: {one_line(fitted.design.formula.text)}",
        f" {fitted.criterion}: {format_number(fitted.estimates.objective, 8)}",
        var_corr(fitted).table().text(),
        f" Number of obs: {fitted.n_obs}; groups: {group_line(fitted)}",
        f" Fixed effects: {', '.join(shown[:8]) or 'none'}{more}",
    ]
    return "\n".join(lines)


def model_matrix(fitted: FittedModel) -> pd.DataFrame:
    """The fixed-effects model matrix with names, and with the row labels of the data where it has any."""
    names = pd.Index(fitted.design.x_names, dtype=object)
    return pd.DataFrame(fitted.design.x.copy(), index=fitted.design.row_labels, columns=names)
