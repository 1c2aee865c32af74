"""Where the variance parameters of a fit of ours are among those of statsmodels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..fit.state import FittedModel
from ..inference.estimates.parameter_rows import ParameterRow, parameter_rows
from ..inference.estimates.variance_components import variance_components


class Places(NamedTuple):
    """
    Parameters by the positions that statsmodels gives them.

    Attributes
    ----------
    deviations : list of ParameterRow
        Standard deviations of the random effects, then those of the variance components.
    correlations : dict
        From pairs of random effects (i, j), i > j; a pair without an entry is independent.
    scale : ParameterRow
        The residual standard deviation.
    """

    deviations: list[ParameterRow]
    correlations: dict[tuple[int, int], ParameterRow]
    scale: ParameterRow


def places_of(fitted: FittedModel) -> Places:
    """The places of a model whose terms are the random effects, then one for each variance component."""
    rows = parameter_rows(fitted)
    starts: list[int] = []
    deviations: list[ParameterRow] = []
    for _, own in _by_term(fitted, rows):
        starts.append(len(deviations))
        deviations += [row for row in own if row.kind == "sd"]
    correlations: dict[tuple[int, int], ParameterRow] = {}
    components = variance_components(fitted)
    for t, own in _by_term(fitted, rows):
        for row in own:
            columns = components[t].parameters[row.place[1]].columns
            if row.kind == "cor" and len(columns) == 2:
                correlations[starts[t] + max(columns), starts[t] + min(columns)] = row
    scale = next(row for row in rows if row.kind == "scale")
    return Places(deviations, correlations, scale)


def _by_term(
    fitted: FittedModel, rows: tuple[ParameterRow, ...]
) -> Iterator[tuple[int, list[ParameterRow]]]:
    for t in range(len(fitted.design.terms)):
        yield t, [row for row in rows if row.kind in ("sd", "cor") and row.place[0] == t]
