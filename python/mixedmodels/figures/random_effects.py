"""Random effects of a model in figures: caterpillars, quantiles, shrinkage."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..checks import chosen, one_of, probability
from ..diagnostics.within_groups import within_group_estimates
from ..errors import ArgumentError
from ..fit.state import FittedModel
from ..inference.estimates.random_effects import conditional_variances, terms_by_group
from ..inference.estimates.variance_components import variance_components
from ..inference.hypotheses.confidence_limits import normal_quantile
from ..plot.caterpillar import caterpillar, quantile_caterpillar
from ..plot.quantiles import qq_plot
from ..plot.shrinkage import shrinkage_pair, shrinkage_single
from ..plot.style import COLUMNS, MOST_LABELS, Panels, fitting, legend_beside, note, panels_of, panels_or_new

# More panels than these are too small to read.
_MOST_PANELS = 24
# More series than these have one for each term.
_SERIES = 6
_SHARE_LEFT = 1e-8


class Effect(NamedTuple):
    """
    A random effect over the levels of its grouping factor.

    Attributes
    ----------
    group, name : str
    levels : tuple of str
    modes, errors : ndarray, shape (m,)
        Conditional modes and their conditional standard deviations.
    sd : float
        Standard deviation of the effect.
    term : int
    """

    group: str
    name: str
    levels: tuple[str, ...]
    modes: NDArray[np.float64]
    errors: NDArray[np.float64]
    sd: float
    term: int

    @property
    def title(self) -> str:
        """Group and name in a line."""
        return f"{self.group}: {self.name}"


def effects_of(fitted: FittedModel, group: Any = None, effects: Any = None) -> list[Effect]:
    """
    The random effects of a model, or those of one grouping factor, or with these names.

    Raises
    ------
    ArgumentError
        For names that the model does not have.
    """
    members = terms_by_group(fitted)
    if group is not None:
        one_of("group", group, members)
        members = {group: members[group]}
    variances, components = conditional_variances(fitted), variance_components(fitted)
    found: list[Effect] = []
    for label, terms in members.items():
        for t, covariance in zip(terms, variances[label], strict=True):
            term = fitted.design.terms[t]
            errors = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
            found += [
                Effect(
                    label, name, term.group.levels, fitted.estimates.b[t][:, j], errors[:, j], float(sd), t
                )
                for j, (name, sd) in enumerate(zip(term.names, components[t].sd, strict=True))
            ]
    names = list(dict.fromkeys(effect.name for effect in found))
    wanted = {names[j] for j in chosen("effects", effects, names)}
    return [effect for effect in found if effect.name in wanted]


def standardised(effect: Effect) -> NDArray[np.float64]:
    """
    Conditional modes in units of their own standard deviations under the model.

    The variance of a mode is that of the effect less the conditional one. NaN for levels whose rows say
    nothing about the effect, and where its variance is zero.
    """
    variance = effect.sd**2 - np.square(effect.errors)
    informed = variance > _SHARE_LEFT * effect.sd**2
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(informed, effect.modes / np.sqrt(np.where(informed, variance, 1.0)), np.nan)


def draw_effects_qq(fitted: FittedModel, ax: Any) -> Any:
    """Normal quantiles of all random effects, standardised, in one panel."""
    found = effects_of(fitted)
    if len(found) <= _SERIES:
        series = [(effect.title, standardised(effect)) for effect in found]
    else:
        terms = fitted.design.terms
        by_term = [[standardised(e) for e in found if e.term == t] for t in range(len(terms))]
        series = [(terms[t].text, np.concatenate(parts)) for t, parts in enumerate(by_term) if parts]
    names = fitting([name for name, _ in series])
    known = [
        (name, values) for name, (_, values) in zip(names, series, strict=True) if np.isfinite(values).any()
    ]
    left = [name for name, (_, values) in zip(names, series, strict=True) if not np.isfinite(values).any()]
    dropped = known[_SERIES:]
    qq_plot(known[:_SERIES], "standardised random effect", standard=True, ax=ax)
    told = [f"variance zero: {', '.join(left)}"] if left else []
    told += [f"not drawn: {', '.join(name for name, _ in dropped)}"] if dropped else []
    note(ax, "\n".join(told), "lower right")
    return ax


def plot_ranef(
    fitted: FittedModel,
    group: Any = None,
    effects: Any = None,
    level: float = 0.95,
    order_by: Any = None,
    axes: Any = None,
) -> Panels:
    """Caterpillars, see `MixedModel.plot_ranef`."""
    found, factor = (
        _few_effects(fitted, group, effects),
        normal_quantile(0.5 + probability("level", level) / 2),
    )
    orders = _orders(found, order_by)
    most = max(len(effect.levels) for effect in found)
    tall = float(np.clip(0.2 * most + 1.2, 2.6, 9.0)) if most <= MOST_LABELS else 6.0
    cells = panels_or_new(axes, len(found), size=(3.6, tall), columns=4)
    for i, (ax, effect) in enumerate(zip(cells, found, strict=True)):
        first = i % 4 == 0 or found[i - 1].group != effect.group
        caterpillar(
            ax,
            effect.levels,
            effect.modes,
            factor * effect.errors,
            orders[effect.group],
            (effect.name, "random effect", effect.group),
            labelled=first,
        )
    return panels_of(cells)


def plot_ranef_qq(
    fitted: FittedModel, group: Any = None, effects: Any = None, level: float = 0.95, axes: Any = None
) -> Panels:
    """Caterpillars against normal quantiles, see `MixedModel.plot_ranef_qq`."""
    found, factor = (
        _few_effects(fitted, group, effects),
        normal_quantile(0.5 + probability("level", level) / 2),
    )
    cells = panels_or_new(axes, len(found), size=(3.8, 3.5))
    for ax, effect in zip(cells, found, strict=True):
        quantile_caterpillar(
            ax, effect.modes, factor * effect.errors, (fitting([effect.title])[0], "random effect")
        )
    return panels_of(cells)


def plot_shrinkage(fitted: FittedModel, group: Any = None, effects: Any = None, axes: Any = None) -> Panels:
    """Estimates within groups and conditional modes, see `MixedModel.plot_shrinkage`."""
    labels = list(terms_by_group(fitted))
    group = labels[0] if group is None else one_of("group", group, labels)
    panels: list[tuple[int, tuple[int, ...]]] = []
    for t in terms_by_group(fitted)[group]:
        columns = chosen("effects", effects, fitted.design.terms[t].names) if effects is not None else None
        columns = list(range(len(fitted.design.terms[t].names))) if columns is None else columns
        pairs = [(i, j) for b, j in enumerate(columns) for i in columns[:b]]
        panels += [(t, pair) for pair in pairs] if pairs else [(t, (columns[0],))]
    _refuse_many(len(panels))
    cells = panels_or_new(axes, len(panels), size=(4.6, 4.2) if len(panels) < 3 else (3.6, 3.4))
    for ax, (t, columns) in zip(cells, panels, strict=True):
        term, component = fitted.design.terms[t], variance_components(fitted)[t]
        within, modes = within_group_estimates(fitted, t), fitted.estimates.b[t]
        names = [term.names[j] for j in columns]
        if len(columns) == 1:
            shrinkage_single(
                ax, within[:, columns[0]], modes[:, columns[0]], component.sd[columns[0]], names[0]
            )
        else:
            pair = np.array(columns)
            covariance = component.cov[np.ix_(pair, pair)]
            shrinkage_pair(
                ax, within[:, pair], modes[:, pair], covariance, (names[0], names[1]), term.group.levels
            )
        ax.set_title(f"{group} ({len(modes):,} levels)")
    # At the end of the first row of a new figure.
    legend_beside(cells[0 if axes is not None else min(COLUMNS, len(cells)) - 1], own=axes is None)
    return panels_of(cells)


def _few_effects(fitted: FittedModel, group: Any, effects: Any) -> list[Effect]:
    found = effects_of(fitted, group, effects)
    _refuse_many(len(found))
    return found


def _refuse_many(count: int) -> None:
    if count > _MOST_PANELS:
        raise ArgumentError(
            f"{count} panels are too many to read; choose some of the random effects with group= or effects="
        )


def _orders(found: list[Effect], order_by: Any) -> dict[str, NDArray[np.intp]]:
    """The order of the levels of each grouping factor: by the effect named, or its first."""
    names = list(dict.fromkeys(effect.name for effect in found))
    if order_by is not None:
        one_of("order_by", order_by, names)
    orders: dict[str, NDArray[np.intp]] = {}
    for effect in found:
        if effect.group not in orders or effect.name == order_by:
            orders[effect.group] = np.argsort(effect.modes, kind="stable")
    return orders
