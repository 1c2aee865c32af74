"""The data and the fitted lines of each level of a grouping factor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..checks import one_of, whole_number
from ..diagnostics.rows import row_values
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..formula.nodes import variables
from ..inference.estimates.random_effects import terms_by_group
from ..plot.panels_of_groups import GroupPanel, group_panels
from ..plot.style import Panels, panels_of
from ..wording import nearest
from .lines_within import Line, lines_within, predictors

_PER_PAGE = 30
# Lines with a larger share that the data do not determine are not drawn.
_GAPS = 0.5


def plot_groups(
    fitted: FittedModel,
    x: Any = None,
    group: Any = None,
    levels: Any = None,
    page: Any = 1,
    per_page: Any = _PER_PAGE,
    axes: Any = None,
) -> Panels:
    """Small panels, see `MixedModel.plot_groups`."""
    labels = list(terms_by_group(fitted))
    group = labels[0] if group is None else one_of("group", group, labels)
    term = fitted.design.terms[terms_by_group(fitted)[group][0]]
    known = term.group.levels
    found = row_values(fitted, _usual(fitted, group) if x is None else x, "x")
    at = found.values if found.values is not None else np.where(found.codes < 0, np.nan, found.codes)
    chosen, title = _page(group, known, levels, page, per_page)
    order = np.argsort(term.group.codes, kind="stable")
    starts = np.searchsorted(term.group.codes[order], np.arange(len(known) + 1))
    groups = [order[starts[level] : starts[level + 1]] for level in chosen]
    joined = isinstance(x, str | None) and found.name in predictors(fitted)
    lines = lines_within(fitted, found, groups) if joined else []
    if not joined or np.isnan(np.concatenate([line.population for line in lines])).mean() > _GAPS:
        lines, joined = _fitted_values(fitted, at, groups), False
    panels = [
        GroupPanel(known[level], at[rows], fitted.observed[rows], *line, joined)
        for level, rows, line in zip(chosen, groups, lines, strict=True)
    ]
    names = () if found.values is not None else found.levels
    return panels_of(group_panels(panels, (found.name, fitted.design.response_name), names, title, axes))


def _fitted_values(fitted: FittedModel, at: Any, groups: Sequence[Any]) -> list[Line]:
    population = fitted.family.mean(_fixed_part(fitted))
    return [Line(at[rows], fitted.mean[rows], population[rows]) for rows in groups]


def _fixed_part(fitted: FittedModel) -> Any:
    kept = fitted.estimates.kept
    fixed = fitted.design.x[:, kept] @ fitted.estimates.beta[kept]
    return fixed if fitted.design.offset is None else fixed + fitted.design.offset


def _usual(fitted: FittedModel, group: str) -> str:
    """A variable with a random slope of this factor, else the first of the fixed part."""
    recipe = fitted.design.recipe
    nodes = [node for t in terms_by_group(fitted)[group] for node in recipe.random[t][0].nodes]
    names = dict.fromkeys(v for node in [*nodes, *recipe.fixed.nodes] for v in variables(node))
    for name in names:
        if name not in group.split(":"):
            return name
    raise ArgumentError("x: the model has no predictor for the axis; name a column of the data")


def _places(group: str, known: Sequence[str], levels: Any) -> list[int]:
    """The places of levels, given by their names or, where these are numbers, as numbers."""
    single = isinstance(levels, str) or not hasattr(levels, "__iter__")
    wanted = [_level_name(level) for level in ([levels] if single else list(levels))]
    places = {name: i for i, name in enumerate(known)}
    for name in wanted:
        if name not in places:
            raise ArgumentError(f"levels: {group!r} has no level {name!r}{nearest(name, known)}")
    if not wanted:
        raise ArgumentError("levels must name at least one level")
    return [places[name] for name in wanted]


def _level_name(level: Any) -> str:
    whole = isinstance(level, (float, np.floating)) and float(level).is_integer()
    return str(int(level)) if whole else str(level)


def _page(group: str, known: Any, levels: Any, page: Any, per_page: Any) -> tuple[list[int], str]:
    """The levels of a page, with its title."""
    if levels is not None:
        return _places(group, known, levels), group
    size = whole_number("per_page", per_page, 1, 60)
    pages = -(-len(known) // size)
    if pages == 1 and whole_number("page", page, 1) > 1:
        raise ArgumentError(f"page must be 1: the {len(known)} levels of {group!r} fit on one page")
    first = (whole_number("page", page, 1, pages) - 1) * size
    chosen = list(range(first, min(first + size, len(known))))
    if pages == 1:
        return chosen, group
    return (
        chosen,
        f"{group}: levels {first + 1:,}-{chosen[-1] + 1:,} of {len(known):,} (page {page} of {pages:,})",
    )
