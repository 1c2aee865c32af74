"""The parameters of a model as tables of confidence limits list them: variances, scale, coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ...checks import several_texts
from ...errors import ArgumentError
from ...fit.state import FittedModel
from ...wording import listed, nearest, unique_names
from .variance_components import variance_components

# lme4's names of all variance parameters and of all coefficients.
_SETS = {"theta_": ("sd", "cor", "scale"), "beta_": ("coefficient",)}


class ParameterRow(NamedTuple):
    """
    A parameter.

    Attributes
    ----------
    name : str
        ``sd_Days|Subject``, ``cor_Days.(Intercept)|Subject``, ``sigma`` or the name of the family's own
        parameter, or that of a coefficient.
    kind : {"sd", "cor", "scale", "coefficient"}
    place : tuple of int
        Term and natural parameter, nothing, or the column of the model matrix.
    estimate : float
        NaN for a coefficient that was dropped, and for a correlation with an effect without variance.
    free : bool
        Whether it is estimated.
    """

    name: str
    kind: str
    place: tuple[int, ...]
    estimate: float
    free: bool


def parameter_rows(fitted: FittedModel) -> tuple[ParameterRow, ...]:
    """All parameters: standard deviations and correlations by term, the scale, coefficients."""
    return fitted.derived(_rows)


def _rows(fitted: FittedModel) -> tuple[ParameterRow, ...]:
    rows: list[ParameterRow] = []
    for t, part in enumerate(variance_components(fitted)):
        for i, own in enumerate(part.parameters):
            name = f"{own.kind}_{'.'.join(reversed(own.effects))}|{part.group}"
            rows.append(ParameterRow(name, own.kind, (t, i), own.value, not own.fixed))
    names = unique_names([row.name for row in rows])
    rows = [row._replace(name=name) for row, name in zip(rows, names, strict=True)]
    family = fitted.family
    if family.estimates_dispersion:
        free = fitted.held.sigma is None
        rows.append(ParameterRow(family.scale_name, "scale", (), family.sigma(fitted.dispersion), free))
    free_columns = set(fitted.estimates.free.tolist())
    for j, (name, value) in enumerate(
        zip(fitted.design.x_names, fitted.estimates.beta.tolist(), strict=True)
    ):
        rows.append(ParameterRow(name, "coefficient", (j,), value, j in free_columns))
    return tuple(rows)


def chosen_rows(argument: str, wanted: Any, rows: Sequence[ParameterRow]) -> tuple[ParameterRow, ...]:
    """
    The parameters that an argument names.

    Parameters
    ----------
    argument : str
        Its name, for messages.
    wanted : str or sequence of str, optional
        Names; patterns such as ``"sd_*"``; ``"theta_"`` for all variance parameters and ``"beta_"`` for all
        coefficients. None for all parameters.
    rows : sequence of ParameterRow

    Raises
    ------
    ArgumentError
        For something that names no parameter.
    """
    if wanted is None:
        return tuple(rows)
    chosen: dict[str, ParameterRow] = {}
    for text in several_texts(argument, wanted):
        found = [row for row in rows if _names(text, row)]
        if not found:
            known = [row.name for row in rows]
            hint = nearest(text, known) or "."
            raise ArgumentError(
                f"{argument}: no parameter {text!r}{hint} The parameters are: {listed(known, most=30)}"
            )
        # An exact name is that parameter alone.
        exact = [row for row in found if row.name == text]
        chosen.update({row.name: row for row in exact or found})
    return tuple([row for row in rows if row.name in chosen])


def _names(text: str, row: ParameterRow) -> bool:
    return row.name == text or row.kind in _SETS.get(text, ()) or fnmatchcase(row.name, _pattern(text))


def _pattern(text: str) -> str:
    """Only * and ? stand for other characters: names have brackets of their own."""
    return text.replace("[", "[[]")
