"""Quantile residuals and the tests that they pass or fail."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...render.page import Page, Table
from ...render.printed import Printed
from ...render.result_table import ResultTable, result_table
from ...render.style import Style
from ..check import ALPHA, Check
from . import by_rows, overall
from .counts import Counts
from .source import Source

Alternative = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class QuantileResiduals(Printed):
    """
    Quantile residuals: for each row the share of simulated responses below the one observed.

    If the model is right they are uniform between 0 and 1, whatever the family. All tests compare the data
    with the simulated responses, and so allow for the correlation of rows that share random effects.

    Attributes
    ----------
    residuals : ndarray, shape (n,)
        Between 0 and 1. With ``na_action="exclude"`` a value for each row of the data, NaN for rows not used.
    n_sim : int
        Number of simulated responses.
    n_asked : int
        How many were wanted; more than `n_sim` after an interrupt or failed refits.
    conditional : bool
        Whether all responses share random effects drawn given the data.
    refit : bool
        Whether the model was refitted to each response.
    """

    residuals: NDArray[np.float64]
    n_sim: int
    n_asked: int
    conditional: bool
    refit: bool
    _source: Source
    _counts: Counts

    @cached_property
    def used(self) -> NDArray[np.float64]:
        """The residuals of the rows used."""
        return self.residuals[~np.isnan(self.residuals)]

    @property
    def normal(self) -> NDArray[np.float64]:
        """The residuals on the scale of a standard normal variable, shape (n,)."""
        from scipy.special import ndtri

        return ndtri(self.residuals)

    @property
    def outlier(self) -> NDArray[np.bool_]:
        """Which of the rows used are outside all simulated responses."""
        return overall.outside(self._source, self._counts)

    @property
    def predicted(self) -> NDArray[np.float64]:
        """Linear predictors of the rows used; if `conditional` with random effects drawn given the data."""
        return self._source.predictor

    def test_uniformity(self) -> Check:
        """
        Test whether the residuals are uniform, by the statistic of Kolmogorov and Smirnov.

        Returns
        -------
        Check
            `value` is the largest distance of the distribution of the residuals from the uniform one. Its
            p-value compares the same distance, at 19 points, in the data and the simulated responses.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.quantile_residuals(rng=1).test_uniformity().verdict
        'ok'
        """
        return overall.uniformity(self._source, self._counts, self.used)

    def test_dispersion(self, alternative: Alternative = "two-sided") -> Check:
        """
        Test whether the data vary as much as the simulated responses.

        Parameters
        ----------
        alternative : {"two-sided", "greater", "less"}, default "two-sided"
            "greater" is a test of overdispersion.

        Returns
        -------
        Check
            `value` is the ratio of Pearson's statistic to its mean in the simulated responses: above 1 for
            overdispersion. Unless `conditional`, random effects are predicted from each response by a linear
            model and taken out.

        Examples
        --------
        >>> from mixedmodels import glmer, load_epil
        >>> m = glmer("y ~ lbase * trt + (1 | subject)", load_epil(), "poisson")
        >>> m.quantile_residuals(rng=1, conditional=True).test_dispersion("greater").verdict
        'attention'
        """
        return overall.dispersion(self._source, self._counts, alternative)

    def test_outliers(self, method: Literal["simulation", "binomial"] = "simulation") -> Check:
        """
        Test whether more responses than expected are outside all simulated ones.

        Parameters
        ----------
        method : {"simulation", "binomial"}, default "simulation"
            "simulation" counts for each simulated response, too, how many of its values are outside all
            others: valid for discrete responses and correlated rows. "binomial" is the exact binomial test
            of a share of 2/(nsim + 1), valid for continuous responses and independent rows.

        Returns
        -------
        Check
            `value` is the number of outliers.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.quantile_residuals(rng=1).test_outliers("binomial").measure
        'outliers'
        """
        return overall.outliers(self._source, self._counts, method)

    def test_zero_inflation(self, alternative: Alternative = "two-sided") -> Check:
        """
        Test whether there are as many zeros as the model expects.

        Parameters
        ----------
        alternative : {"two-sided", "greater", "less"}, default "two-sided"
            "greater" is a test of too many zeros.

        Returns
        -------
        Check
            `value` is the ratio of the number of zeros observed to the one expected.

        Examples
        --------
        >>> from mixedmodels import glmer, load_epil
        >>> m = glmer("y ~ lbase * trt + (1 | subject)", load_epil(), "poisson")
        >>> m.quantile_residuals(rng=1).test_zero_inflation().measure
        'observed / expected zeros'
        """
        return overall.zero_inflation(self._source, self._counts, alternative)

    def test_predictor(self, x: Any = None, *, bins: int = 10) -> Check:
        """
        Test whether the residuals depend on a variable, in the model or not.

        Parameters
        ----------
        x : str or array-like of shape (n,), optional
            A column of the data, or a value for each row; numbers or labels. By default the linear predictor.
        bins : int, default 10
            Numbers are cut at their quantiles into so many groups.

        Returns
        -------
        Check
            `value` is the largest distance of the mean of a group from 1/2. The p-value is the smallest of
            those of the means, the spread within groups and, for numbers, a linear trend, adjusted by
            Bonferroni. `table` has a row for each group.

        Raises
        ------
        ArgumentError
            For values that do not match the rows.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> sleep = load_sleepstudy()
        >>> m = lmer("Reaction ~ 1 + (1 | Subject)", sleep)
        >>> m.quantile_residuals(rng=1).test_predictor(sleep["Days"]).verdict
        'attention'
        """
        return by_rows.predictor(self._source, self.n_asked, self.used, x, bins)

    def test_temporal(self, time: Any, *, by: Any = None) -> Check:
        """
        Test for autocorrelation in time, by the statistic of Durbin and Watson.

        Parameters
        ----------
        time : str or array-like of shape (n,)
            Numbers or dates; labels have no order. The residuals of one time are averaged.
        by : str or array-like of shape (n,), optional
            The series that each row belongs to, such as a subject.

        Returns
        -------
        Check
            `value` is near 2 without autocorrelation and smaller with a positive one. The p-value allows for
            what random effects have in common.

        Raises
        ------
        ArgumentError
            For values that do not match the rows, for labels, and for fewer than three times.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (1 | Subject)", load_sleepstudy())
        >>> m.quantile_residuals(rng=1).test_temporal("Days", by="Subject").measure
        'Durbin-Watson'
        """
        return by_rows.temporal(self._source, self.n_asked, self.used, time, by)

    def test_spatial(self, x: Any, y: Any) -> Check:
        """
        Test for autocorrelation in space, by Moran's I with inverse distances as weights.

        Parameters
        ----------
        x, y : str or array-like of shape (n,)
            Coordinates. The residuals of one place are averaged.

        Returns
        -------
        Check
            `value` is near 0 without autocorrelation, and positive if near places are alike.

        Raises
        ------
        ArgumentError
            For coordinates that are not numbers, fewer than four places or more than 4,000.

        Examples
        --------
        >>> import numpy as np
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> x, y = np.random.default_rng(1).normal(size=(2, 180))
        >>> m.quantile_residuals(rng=1).test_spatial(x, y).verdict
        'ok'
        """
        return by_rows.spatial(self._source, self.n_asked, self.used, x, y)

    def tests(self) -> ResultTable:
        """
        The tests that need nothing else.

        Returns
        -------
        ResultTable
            A row for each test that applies. Columns ``test``, ``measure``, ``value``, ``p.value``,
            ``verdict``.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> m.quantile_residuals(rng=1).tests()["test"].tolist()
        ['uniformity', 'dispersion', 'outliers']
        """
        found = [
            self.test_uniformity(),
            self.test_dispersion(),
            self.test_outliers(),
            self.test_zero_inflation(),
        ]
        applied = [check for check in found if check.verdict != "not applicable"]
        columns = {
            "test": [check.name for check in applied],
            "measure": [check.measure for check in applied],
            "value": [check.value for check in applied],
            "p.value": [check.p_value for check in applied],
            "verdict": [check.verdict for check in applied],
        }
        return result_table(columns, heading=[self._heading()], notes=self._notes())

    def to_frame(self) -> pd.DataFrame:
        """
        The residuals beside the rows.

        Returns
        -------
        DataFrame, shape (n, 2)
            Columns ``residual`` and ``normal``; the index of the data, or the positions of their rows.
        """
        from ...design.used_rows import names_of_rows

        fitted = self._source.fitted
        labels = names_of_rows(fitted.design, fitted.arguments)
        return pd.DataFrame({"residual": self.residuals, "normal": self.normal}, index=labels)

    def plot(self, axes: Any = None) -> Any:
        """
        Two panels: a uniform Q-Q plot, and the residuals against the ranks of the linear predictor.

        Parameters
        ----------
        axes : sequence of two matplotlib Axes, optional
            Where to draw; by default in a new figure.

        Returns
        -------
        Panels
            The two axes, with the figure as ``.figure``.

        Raises
        ------
        ArgumentError
            Without matplotlib.
        """
        from ...plot.quantile_residuals import quantile_residual_plots

        tests = dict(zip(*(self.tests()[name] for name in ("test", "p.value")), strict=True))
        return quantile_residual_plots(self.used, self.predicted, tests, axes=axes)

    def _heading(self) -> str:
        how = "with random effects given the data" if self.conditional else "with new random effects"
        refit = ", the model refitted to each" if self.refit else ""
        return f"Quantile residuals by {self.n_sim} simulated responses, {how}{refit}"

    def _notes(self) -> list[str]:
        missing = self.n_asked - self.n_sim
        notes = [f"{missing} of {self.n_asked} simulations were not done or not fitted"] if missing else []
        if 3 / (self.n_sim + 1) >= ALPHA:
            notes.append(f"Among so few simulations p-values cannot be below {2 / (self.n_sim + 1):.2g}")
        return notes

    def _page(self, style: Style) -> Page:
        table = self.tests()
        columns = [
            ("test", table["test"].tolist()),
            ("value", _values(table, style)),
            ("p.value", style.within(3).p_values(table["p.value"])),
            ("verdict", table["verdict"].tolist()),
            ("", table["measure"].tolist()),
        ]
        return Page.of(Table.from_columns(columns, (0, 3, 4)), table.heading, table.notes)


def _values(table: ResultTable, style: Style) -> list[str]:
    """The values as texts; outliers are counted."""
    count = table["test"] == "outliers"
    texts = iter(style.within(3).estimates(table["value"][~count]))
    return [
        f"{value:.0f}" if whole else next(texts) for value, whole in zip(table["value"], count, strict=True)
    ]


def result_of(source: Source, counts: Counts, n_asked: int) -> QuantileResiduals:
    """The residuals by the counts of all simulated responses."""
    m = len(counts)
    shares = source.ties().random(source.fitted.n_obs)
    values = (counts.below + shares * (counts.equal + 1.0)) / (m + 1.0)
    residuals = source.fitted.design.missing.pad(values)
    residuals.flags.writeable = False
    return QuantileResiduals(
        residuals=residuals,
        n_sim=m,
        n_asked=n_asked,
        conditional=source.conditional,
        refit=source.refit,
        _source=source,
        _counts=counts,
    )
