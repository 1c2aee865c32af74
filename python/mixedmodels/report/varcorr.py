"""Variance components as a mapping that prints as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ..fit.state import FittedModel
from ..inference.estimates.variance_components import (
    ComponentParameter,
    VarianceComponent,
    variance_components,
)
from ..render.numbers import DIGITS, format_column
from ..render.page import Page, Table
from ..render.printed import Printed
from ..render.result_table import ResultTable
from ..render.style import Style
from ..wording import one_line, unique_names

_MARK_INDEPENDENT = "."
_MARK_UNDEFINED = "NaN"
_FIXED = "(fixed)"


@dataclass(frozen=True, eq=False, repr=False)
class VarianceComponents(Printed):
    """
    Variances and correlations of the random effects, and the residual standard deviation if there is one.

    Iterating gives one `VarianceComponent` for each random-effects term, in the model's order. As a
    mapping, its keys are the names of the grouping factors; further terms of the same factor have
    ``.1``, ``.2`` appended. Printed, a dot marks correlations that are no parameters: of effects that are
    independent by assumption (double bar, separate terms), and ``NaN`` an undefined correlation, where a
    variance is zero.

    Attributes
    ----------
    components : tuple of VarianceComponent
    sigma : float or None
        Residual standard deviation; of a generalized model its `sigma`, None for families without a scale.
    sigma_fixed : bool
        Whether it was held at its value by ``fixed=``. Printed, ``(fixed)`` marks such parameters.

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy
    >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
    >>> m.VarCorr()["Subject"].sd.round(2)
    array([24.74,  5.92])
    """

    components: tuple[VarianceComponent, ...]
    sigma: float | None
    sigma_fixed: bool = False

    def __iter__(self) -> Iterator[VarianceComponent]:
        return iter(self.components)

    def __len__(self) -> int:
        return len(self.components)

    def __getitem__(self, key: str | int) -> VarianceComponent:
        if isinstance(key, int):
            return self.components[key]
        names = self.keys()
        if key not in names:
            raise KeyError(
                f"no grouping factor {key!r}; the grouping factors are: {', '.join(map(repr, names))}"
            )
        return self.components[names.index(key)]

    def __contains__(self, key: object) -> bool:
        return key in self.keys()

    def keys(self) -> list[str]:
        """
        Names of the grouping factors, made unique.

        Returns
        -------
        list of str
        """
        return unique_names([component.group for component in self.components])

    def values(self) -> list[VarianceComponent]:
        """
        The components.

        Returns
        -------
        list of VarianceComponent
        """
        return list(self.components)

    def items(self) -> list[tuple[str, VarianceComponent]]:
        """
        Names and components.

        Returns
        -------
        list of (str, VarianceComponent)
        """
        return list(zip(self.keys(), self.components, strict=True))

    @property
    def residual_sd(self) -> float | None:
        """Residual standard deviation, None without one."""
        return self.sigma

    @property
    def residual_variance(self) -> float | None:
        """Residual variance, None without one."""
        return None if self.sigma is None else self.sigma**2

    def to_frame(self) -> ResultTable:
        """
        One row for each variance and covariance, the residual variance (if any) last.

        Returns
        -------
        ResultTable
            A data frame with columns ``grp``, ``var1``, ``var2`` (None for a variance), ``vcov`` (variance or
            covariance) and ``sdcor`` (standard deviation or correlation). R: ``as.data.frame(VarCorr(m))``.
            A correlation that all pairs of effects share, as in ``ar1()``, has one row: ``var1`` is the
            structure, ``var2`` the label, ``vcov`` NaN.
        """
        rows: list[tuple[Any, ...]] = []
        for name, part in self.items():
            k = len(part.names)
            rows += [(name, part.names[j], None, part.cov[j, j], part.sd[j]) for j in range(k)]
            rows += [
                (name, *own.effects, part.cov[own.columns] if own.columns else np.nan, own.value)
                for own in part.parameters
                if own.kind == "cor"
            ]
        if self.sigma is not None:
            rows.append(("Residual", None, None, self.residual_variance, self.sigma))
        table = pd.DataFrame(rows, columns=["grp", "var1", "var2", "vcov", "sdcor"], dtype=object)
        # Text columns stay objects: string columns of pandas 3 would show NaN for None.
        return ResultTable(table.astype({"vcov": np.float64, "sdcor": np.float64}))

    def _page(self, style: Style) -> Page:
        return Page.of(variance_table(self, style))


def var_corr(fitted: FittedModel) -> VarianceComponents:
    """The variance components of a fit."""
    held = fitted.held
    fixed = held.sigma is not None or held.dispersion is not None
    return VarianceComponents(variance_components(fitted), fitted.residual_sd, fixed)


def variance_table(components: VarianceComponents, style: Style) -> Table:
    """The printed table; the smallest number of a column has the significant digits of the style."""
    style = style.within(DIGITS)
    groups: list[str] = []
    names: list[str] = []
    sds: list[float] = []
    # False beside a row without a standard deviation of its own.
    shown: list[bool] = []
    correlations: list[list[str]] = []
    earlier: dict[str, int] = {}
    for key, part in components.items():
        own = _rows_of(part)
        cells = _correlation_cells(part, style, earlier.get(part.group, 0))
        earlier[part.group] = earlier.get(part.group, 0) + len(own)
        height = max(len(own), len(cells))
        spare = height - len(own)
        groups += [key, *[""] * (height - 1)]
        names += [*(name for name, _ in own), *[""] * spare]
        sds += [sd for _, sd in own]
        shown += [*[True] * len(own), *[False] * spare]
        correlations += [*cells, *[[]] * (height - len(cells))]
    if components.sigma is not None:
        groups.append("Residual")
        names.append(_FIXED if components.sigma_fixed else "")
        sds.append(components.sigma)
        shown.append(True)
        correlations.append([])
    columns: list[tuple[str, Sequence[str]]] = [
        ("Groups", groups),
        ("Name", names),
        ("Variance", _beside(_sizes(np.square(sds), style), shown)),
        ("Std.Dev.", _beside(_sizes(sds, style), shown)),
    ]
    width = max(map(len, correlations))
    for j in range(width):
        cells = [row[j] if j < len(row) else "" for row in correlations]
        columns.append(("Corr" if j == 0 else "", cells))
    return Table.from_columns(columns, (0, 1), 2)


def _rows_of(part: VarianceComponent) -> list[tuple[str, float]]:
    """Effects and standard deviations; effects that share a standard deviation share a row."""
    sds = [own for own in part.parameters if own.kind == "sd"]
    if len(sds) == len(part.names):
        return [(_marked(part.names[own.columns[0]], own), own.value) for own in sds]
    names = [[part.names[j] for j in own.columns] for own in sds]
    texts = [", ".join(own) if len(own) < 3 else f"{own[0]} ... {own[-1]}" for own in names]
    return [(_marked(text, own), own.value) for text, own in zip(texts, sds, strict=True)]


def _marked(text: str, own: ComponentParameter | None) -> str:
    """The text, marked when the parameter is held; None for what follows from others."""
    return f"{text} {_FIXED}" if own is not None and own.fixed else text


def _sizes(values: ArrayLike, style: Style) -> list[str]:
    """Variances or standard deviations, all with the decimals that the smallest needs."""
    digits = style.digits or DIGITS
    return format_column(np.asarray(values, dtype=float), digits, digits + 1, zeros=True)


def _beside(cells: list[str], shown: list[bool]) -> list[str]:
    """The cells in the rows with a value, blanks elsewhere."""
    left = iter(cells)
    return [next(left) if own else "" for own in shown]


def _correlation_cells(part: VarianceComponent, style: Style, earlier: int) -> list[list[str]]:
    """
    The correlations of each effect with earlier ones; a correlation of all pairs has a label.

    There are none with the `earlier` effects of other terms of the same grouping factor.
    """
    shared = [own for own in part.parameters if own.kind == "cor" and not own.columns]
    if shared:
        single = len(shared) == 1
        labels = [part.structure if single else f"{part.structure}, {own.effects[1]}" for own in shared]
        return [
            [_marked(f"{style.correlations([own.value])[0]} ({label})", own)]
            for own, label in zip(shared, labels, strict=True)
        ]
    if part.independent and len(_rows_of(part)) < len(part.names):
        return [[f"({part.structure})"]]
    held = {frozenset(own.columns): own for own in part.parameters if own.kind == "cor"}
    none = [_MARK_INDEPENDENT] * earlier
    rows = []
    for i in range(len(part.names)):
        if part.independent:
            rows.append(none + [_MARK_INDEPENDENT] * i)
        else:
            rows.append(
                none
                + [
                    _marked(
                        _MARK_UNDEFINED if np.isnan(r) else style.correlations([r])[0],
                        held.get(frozenset((j, i))),
                    )
                    for j, r in enumerate(part.corr[i, :i])
                ]
            )
    return rows


def group_line(fitted: FittedModel) -> str:
    """Grouping factors and their numbers of levels: ``Subject 18, Item 40``."""
    sizes = {term.group.label: len(term.group.levels) for term in fitted.design.terms}
    return ", ".join(f"{one_line(name)} {size}" for name, size in sizes.items())
