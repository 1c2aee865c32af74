"""Where the variance parameters of statsmodels are among those of a fit of ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..fit.state import FittedModel
from ..inference.estimates.parameter_rows import ParameterRow, parameter_rows
from ..inference.estimates.variance_components import variance_components

# Blocks of a model, each with the place of its term.
Layout = Sequence[tuple[Any, int]]


class Places(NamedTuple):
    """
    Parameters by the positions that statsmodels gives them.

    Attributes
    ----------
    deviations : dict
        Standard deviations of the random effects, then of the variance components. Without an entry: zero.
    correlations : dict
        From pairs of random effects (i, j), i > j; a pair without an entry is independent.
    scale : ParameterRow
        The residual standard deviation.
    """

    deviations: dict[int, ParameterRow]
    correlations: dict[tuple[int, int], ParameterRow]
    scale: ParameterRow


def places_of(fitted: FittedModel, layout: Layout, k_re: int) -> Places:
    """The places of the parameters of a fit whose terms are these blocks."""
    rows = parameter_rows(fitted)
    components = variance_components(fitted)
    deviations: dict[int, ParameterRow] = {}
    correlations: dict[tuple[int, int], ParameterRow] = {}
    for block, t in layout:
        own = block.columns if block.component < 0 else (k_re + block.component,)
        for row in rows:
            if row.kind not in ("sd", "cor") or row.place[0] != t:
                continue
            columns = components[t].parameters[row.place[1]].columns
            if row.kind == "sd":
                deviations[own[columns[0]] if block.component < 0 else own[0]] = row
            else:
                i, j = (own[c] for c in columns)
                correlations[max(i, j), min(i, j)] = row
    return Places(deviations, correlations, next(row for row in rows if row.kind == "scale"))
