"""Marginal means, their contrasts and trends, with intervals and tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import ArgumentError
from ..families.links import Link
from ..inference.degrees_of_freedom import JointTest
from .adjustments import TestFamily, checked_adjustment, interval_method
from .functions_of_beta import LinearFunctions
from .labels import row_labels
from .levels import check_level
from .scale import Scale
from .specs import names_of
from .table import MeansTable, means_table

CONTRAST = "contrast"


@dataclass(frozen=True, eq=False, repr=False)
class Emmeans:
    """
    Marginal means, or contrasts or trends made of them. Prints as its table.

    Attributes
    ----------
    labels : DataFrame, shape (m, ...)
        What each row is: levels of the variables, or the names of contrasts.
    by : tuple of str
        The variables that make groups; contrasts and adjustments are within a group.
    functions : LinearFunctions
        The rows as functions of the coefficients.
    scale : Scale
        How they are shown.
    link : Link or None
        The link, when results are wanted on the scale of the response and that is another one.
    adjust : str
        The adjustment of tests and intervals.
    pairwise : bool
        Whether the rows are all pairwise differences.
    level : float
        Confidence level.
    notes : tuple of str
    """

    labels: pd.DataFrame
    by: tuple[str, ...]
    functions: LinearFunctions
    scale: Scale
    link: Link | None
    adjust: str = "none"
    pairwise: bool = False
    level: float = 0.95
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def contrasts(self) -> bool:
        """Whether the rows are contrasts."""
        return CONTRAST in self.labels

    @property
    def L(self) -> NDArray[np.float64]:
        """The coefficients of the linear functions, shape (m, p)."""
        return self.functions.rows.copy()

    def vcov(self) -> NDArray[np.float64]:
        """Covariance matrix of the rows on the scale of the linear predictor, shape (m, m)."""
        return self.functions.covariance.copy()

    def to_frame(self) -> MeansTable:
        """The table that is printed: `confint` of means and trends, `test` of contrasts."""
        return self.test() if self.contrasts else self.confint()

    def __str__(self) -> str:
        return str(self.to_frame())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return self.to_frame()._repr_html_()

    # Intervals and tests

    def confint(self, level: float | None = None, adjust: Any = None) -> MeansTable:
        """
        Confidence intervals.

        Parameters
        ----------
        level : float, optional
            By default 0.95.
        adjust : str, optional
            Adjustment for several intervals, see `contrast`; by default that of the object, which is "none"
            for means. For the methods in steps, "holm" and "fdr", it is Bonferroni's.

        Returns
        -------
        MeansTable
            Columns of labels, then the estimate, SE, df, lower.CL, upper.CL.
        """
        level = self.level if level is None else check_level(level)
        method = interval_method(self._method(adjust))
        columns = self._columns()
        low, high = (self._value(eta) for eta in self._limits(level, method))
        columns["lower.CL"], columns["upper.CL"] = np.fmin(low, high), np.fmax(low, high)
        notes = [self._ddf_note(), f"Confidence level: {level:g}", self.adjustment_note(method, "intervals")]
        if self.scale.link is not None:
            notes += [f"Intervals are transformed from the {self._link_name} scale", *self._spread_note()]
        return self._table(columns, notes)

    def test(self, adjust: Any = None, null: float = 0.0) -> MeansTable:
        """
        Tests that the rows are zero.

        Parameters
        ----------
        adjust : str, optional
            Adjustment for several tests, see `contrast`; by default that of the object.
        null : float
            Another value than zero, on the scale of the linear predictor.

        Returns
        -------
        MeansTable
            Columns of labels, then the estimate, SE, df, the null value (if it is shown transformed), t.ratio
            or z.ratio, p.value.
        """
        method = self._method(adjust)
        columns = self._columns()
        if self.scale.link is not None or null:
            columns["null"] = self._value(np.full(len(self), float(null)))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (self.functions.estimate - null) / self.functions.standard_error
        columns["z.ratio" if self.functions.space.basis.infinite else "t.ratio"] = ratio
        p = np.full(len(self), np.nan)
        for places, family in self._families():
            p[places] = family.p_values(ratio[places], method)
        columns["p.value"] = p
        notes = [self._ddf_note(), self.adjustment_note(method, "tests")]
        if self.scale.link is not None:
            notes += [f"Tests are made on the {self._link_name} scale", *self._spread_note()]
        return self._table(columns, notes)

    def joint(self) -> MeansTable:
        """
        Test all rows of a group at once.

        Returns
        -------
        MeansTable
            Columns df1, df2, F.ratio, p.value, one row for each group.
        """
        rows: list[JointTest] = []
        for places in self.group_rows():
            rows.append(self.functions.part(places[self.functions.estimable[places]]).joint())
        first = [places[0] for places in self.group_rows()]
        columns: dict[str, Any] = {name: self.labels[name].to_numpy()[first] for name in self.by}
        columns.update(joint_columns(rows))
        if not self.by:
            columns = {"model term": ["(all rows)"], **columns}
        labels = list(self.by) or ["model term"]
        return means_table(columns, labels, (), [self._ddf_note(), *self.notes])

    # Contrasts

    def contrast(
        self,
        method: Any = "eff",
        adjust: Any = None,
        by: Any = None,
        *,
        ref: Any = None,
        reverse: bool = False,
    ) -> Emmeans:
        """
        Contrasts of the rows within each group.

        Parameters
        ----------
        method : str, mapping of str to weights, or array-like of shape (m, k)
            "pairwise": all differences of two. "trt.vs.ctrl": all minus a control. "consec": each minus the
            one before. "eff": each minus the mean of all. "del.eff": each minus the mean of the others.
            "poly": orthogonal polynomials for equally spaced levels. Or weights of one's own.
        adjust : {"none", "tukey", "sidak", "bonferroni", "holm", "scheffe", "mvt", "fdr"}, optional
            Adjustment of p-values and intervals for several tests in a group. By default what is usual:
            "tukey" for "pairwise", "mvt" (Dunnett's test) for "trt.vs.ctrl" and "consec", "fdr" for
            effects, otherwise "none".
        by : str or sequence of str, optional
            Variables that make groups; by default those of the means. ``[]`` for none.
        ref : str or int, optional
            The control, by label or position; by default the first level.
        reverse : bool
            Take differences the other way round.

        Returns
        -------
        Emmeans

        Examples
        --------
        >>> from mixedmodels import emmeans, lmer, load_machines
        >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
        >>> means.contrast({"A against the others": [1, -0.5, -0.5]}).to_frame()[["contrast", "estimate"]]
                       contrast   estimate
        0  A against the others -10.941667
        """
        from .contrasting import contrasts_of

        grouped = self if by is None else self.grouped(by)
        return contrasts_of(grouped, method, adjust, ref, reverse)

    def pairs(self, adjust: Any = "tukey", by: Any = None, *, reverse: bool = False) -> Emmeans:
        """
        All pairwise differences (or ratios) within each group: ``contrast("pairwise")``.

        Examples
        --------
        >>> from mixedmodels import emmeans, lmer, load_machines
        >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
        >>> means.pairs()
         contrast  estimate     SE  df  t.ratio   p.value
         A - B       -7.967  2.177  10   -3.660   0.01114
         A - C      -13.917  2.177  10   -6.393 0.0002116
         B - C       -5.950  2.177  10   -2.733   0.05067
        <BLANKLINE>
        Satterthwaite's degrees of freedom
        p-values adjusted by Tukey's method for all differences of 3 means
        """
        return self.contrast("pairwise", adjust, by, reverse=reverse)

    def grouped(self, by: Any) -> Emmeans:
        """The same rows with other variables making the groups."""
        names = names_of(by, "by")
        for name in names:
            if name not in self.labels or name == CONTRAST:
                known = ", ".join(repr(c) for c in self.labels if c != CONTRAST)
                raise ArgumentError(f"by: there is no variable {name!r}; there are {known or 'none'}")
        return replace(self, by=names)

    def cld(self, alpha: float = 0.05, adjust: Any = "tukey") -> MeansTable:
        """
        Means in increasing order with letters: those that share one do not differ significantly.

        Not to differ significantly is not to be equal: the comparisons themselves, see `pairs`, say more.

        Parameters
        ----------
        alpha : float
            Level of significance.
        adjust : str
            Adjustment of the pairwise comparisons.

        Returns
        -------
        MeansTable
            That of `confint` with a column ``group``, sorted within each group.
        """
        from .letter_display import letter_display

        return letter_display(self, check_level(alpha, "alpha"), adjust)

    def regrid(self) -> Emmeans:
        """
        The rows as quantities of their own on the scale that they are shown on.

        Tests, intervals and contrasts are then made on that scale, with standard errors by the delta method:
        differences of probabilities instead of odds ratios.

        Examples
        --------
        >>> from mixedmodels import emmeans, glmer, load_cbpp
        >>> m = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
        >>> differences = emmeans(m, "period", type="response").regrid().contrast("trt.vs.ctrl")
        >>> differences.to_frame()[["contrast", "estimate", "SE"]].round(3)
                    contrast  estimate     SE
        0  period2 - period1    -0.114  0.035
        1  period3 - period1    -0.124  0.036
        2  period4 - period1    -0.150  0.037
        """
        if self.scale.link is None:
            return self
        functions = self.functions
        slope, shown = self.scale.slope(functions.estimate), self._value(functions.estimate)
        rows = slope[:, None] * functions.rows
        constants = shown - slope * (functions.estimate - functions.constants)
        return replace(
            self,
            functions=LinearFunctions(rows, constants, functions.space),
            scale=Scale(self.scale.name),
            link=None,
            notes=(*self.notes, *self._spread_note()),
        )

    def plot(self, ax: Any = None) -> Any:
        """
        Estimates with their confidence intervals; needs matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes, optional

        Returns
        -------
        Axes
        """
        from .plot import plot_estimates

        return plot_estimates(self, ax)

    # Parts

    def group_rows(self) -> list[NDArray[np.intp]]:
        """The rows of each group, in order of appearance."""
        if not self.by:
            return [np.arange(len(self))]
        codes = self.labels.groupby(list(self.by), sort=False, observed=True).ngroup().to_numpy()
        return [np.flatnonzero(codes == group) for group in range(int(codes.max(initial=-1)) + 1)]

    def _families(self) -> Iterator[tuple[NDArray[np.intp], TestFamily]]:
        """The estimable rows of each group, and what they are when tested together."""
        covariance, df = self.functions.covariance, self.functions.df
        for places in self.group_rows():
            chosen = places[self.functions.estimable[places]]
            part = covariance[np.ix_(chosen, chosen)]
            root = np.sqrt(np.diag(part))
            root[root == 0] = 1.0
            yield chosen, TestFamily(part / np.outer(root, root), df[chosen], self.pairwise)

    def _limits(self, level: float, method: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        half = np.full(len(self), np.nan)
        for places, family in self._families():
            half[places] = family.critical(level, method)
        half *= self.functions.standard_error
        return self.functions.estimate - half, self.functions.estimate + half

    def _columns(self) -> dict[str, Any]:
        columns: dict[str, Any] = {str(name): self.labels[name].to_numpy() for name in self.labels}
        estimate, error = self.functions.estimate, self.functions.standard_error
        columns[self.scale.name] = self._value(estimate)
        columns["SE"] = self.scale.error(estimate, error)
        columns["df"] = self.functions.df
        return columns

    def _value(self, eta: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.scale.shown(eta)

    def _table(self, columns: dict[str, Any], notes: list[str]) -> MeansTable:
        labels = [str(name) for name in self.labels]
        return means_table(columns, labels, self.by, [*filter(None, notes), *self._all_notes()])

    def _all_notes(self) -> list[str]:
        notes = [*self.notes]
        if not self.functions.estimable.all():
            notes.append("nonEst: the data do not determine these rows (empty cells or aliased columns)")
        return notes

    def _method(self, adjust: Any) -> str:
        if adjust is None:
            return self.adjust
        return checked_adjustment(adjust, self.pairwise)

    def row_labels(self) -> list[str]:
        """Short names of the rows within their groups."""
        return row_labels(self.labels.drop(columns=list(self.by)))

    @property
    def _link_name(self) -> str:
        assert self.scale.link is not None
        return self.scale.link.name

    def _spread_note(self) -> list[str]:
        if not self.scale.spread:
            return []
        return [f"Averaged over random effects with a standard deviation of {self.scale.spread:.4g}"]

    def _ddf_note(self) -> str:
        label = self.functions.space.basis.label
        return label[0].upper() + label[1:]

    def adjustment_note(self, method: str, what: str) -> str:
        """How tests or intervals are adjusted, in words; empty where there is nothing to tell."""
        titles = dict.fromkeys(f.title(method, what) for _, f in self._families() if len(f.df) > 1)
        if not titles:
            return ""
        if method == "none":
            return f"{what.capitalize()} are not adjusted for their number" if self.contrasts else ""
        return f"{'p-values' if what == 'tests' else 'Intervals'} adjusted by {' or '.join(titles)}"


def joint_columns(tests: list[JointTest]) -> dict[str, list[float]]:
    """Joint tests as columns of a table."""
    return {
        "df1": [test.df1 for test in tests],
        "df2": [test.df2 for test in tests],
        "F.ratio": [test.statistic for test in tests],
        "p.value": [test.p_value for test in tests],
    }
