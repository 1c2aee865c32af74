"""Marginal means, their contrasts and trends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, overload

from numpy.typing import ArrayLike

from ..errors import ArgumentError
from ..inference.basis.choice import DdfName, Vcov
from ..public import public
from .adjustments import Adjustment
from .contrasts import contrasted, simple_contrasts
from .rescaled import effect_sizes, regridded
from .rows import grouped, rebased
from .table import Infer, check_infer
from .tested_rows import SimpleContrasts, TestedRows

Names: TypeAlias = str | Sequence[str]
# The name of a kind of contrasts, weights by name, or a matrix of weights.
Method: TypeAlias = str | Mapping[str, ArrayLike] | ArrayLike


@dataclass(frozen=True, eq=False, repr=False)
class Emmeans(TestedRows):
    """
    Marginal means, or contrasts or trends made of them. Prints as its table.

    Attributes
    ----------
    labels : DataFrame, shape (m, ...)
        Labels of the rows: levels of the variables, or names of contrasts.
    by : tuple of str
        The variables that define groups; contrasts and adjustments are made within a group.
    functions : LinearFunctions
        The rows as linear functions of the coefficients.
    scale : Scale
        The scale that estimates are shown on.
    link : Link or None
        The link, when results are wanted on the scale of the response and that is another one.
    adjust : str
        The adjustment of tests and intervals for their number.
    pairwise : bool
        Whether the rows are all pairwise differences.
    level : float
        Confidence level.
    notes : tuple of str
        Remarks that are printed below the table.
    contrasts : bool
        Whether the rows are contrasts.
    response : Scale or None
        The scale of the response, for `regrid`; None where the rows have no such scale.
    predictor : str
        Name of the scale of the results when it is not the scale of the response.
    not_estimable : str
        Why some of the means are not estimable, and what to do.
    infer : (bool, bool) or None
        Whether the printed table has confidence limits and tests; None for the defaults: limits for means and
        trends, tests for contrasts.

    Examples
    --------
    >>> from mixedmodels import emmeans, lmer, load_machines
    >>> means = emmeans(lmer("score ~ Machine + (1 | Worker/Machine)", load_machines()), "~ Machine")
    >>> means.to_frame()[["Machine", "emmean"]].round(2)
      Machine  emmean
    0       A   52.36
    1       B   60.32
    2       C   66.27
    """

    @overload
    def contrast(
        self,
        method: Method = "eff",
        adjust: Adjustment | None = None,
        by: Names | None = None,
        *,
        ref: str | int | None = None,
        reverse: bool = False,
        interaction: Any = False,
        simple: Literal["each"],
        infer: Infer | None = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> SimpleContrasts[Emmeans]: ...

    @overload
    def contrast(
        self,
        method: Method = "eff",
        adjust: Adjustment | None = None,
        by: Names | None = None,
        *,
        ref: str | int | None = None,
        reverse: bool = False,
        interaction: Any = False,
        simple: Names | None = None,
        infer: Infer | None = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> Emmeans: ...

    @public
    def contrast(
        self,
        method: Method = "eff",
        adjust: Adjustment | None = None,
        by: Names | None = None,
        *,
        ref: str | int | None = None,
        reverse: bool = False,
        interaction: bool | str | Sequence[Method] | Mapping[str, Method] = False,
        simple: Names | None = None,
        infer: Infer | None = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> Emmeans | SimpleContrasts[Emmeans]:
        """
        Contrasts of the rows within each group.

        Parameters
        ----------
        method : str, mapping of str to weights, or array-like of shape (m, k), default "eff"
            "pairwise" (or "tukey"): all differences of two rows; "revpairwise": with the opposite sign.
            "trt.vs.ctrl" (or "dunnett"): all minus a control; "trt.vs.ctrlk": minus the last one. "consec":
            each minus the one before. "mean_chg": the mean of all that follow minus the mean of those before.
            "eff": each minus the mean of all. "del.eff": each minus the mean of the others. "poly":
            orthogonal polynomials for equally spaced levels. "identity": the rows themselves. Or your own
            weights, one for each row of a group in its order; the columns of a data frame and the index of a
            Series are labels of rows, unless they are 0, 1, 2, ...
        adjust : {"none", "tukey", "sidak", "bonferroni", "holm", "scheffe", "mvt", "fdr"}, optional
            Adjustment of p-values and intervals for the number of tests in a group. The default depends on
            the method: "tukey" for "pairwise", "mvt" (Dunnett's test) for "trt.vs.ctrl", "consec" and
            "mean_chg", "fdr" for effects, otherwise "none".
        by : str or sequence of str, optional
            Variables that define groups; by default the groups of the means. ``[]`` for none.
        ref : str or int, optional
            The control, by its label (as tables or names of contrasts show it) or its position from 0; by
            default the first level.
        reverse : bool, default False
            Take differences with the opposite sign.
        interaction : bool, str, sequence, or mapping of str to method, default False
            Contrasts of contrasts: a method for each variable of the rows, or one for all; True for `method`.
        simple : str or sequence of str, optional
            Compare the levels of these variables at each combination of all others: simple effects.
            ``"each"`` for every variable in turn.
        infer : bool or (bool, bool), optional
            Whether the printed table has confidence limits and tests; by default only tests.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom; by default those of the means.
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the model's coefficients: from `vcov_cluster`, with its degrees of freedom,
            or a matrix, which goes with normal and χ² distributions unless ``ddf="residual"``; by default the
            matrix of the means.

        Returns
        -------
        Emmeans
            With ``simple="each"`` a mapping of variables to Emmeans.

        Raises
        ------
        ArgumentError
            For an unknown method or variable, groups with nothing to compare, and a covariance matrix of
            another model.

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
        chosen = None if infer is None else check_infer(infer)
        means = rebased(self, ddf, vcov)
        options: dict[str, Any] = {"ref": ref, "reverse": reverse, "interaction": interaction}
        if isinstance(simple, str) and simple == "each":
            found = simple_contrasts(means, method, adjust, by, **options)
            return SimpleContrasts({name: replace(part, infer=chosen) for name, part in found.items()})
        return replace(contrasted(means, method, adjust, by, simple=simple, **options), infer=chosen)

    @overload
    def pairs(
        self,
        adjust: Adjustment | None = "tukey",
        by: Names | None = None,
        *,
        reverse: bool = False,
        simple: Literal["each"],
        infer: Infer | None = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> SimpleContrasts[Emmeans]: ...

    @overload
    def pairs(
        self,
        adjust: Adjustment | None = "tukey",
        by: Names | None = None,
        *,
        reverse: bool = False,
        simple: Names | None = None,
        infer: Infer | None = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> Emmeans: ...

    @public
    def pairs(
        self,
        adjust: Adjustment | None = "tukey",
        by: Names | None = None,
        *,
        reverse: bool = False,
        simple: Names | None = None,
        infer: Infer | None = None,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> Emmeans | SimpleContrasts[Emmeans]:
        """
        All pairwise differences (or ratios) within each group: ``contrast("pairwise")``.

        Parameters
        ----------
        adjust : {"tukey", "none", "sidak", "bonferroni", "holm", "scheffe", "mvt", "fdr"}, default "tukey"
            Adjustment of p-values and intervals for the number of tests in a group.
        by : str or sequence of str, optional
            Variables that define groups; by default the groups of the means. ``[]`` for none.
        reverse : bool, default False
            Take differences with the opposite sign.
        simple : str or sequence of str, optional
            Compare the levels of these variables at each combination of all others; ``"each"`` for every
            variable in turn.
        infer : bool or (bool, bool), optional
            Whether the printed table has confidence limits and tests; by default only tests.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom; by default those of the means.
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the model's coefficients: from `vcov_cluster`, with its degrees of freedom,
            or a matrix, which goes with normal and χ² distributions unless ``ddf="residual"``; by default the
            matrix of the means.

        Returns
        -------
        Emmeans
            With ``simple="each"`` a mapping of variables to Emmeans.

        Raises
        ------
        ArgumentError
            For an unknown adjustment or variable, groups with nothing to compare, and a covariance matrix of
            another model.

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

    @public
    def grouped(self, by: Names | None) -> Emmeans:
        """
        The same rows with other variables defining the groups.

        Parameters
        ----------
        by : str or sequence of str, or None
            Variables; None or ``[]`` for a single group.

        Returns
        -------
        Emmeans

        Raises
        ------
        ArgumentError
            For an unknown variable.

        Examples
        --------
        >>> from mixedmodels import emmeans, lmer, load_cake
        >>> m = lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", load_cake())
        >>> emmeans(m, "~ recipe * temperature").grouped("recipe").by
        ('recipe',)
        """
        return grouped(self, by)

    @public
    def regrid(self, transform: Literal["response", "log", "logit", "sqrt", "none"] = "response") -> Emmeans:
        """
        The rows as quantities on another scale.

        Tests, intervals and contrasts are then made on that scale, with standard errors by the delta method:
        differences of probabilities instead of odds ratios.

        Parameters
        ----------
        transform : {"response", "log", "logit", "sqrt", "none"}, default "response"
            The scale of the response, or a transformation of it: contrasts of ``regrid("log")`` are ratios of
            probabilities (risk ratios). Results shown on the scale of the response stay so. "none" keeps the
            linear predictor and shows results on it.

        Returns
        -------
        Emmeans

        Raises
        ------
        ArgumentError
            For an unknown transformation, or one that is not defined for some of the values.

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
        return regridded(self, transform)

    @public
    def eff_size(self, sigma: float, edf: float, method: Method = "pairwise") -> Emmeans:
        """
        Standardized effect sizes: contrasts in units of a standard deviation (Cohen's d).

        Parameters
        ----------
        sigma : float
            The standard deviation, on the scale of the linear predictor. Models with random effects have
            several: of the residuals, of single observations (all variances added up), or of some group.
        edf : float
            Degrees of freedom of the estimate `sigma`; ``math.inf`` if it is known.
        method : str, mapping of str to weights, or array-like, default "pairwise"
            The contrasts of means, see `contrast`; contrasts are taken as they are.

        Returns
        -------
        Emmeans
            Column effect.size. The squared standard error of d is SE²/sigma² + d²/(2 edf) with SE the
            standard error of the contrast, which also gives the degrees of freedom.

        Raises
        ------
        ArgumentError
            When `sigma` or `edf` is not positive, and for an unknown method.

        Notes
        -----
        The variance of the logarithm of a standard deviation with edf degrees of freedom is about 1/(2 edf)
        (Hedges & Olkin 1985, Statistical Methods for Meta-Analysis). R: ``emmeans::eff_size``, which takes
        the smallest degrees of freedom of the means.

        Examples
        --------
        >>> from mixedmodels import emmeans, lmer, load_machines
        >>> m = lmer("score ~ Machine + (1 | Worker)", load_machines())
        >>> emmeans(m, "~ Machine").eff_size(sigma=m.sigma, edf=46)
         contrast  effect.size      SE  df  lower.CL  upper.CL
         A - B          -2.520  0.4244  46   -3.3741   -1.6655
         A - C          -4.402  0.5672  46   -5.5434   -3.2600
         B - C          -1.882  0.3868  46   -2.6605   -1.1034
        <BLANKLINE>
        Satterthwaite's degrees of freedom
        Confidence level: 0.95
        Intervals are not adjusted for their number
        In units of sigma = 3.162, estimated with 46 degrees of freedom
        """
        return effect_sizes(self, sigma, edf, method)


def not_means(value: object) -> ArgumentError:
    """The error for an argument that should be marginal means."""
    return ArgumentError(f"means made by emmeans() or emtrends() are needed here, not {type(value).__name__}")
