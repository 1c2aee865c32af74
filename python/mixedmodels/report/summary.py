"""The summary of a fitted model, as it prints."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ..fit.record import Convergence
from ..render.frame_table import table_of, triangle_of
from ..render.numbers import DIGITS, PStyle, format_decimals, format_fixed, format_number
from ..render.page import Facts, Page, Section, Table
from ..render.printed import Printed
from ..render.result_table import ResultTable
from ..render.style import Style
from ..wording import one_line
from .notes import FamilyParameter
from .varcorr import VarianceComponents, variance_table

_HUGE = 1e9


@dataclass(frozen=True, eq=False, repr=False)
class Summary(Printed):
    """
    The summary of a model: printable, with its numbers as attributes.

    Attributes
    ----------
    head : tuple of str
        Kind of model and method, in one line or more.
    formula : str
    criteria : dict
        Name and value of the fit criteria.
    residual_quantiles : Series
        Minimum, quartiles and maximum of the scaled (Pearson) residuals.
    varcorr : VarianceComponents
    nobs : int
    ngrps : dict
        Number of levels of each grouping factor.
    group_line : str
        Grouping factors and their numbers of levels in a line.
    data_notes : tuple of str
        Rows left out, weights, offset.
    parameter : FamilyParameter or None
        The family's own parameter with its ``name``, ``value`` and ``meaning``; None for models without one.
    coefficients : ResultTable, shape (p, 5), (p, 4) or (p, 3)
        Columns Estimate, Std. Error, df, t value, Pr(>|t|), or z value and Pr(>|z|) for infinite degrees of
        freedom (always for generalized models); NaN for dropped columns. Without df and p-value where
        they are too expensive to compute.
    tests : str
        Where the degrees of freedom come from; empty for generalized models.
    errors : str
        How the standard errors were computed; empty for linear models.
    correlation : DataFrame or None
        Of the coefficients; None when it is not printed.
    convergence : Convergence
    notes : tuple of str
        Singular fit, dropped columns, and the like.
    digits : int
        Significant digits of the smallest estimate when printed.
    p_style : {"exact", "apa"}
        How p-values are printed.
    held : tuple of str
        The coefficients that ``fixed=`` holds.

    Examples
    --------
    >>> from mixedmodels import lmer, load_sleepstudy
    >>> summary = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).summary()
    >>> summary.coefficients["Estimate"].round(3).to_dict()
    {'(Intercept)': 251.405, 'Days': 10.467}
    >>> print(summary.to_text(digits=4).splitlines()[3])
     REML criterion: 1743.628
    """

    head: tuple[str, ...]
    formula: str
    criteria: dict[str, float]
    residual_quantiles: pd.Series
    varcorr: VarianceComponents
    nobs: int
    ngrps: dict[str, int]
    group_line: str
    data_notes: tuple[str, ...]
    parameter: FamilyParameter | None
    coefficients: ResultTable
    tests: str
    errors: str
    correlation: pd.DataFrame | None
    convergence: Convergence
    notes: tuple[str, ...]
    digits: int = DIGITS
    p_style: PStyle = "exact"
    held: tuple[str, ...] = ()

    @property
    def dispersion(self) -> str:
        """The family's own parameter in a line; empty for models without one."""
        return "" if self.parameter is None else self.parameter.line(self.digits)

    @property
    def title(self) -> str:
        """The first line."""
        return self.head[0]

    def to_frame(self) -> pd.DataFrame:
        """
        The coefficients as a plain data frame.

        Returns
        -------
        DataFrame
            A copy of `coefficients`.
        """
        return self.coefficients.to_frame()

    def _page(self, style: Style) -> Page:
        style = style.within(self.digits, self.p_style)
        sections = [
            Section((*self.head, f" Formula: {one_line(self.formula)}")),
            Section(body=_criteria(self.criteria, style)),
            Section(("Scaled residuals:",), _quantiles(self.residual_quantiles, style)),
            Section(("Random effects:",), variance_table(self.varcorr, style), self._data_lines(style)),
            self._fixed_effects(style),
        ]
        if self.correlation is not None:
            sections.append(
                Section(("Correlation of fixed effects:",), _correlations(self.correlation, style))
            )
        return Page((*sections, Section(notes=(self.convergence.outcome, *self.notes))))

    def _fixed_effects(self, style: Style) -> Section:
        if not len(self.coefficients):
            return Section(("Fixed effects: none",))
        marked = {name: f"{name} (fixed)" for name in self.held}
        table = self.coefficients.to_frame().rename(index=marked)
        methods = tuple(f" {line}" for line in (self.tests, self.errors) if line)
        return Section(("Fixed effects:",), table_of(table, style), methods)

    def _data_lines(self, style: Style) -> tuple[str, ...]:
        dispersion = [] if self.parameter is None else [self.parameter.line(style.digits or self.digits)]
        groups = f"Number of obs: {self.nobs}; groups: {self.group_line}"
        return tuple(f" {line}" for line in (*dispersion, groups, *self.data_notes))


def _correlations(matrix: pd.DataFrame, style: Style) -> Table | Facts:
    """The lower triangle of a correlation matrix; of two coefficients just their correlation."""
    names = [one_line(str(name)) for name in matrix.index]
    if len(names) == 2:
        return Facts(((", ".join(names), style.correlations([matrix.iloc[1, 0]])[0]),))
    return triangle_of(matrix, style.correlations)


def _criteria(values: dict[str, float], style: Style) -> Facts:
    return Facts(
        tuple(
            (name, f"{value:.0f}" if name == "df.resid" else _criterion(value, style))
            for name, value in values.items()
        )
    )


def _criterion(value: float, style: Style) -> str:
    decimals = (style.digits or DIGITS) - 1
    return format_decimals(value, decimals) if abs(value) < _HUGE else format_number(value, 10)


def _quantiles(quantiles: pd.Series, style: Style) -> Facts:
    texts = format_fixed(quantiles, (style.digits or DIGITS) - 1)
    return Facts(tuple(zip(map(str, quantiles.index), texts, strict=True)))
