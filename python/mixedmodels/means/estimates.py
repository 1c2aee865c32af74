"""Marginal means, their contrasts and trends, with intervals and tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..checks import probability
from ..errors import ArgumentError
from ..families.links import Link
from ..inference.basis.choice import DdfName, Vcov
from ..render.page import Page
from ..render.printed import Printed
from ..render.style import Style
from .adjustments import TestFamily
from .functions_of_beta import LinearFunctions
from .labels import row_labels
from .scale import Scale
from .specs import names_of
from .table import MeansTable, check_infer, estimate_table, joint_table

if TYPE_CHECKING:
    from .simple_contrasts import SimpleContrasts

CONTRAST = "contrast"


@dataclass(frozen=True, eq=False, repr=False)
class Emmeans(Printed):
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
    contrasts : bool
        Whether the rows are contrasts.
    response : Scale or None
        The scale of the response, for `regrid`; None where the rows have no such scale.
    predictor : str
        The name of the scale that results are on when that is not the scale of the response.
    not_estimable : str
        Why some of the means cannot be estimated, and what can be done.
    infer : (bool, bool) or None
        Whether the printed table has confidence limits and tests; None for the usual: limits of means and
        trends, tests of contrasts.
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
    contrasts: bool = False
    response: Scale | None = None
    predictor: str = ""
    not_estimable: str = ""
    infer: tuple[bool, bool] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def L(self) -> NDArray[np.float64]:
        """The coefficients of the linear functions, shape (m, p)."""
        return self.functions.rows.copy()

    def vcov(self) -> NDArray[np.float64]:
        """Covariance matrix of the rows on the scale of the linear predictor, shape (m, m)."""
        return self.functions.covariance.copy()

    def to_frame(self) -> MeansTable:
        """The table that is printed: limits of means and trends, tests of contrasts, or as `infer` says."""
        limits, tests = self.infer or (not self.contrasts, self.contrasts)
        return estimate_table(self, limits, tests)

    def page(self, style: Style) -> Page:
        return self.to_frame().page(style)

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
        return estimate_table(
            self, True, False, None if level is None else probability("level", level), adjust
        )

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
        return estimate_table(self, False, True, None, adjust, null)

    def summary(
        self, infer: Any = True, level: float | None = None, adjust: Any = None, null: float = 0.0
    ) -> MeansTable:
        """
        Confidence limits and tests in one table.

        Parameters
        ----------
        infer : bool or (bool, bool)
            Whether to show confidence limits and tests; one value for both.
        level, adjust, null
            As for `confint` and `test`.

        Returns
        -------
        MeansTable

        Examples
        --------
        >>> from mixedmodels import emmeans, lmer, load_machines
        >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
        >>> list(means.pairs().summary())
        ['contrast', 'estimate', 'SE', 'df', 'lower.CL', 'upper.CL', 't.ratio', 'p.value']
        """
        return estimate_table(
            self, *check_infer(infer), None if level is None else probability("level", level), adjust, null
        )

    def joint(self) -> MeansTable:
        """
        Test all rows of a group at once.

        Returns
        -------
        MeansTable
            Columns df1, df2, F.ratio, p.value, one row for each group.
        """
        return joint_table(self)

    # Contrasts

    @overload
    def contrast(
        self,
        method: Any = "eff",
        adjust: Any = None,
        by: Any = None,
        *,
        ref: Any = None,
        reverse: bool = False,
        interaction: Any = False,
        simple: Literal["each"],
        infer: Any = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> SimpleContrasts: ...

    @overload
    def contrast(
        self,
        method: Any = "eff",
        adjust: Any = None,
        by: Any = None,
        *,
        ref: Any = None,
        reverse: bool = False,
        interaction: Any = False,
        simple: Any = None,
        infer: Any = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> Emmeans: ...

    def contrast(
        self,
        method: Any = "eff",
        adjust: Any = None,
        by: Any = None,
        *,
        ref: Any = None,
        reverse: bool = False,
        interaction: Any = False,
        simple: Any = None,
        infer: Any = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> Any:
        """
        Contrasts of the rows within each group.

        Parameters
        ----------
        method : str, mapping of str to weights, or array-like of shape (m, k)
            "pairwise" (or "tukey"): all differences of two; "revpairwise": the other way round.
            "trt.vs.ctrl" (or "dunnett"): all minus a control; "trt.vs.ctrlk": minus the last one. "consec":
            each minus the one before. "mean_chg": the mean of all that follow minus the mean of those before.
            "eff": each minus the mean of all. "del.eff": each minus the mean of the others. "poly":
            orthogonal polynomials for equally spaced levels. "identity": the rows themselves. Or weights of
            one's own.
        adjust : {"none", "tukey", "sidak", "bonferroni", "holm", "scheffe", "mvt", "fdr"}, optional
            Adjustment of p-values and intervals for several tests in a group. By default what is usual:
            "tukey" for "pairwise", "mvt" (Dunnett's test) for "trt.vs.ctrl", "consec" and "mean_chg", "fdr"
            for effects, otherwise "none".
        by : str or sequence of str, optional
            Variables that make groups; by default those of the means. ``[]`` for none.
        ref : str or int, optional
            The control, by label or position; by default the first level.
        reverse : bool
            Take differences the other way round.
        interaction : bool, str, sequence of str, or mapping of str to method
            Contrasts of contrasts: a method for each variable of the rows, or one for all; True for `method`.
        simple : str or sequence of str, optional
            Compare the levels of these variables at each combination of all others: simple effects.
            ``"each"`` for every variable in turn.
        infer : bool or (bool, bool), optional
            Whether the printed table has confidence limits and tests; by default only tests.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom; by default those of the means.
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the model's coefficients; by default the one of the means.

        Returns
        -------
        Emmeans
            With ``simple="each"`` a mapping of variables to Emmeans.

        Raises
        ------
        ArgumentError
            For an unknown method or variable, or groups with nothing to compare.

        Examples
        --------
        >>> from mixedmodels import emmeans, lmer, load_ham, load_machines
        >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
        >>> means.contrast({"A against the others": [1, -0.5, -0.5]}).to_frame()[["contrast", "estimate"]]
                       contrast   estimate
        0  A against the others -10.941667
        >>> ham = lmer("Informed.liking ~ Product * Information + (1 | Consumer)", load_ham())
        >>> emmeans(ham, "~ Product * Information").contrast(interaction=["consec", "pairwise"])
         Product_consec  Information_pairwise  estimate     SE   df  t.ratio  p.value
         2 - 1           1 - 2                 -0.24691  0.465  560   -0.531   0.5956
         3 - 2           1 - 2                 -0.02469  0.465  560   -0.053   0.9577
         4 - 3           1 - 2                  0.62963  0.465  560    1.354   0.1762
        <BLANKLINE>
        Satterthwaite's degrees of freedom
        Tests are not adjusted for their number
        """
        from .contrasting import contrasts_of, interaction_contrasts, simple_contrasts, simple_groups

        shown = None if infer is None else check_infer(infer)
        if ddf is not None or vcov is not None:
            return self.rebased(ddf, vcov).contrast(
                method,
                adjust,
                by,
                ref=ref,
                reverse=reverse,
                interaction=interaction,
                simple=simple,
                infer=infer,
            )
        if isinstance(simple, str) and simple == "each":
            options = {"ref": ref, "reverse": reverse, "interaction": interaction, "infer": infer}
            return simple_contrasts(self, method, adjust, by, options)
        groups = by if simple is None else simple_groups(self, simple, by)
        means = self if groups is None else self.grouped(groups)
        if interaction is False or interaction is None:
            found = contrasts_of(means, method, adjust, ref, reverse)
        else:
            chosen = method if interaction is True else interaction
            found = interaction_contrasts(means, chosen, adjust, ref, reverse)
        return replace(found, infer=shown)

    def pairs(
        self,
        adjust: Any = "tukey",
        by: Any = None,
        *,
        reverse: bool = False,
        simple: Any = None,
        infer: Any = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> Emmeans:
        """
        All pairwise differences (or ratios) within each group: ``contrast("pairwise")``.

        Parameters
        ----------
        adjust : {"tukey", "none", "sidak", "bonferroni", "holm", "scheffe", "mvt", "fdr"}
            Adjustment of p-values and intervals for several tests in a group.
        by : str or sequence of str, optional
            Variables that make groups; by default those of the means. ``[]`` for none.
        reverse : bool
            Take differences the other way round.
        simple : str or sequence of str, optional
            Compare the levels of these variables at each combination of all others; ``"each"`` for every
            variable in turn.
        infer : bool or (bool, bool), optional
            Whether the printed table has confidence limits and tests; by default only tests.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom; by default those of the means.
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the model's coefficients; by default the one of the means.

        Returns
        -------
        Emmeans
            With ``simple="each"`` a mapping of variables to Emmeans.

        Raises
        ------
        ArgumentError
            For an unknown adjustment or variable, or groups with nothing to compare.

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
        return self.contrast(
            "pairwise", adjust, by, reverse=reverse, simple=simple, infer=infer, ddf=ddf, vcov=vcov
        )

    def rebased(self, ddf: DdfName | None = None, vcov: Vcov | None = None) -> Emmeans:
        """The same rows with another covariance matrix of the coefficients or other degrees of freedom."""
        space = self.functions.space.rebased(ddf, vcov)
        notes = [note for note in self.notes if note not in self.functions.space.basis.notes]
        return replace(
            self,
            functions=replace(self.functions, space=space),
            notes=(*space.basis.notes, *notes),
        )

    def grouped(self, by: Any) -> Emmeans:
        """The same rows with other variables making the groups."""
        names = names_of(by, "by")
        for name in names:
            if name not in self.labels or (self.contrasts and name == CONTRAST):
                known = ", ".join(repr(c) for c in self.labels if not (self.contrasts and c == CONTRAST))
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

        return letter_display(self, probability("alpha", alpha), adjust)

    def regrid(self, transform: str = "response") -> Emmeans:
        """
        The rows as quantities of their own on another scale.

        Tests, intervals and contrasts are then made on that scale, with standard errors by the delta method:
        differences of probabilities instead of odds ratios.

        Parameters
        ----------
        transform : {"response", "log", "logit", "sqrt", "none"}
            The scale of the response, or a transformation of it: contrasts of ``regrid("log")`` are ratios of
            probabilities (risk ratios). What was shown on the scale of the response still is. "none" keeps
            the linear predictor, and shows results on it.

        Returns
        -------
        Emmeans

        Raises
        ------
        ArgumentError
            For an unknown transformation, or one of values that it is not defined for.

        Examples
        --------
        >>> from mixedmodels import emmeans, glmer, load_cbpp
        >>> m = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
        >>> means = emmeans(m, "period", type="response")
        >>> means.regrid().contrast("dunnett").to_frame()[["contrast", "estimate", "SE"]].round(3)
                    contrast  estimate     SE
        0  period2 - period1    -0.114  0.035
        1  period3 - period1    -0.124  0.036
        2  period4 - period1    -0.150  0.037
        >>> means.regrid("log").contrast("dunnett").to_frame()[["contrast", "ratio", "SE"]].round(3)
                    contrast  ratio     SE
        0  period2 / period1  0.423  0.115
        1  period3 / period1  0.374  0.110
        2  period4 / period1  0.244  0.098
        """
        from .regridding import regridded

        return regridded(self, transform)

    def eff_size(self, sigma: float, edf: float, method: Any = "pairwise") -> Emmeans:
        """
        Effect sizes: contrasts in units of a standard deviation, see :func:`mixedmodels.eff_size`.

        Parameters
        ----------
        sigma : float
            The standard deviation.
        edf : float
            Its degrees of freedom; ``math.inf`` when it is known.
        method : str, mapping or array-like
            The contrasts, as in `contrast`.

        Returns
        -------
        Emmeans

        Raises
        ------
        ArgumentError
            For a `sigma` or `edf` that is not positive, or an unknown method.
        """
        from .effect_size import effect_sizes

        return effect_sizes(self, sigma, edf, method)

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
        from ..plot.emmeans import plot_estimates

        return plot_estimates(self, ax)

    # Parts

    def group_rows(self) -> list[NDArray[np.intp]]:
        """The rows of each group, in order of appearance."""
        if not self.by:
            return [np.arange(len(self))]
        codes = self.labels.groupby(list(self.by), sort=False, observed=True).ngroup().to_numpy()
        return [np.flatnonzero(codes == group) for group in range(int(codes.max(initial=-1)) + 1)]

    def families(self) -> Iterator[tuple[NDArray[np.intp], TestFamily]]:
        """
        The rows of each group that have a standard error, and what they are when tested together.

        Those without degrees of freedom (NaN) are among them: their tests cannot be made, but are wanted.
        """
        covariance, error, df = self.functions.covariance, self.functions.standard_error, self.functions.df
        with np.errstate(invalid="ignore"):
            tested = self.functions.estimable & (error > 0) & np.isfinite(error)
            df = np.where(df > 0, df, np.nan)
        for places in self.group_rows():
            chosen = places[tested[places]]
            part = covariance[np.ix_(chosen, chosen)]
            root = np.sqrt(np.diag(part))
            yield chosen, TestFamily(part / np.outer(root, root), df[chosen], self.pairwise)

    def row_labels(self) -> list[str]:
        """Short names of the rows within their groups."""
        return row_labels(self.labels.drop(columns=list(self.by)))


def not_means(value: Any) -> ArgumentError:
    """The error for something else in the place of means."""
    return ArgumentError(f"means made by emmeans() or emtrends() are needed here, not {type(value).__name__}")
