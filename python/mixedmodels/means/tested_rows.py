"""Rows of marginal means with their tables: intervals, tests, letters, a figure."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import probability
from ..public import public
from ..render.page import Page, Section
from ..render.printed import Printed
from ..render.style import Style
from .adjustments import Adjustment
from .figure import draw_rows
from .letters import letter_display
from .rows import EstimatedRows
from .table import Infer, MeansTable, check_infer, estimate_table, joint_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class TestedRows(Printed, EstimatedRows):
    """The tables of an `Emmeans`."""

    # For pytest: this is no class of tests.
    __test__ = False

    @property
    def L(self) -> NDArray[np.float64]:
        """Coefficients of the linear functions, shape (m, p); a copy."""
        return self.functions.rows.copy()

    @public
    def vcov(self) -> NDArray[np.float64]:
        """
        Covariance matrix of the rows on the scale of the linear predictor.

        Returns
        -------
        ndarray, shape (m, m)
            NaN for rows that are not estimable.

        Examples
        --------
        >>> from mixedmodels import emmeans, lmer, load_machines
        >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
        >>> means.vcov().shape
        (3, 3)
        """
        return self.functions.covariance.copy()

    @public
    def to_frame(self) -> MeansTable:
        """
        The table that is printed.

        Returns
        -------
        MeansTable
            With confidence limits for means and trends and tests for contrasts, or as ``infer`` says.

        Examples
        --------
        >>> from mixedmodels import emmeans, lmer, load_machines
        >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
        >>> list(means.to_frame())
        ['Machine', 'emmean', 'SE', 'df', 'lower.CL', 'upper.CL']
        """
        limits, tests = self.infer or (not self.contrasts, self.contrasts)
        return estimate_table(self, limits, tests)

    def _page(self, style: Style) -> Page:
        return self.to_frame()._page(style)

    @public
    def confint(self, level: float | None = None, adjust: Adjustment | None = None) -> MeansTable:
        """
        Confidence intervals of the rows.

        Parameters
        ----------
        level : float, optional
            Confidence level; by default the level of the object, 0.95 unless another one was given.
        adjust : {"none", "tukey", "sidak", "bonferroni", "holm", "scheffe", "mvt", "fdr"}, optional
            Adjustment for the number of intervals, see `contrast`; by default the adjustment of the object,
            "none" for means. The stepwise methods "holm" and "fdr" have no intervals: Bonferroni's are given.

        Returns
        -------
        MeansTable
            The labels, then the estimate, SE, df, lower.CL, upper.CL.

        Raises
        ------
        ArgumentError
            For a level outside (0, 1) or an unknown adjustment.

        Examples
        --------
        >>> from mixedmodels import emmeans, lmer, load_machines
        >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
        >>> means.confint(level=0.9)[["lower.CL", "upper.CL"]].round(2)
           lower.CL  upper.CL
        0     47.77     56.94
        1     55.74     64.91
        2     61.69     70.86
        """
        return estimate_table(self, True, False, _level(level), adjust)

    @public
    def test(self, adjust: Adjustment | None = None, null: float = 0.0) -> MeansTable:
        """
        Tests that the rows are zero.

        Parameters
        ----------
        adjust : {"none", "tukey", "sidak", "bonferroni", "holm", "scheffe", "mvt", "fdr"}, optional
            Adjustment for the number of tests, see `contrast`; by default the adjustment of the object.
        null : float, default 0
            The value under the hypothesis, on the scale of the linear predictor.

        Returns
        -------
        MeansTable
            The labels, then the estimate, SE, df, null (if it is not zero, or shown on another scale),
            t.ratio or z.ratio, p.value.

        Raises
        ------
        ArgumentError
            For an unknown adjustment, or a `null` that is not a finite number.

        Examples
        --------
        >>> from mixedmodels import emmeans, lmer, load_machines
        >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
        >>> means.test(null=60)[["Machine", "t.ratio"]].round(2)
          Machine  t.ratio
        0       A    -3.08
        1       B     0.13
        2       C     2.52
        """
        return estimate_table(self, False, True, None, adjust, null)

    @public
    def summary(
        self,
        infer: Infer = True,
        level: float | None = None,
        adjust: Adjustment | None = None,
        null: float = 0.0,
    ) -> MeansTable:
        """
        Confidence limits and tests in one table.

        Parameters
        ----------
        infer : bool or (bool, bool), default True
            Whether to show confidence limits and tests; one value for both.
        level : float, optional
            Confidence level, as for `confint`.
        adjust : {"none", "tukey", "sidak", "bonferroni", "holm", "scheffe", "mvt", "fdr"}, optional
            Adjustment for the number of tests, as for `test`.
        null : float, default 0
            The value under the hypothesis, as for `test`.

        Returns
        -------
        MeansTable

        Raises
        ------
        ArgumentError
            As for `confint` and `test`.

        Examples
        --------
        >>> from mixedmodels import emmeans, lmer, load_machines
        >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
        >>> list(means.pairs().summary())
        ['contrast', 'estimate', 'SE', 'df', 'lower.CL', 'upper.CL', 't.ratio', 'p.value']
        """
        return estimate_table(self, *check_infer(infer), _level(level), adjust, null)

    @public
    def joint(self) -> MeansTable:
        """
        Test jointly that all rows of a group are zero.

        Returns
        -------
        MeansTable
            Columns df1, df2, F.ratio, p.value, one row for each group.

        Examples
        --------
        >>> from mixedmodels import emmeans, lmer, load_machines
        >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
        >>> means.pairs().joint()
         model term  df1  df2  F.ratio   p.value
         (all rows)    2   10   20.576 0.0002855
        <BLANKLINE>
        Satterthwaite's degrees of freedom
        """
        return joint_table(self)

    @public
    def cld(self, alpha: float = 0.05, adjust: Adjustment | None = "tukey") -> MeansTable:
        """
        Means in increasing order with letters: means that share one do not differ significantly.

        A difference that is not significant need not be zero: the comparisons themselves, see `pairs`, say
        more.

        Parameters
        ----------
        alpha : float, default 0.05
            Level of significance.
        adjust : {"tukey", "none", "sidak", "bonferroni", "holm", "scheffe", "mvt", "fdr"}, default "tukey"
            Adjustment of the pairwise comparisons.

        Returns
        -------
        MeansTable
            The table of `confint` with a column ``group``, sorted within each group.

        Raises
        ------
        ArgumentError
            For contrasts, and for an `alpha` outside (0, 1).

        Notes
        -----
        Piepho (2004), Journal of Computational and Graphical Statistics 13, 456-466.

        Examples
        --------
        >>> from mixedmodels import emmeans, lmer, load_machines
        >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
        >>> means.cld()[["Machine", "group"]]
          Machine group
        0       A     a
        1       B     b
        2       C     b
        """
        return letter_display(self, probability("alpha", alpha), adjust)

    @public
    def plot(
        self,
        ax: Axes | None = None,
        *,
        comparisons: bool = False,
        alpha: float = 0.05,
        adjust: Adjustment = "tukey",
    ) -> Axes:
        """
        Plot estimates with their confidence intervals; requires matplotlib.

        Rows from top to bottom. Colours tell groups apart; without groups, of means of several variables, the
        levels of the variable that has the fewest. Contrasts and trends have a line at no effect.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure, as tall as the rows need.
        comparisons : bool, default False
            Add comparison arrows: two means of a group differ significantly where the arrows between them do
            not overlap. Confidence intervals, which are drawn as bands, do not tell this.
        alpha : float, default 0.05
            Level of the comparisons.
        adjust : {"tukey", "none", "sidak", "bonferroni", "scheffe", "mvt"}, default "tukey"
            Adjustment of the comparisons for their number in a group; of stepwise methods Bonferroni's.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ArgumentError
            Without matplotlib, when `ax` is not an Axes object, and for comparisons of contrasts or of more
            than 60 means.

        Notes
        -----
        Where no arrows can show the results of all tests, a remark says for how many pairs they mislead.
        Goldstein & Healy (1995), JRSS A 158, 175-177.

        Examples
        --------
        >>> from mixedmodels import emmeans, lmer, load_machines
        >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
        >>> ax = means.plot(comparisons=True)
        >>> ax.get_xlabel(), ax.get_ylabel()
        ('emmean of score, 95 % intervals', 'Machine')
        """
        return draw_rows(self, ax, comparisons, alpha, adjust)


Tested = TypeVar("Tested", bound=TestedRows)


class SimpleContrasts(Printed, dict[str, Tested]):
    """
    Contrasts of the levels of each variable in turn, by the name of the variable; prints all of them.

    Examples
    --------
    >>> from mixedmodels import emmeans, lmer, load_cake
    >>> m = lmer("angle ~ recipe + temp + (1 | recipe:replicate)", load_cake())
    >>> list(emmeans(m, "~ recipe + temp", at={"temp": [175, 225]}).pairs(simple="each"))
    ['recipe', 'temp']
    """

    def to_frame(self) -> pd.DataFrame:
        """
        The contrasts of all variables.

        Returns
        -------
        DataFrame
            The tables below each other, with a column ``variable`` in front.
        """
        frames = {name: found.to_frame().to_frame() for name, found in self.items()}
        return pd.concat(
            [frame.assign(variable=name) for name, frame in frames.items()], ignore_index=True
        ).pipe(lambda whole: whole[["variable", *whole.columns.drop("variable")]])

    def _page(self, style: Style) -> Page:
        sections: list[Section] = []
        for name, found in self.items():
            first, *more = found._page(style).sections
            title = f"Simple contrasts of {name}"
            sections += [dataclasses.replace(first, heading=(title, *first.heading)), *more]
        return Page(tuple(sections))


def _level(level: float | None) -> float | None:
    return None if level is None else probability("level", level)
