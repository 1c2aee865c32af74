"""Marginal means and trends of a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from ..means import joint_tests as _joint_tests, marginal_means
from ..means.emmeans import Emmeans
from ..means.table import MeansTable
from ..public import public
from .arguments import DdfName, Names, Vcov
from .holder import Holder


class MarginalMeans(Holder):
    """Predictions averaged over a grid of the predictors, and tests of them."""

    __slots__ = ()

    @public
    def emmeans(
        self,
        specs: Names,
        by: Names | None = None,
        *,
        at: Mapping[str, Any] | None = None,
        weights: Literal["equal", "proportional", "outer", "cells", "flat"] = "equal",
        type: Literal["link", "response"] = "link",
        bias_adjust: bool = False,
        offset: float | None = None,
        level: float = 0.95,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
        cov_reduce: str | Callable[..., Any] | Literal[False] | Mapping[str, Any] | None = None,
        infer: bool | tuple[bool, bool] | None = None,
    ) -> Emmeans:
        """
        Estimated marginal means: predictions averaged over a grid of the predictors.

        Random effects are zero. The grid has all levels of factors and of covariates with one or two values;
        other covariates are at their means, and terms such as ``log(x)`` are computed from these.

        Parameters
        ----------
        specs : str or sequence of str
            The variables whose combinations are wanted: ``"~ A"``, ``"~ A * B"``, ``"~ A | B"`` for A within
            each level of B, or a list of names. ``"~ 1"`` for the overall mean.
        by : str or sequence of str, optional
            Variables that define groups, like those after the bar.
        at : mapping of str to values, optional
            Values of covariates instead of their means, or some of the levels of factors.
        weights : {"equal", "proportional", "outer", "cells", "flat"}, default "equal"
            How to average over the other factors: equally; by the frequencies of their combinations of levels
            in the data, or by the products of marginal frequencies ("outer"); by the frequencies of the
            cells of each mean; or equally over the cells that have data ("flat").
        type : {"link", "response"}, default "link"
            Show results as linear predictors, or on the scale of the response with standard errors by the
            delta method. Averages, tests and intervals are made on the scale of the linear predictor, and
            contrasts of logarithms and logits become ratios. Also for a linear model of log(y) or sqrt(y).
        bias_adjust : bool, default False
            With ``type="response"``: average the back-transformed means over the random effects, taken as
            normal, instead of setting these to zero (for a linear model, also over the residuals). The
            results are then population means.
        offset : float, optional
            Offset of all predictions; by default the mean offset of the fit. 0 for rates per unit of
            exposure.
        level : float, default 0.95
            Confidence level.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom; by default Satterthwaite's, for a generalized model "inf". Kenward and Roger's
            method also adjusts the covariance matrix.
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the coefficients: from `vcov_cluster`, with its degrees of freedom, or a
            matrix, which goes with normal and χ² distributions unless ``ddf="residual"``; by default the
            model's own.
        cov_reduce : str, callable, False, or mapping of str to these, optional
            Replaces the mean of covariates with more than two values: ``"mean"``, ``"median"``, ``"range"``,
            a function of the column's values that returns one or several numbers, or False for all values in
            the data. A mapping applies to the covariates that it names, however many values they have.
        infer : bool or (bool, bool), optional
            Whether the printed table has confidence limits and tests; by default only limits.

        Returns
        -------
        Emmeans
            With methods ``pairs``, ``contrast``, ``summary``, ``confint``, ``test``, ``joint``, ``cld``,
            ``regrid``, ``eff_size``, ``plot`` and ``to_frame``.

        Raises
        ------
        ArgumentError
            For variables that are not predictors, unknown levels, grids of more than 10,000 cells, and a
            covariance matrix of another model.

        Notes
        -----
        Searle, Speed & Milliken (1980), The American Statistician 34, 216-221. Names and conventions are
        those of the R package emmeans.

        Examples
        --------
        >>> from mixedmodels import lmer, load_machines
        >>> m = lmer("score ~ Machine + (1 | Worker/Machine)", load_machines())
        >>> m.emmeans("~ Machine", ddf="kenward-roger")
         Machine  emmean     SE    df  lower.CL  upper.CL
         A         52.36  2.486  8.52    46.684    58.027
         B         60.32  2.486  8.52    54.650    65.994
         C         66.27  2.486  8.52    60.600    71.944
        <BLANKLINE>
        Kenward and Roger's degrees of freedom and covariance matrix
        Confidence level: 0.95
        """
        return marginal_means.emmeans(
            self._fitted,
            specs,
            by,
            at=at,
            weights=weights,
            ddf=ddf,
            vcov=vcov,
            type=type,
            bias_adjust=bias_adjust,
            offset=offset,
            level=level,
            cov_reduce=cov_reduce,
            infer=infer,
        )

    @public
    def emtrends(
        self,
        specs: Names,
        var: str,
        by: Names | None = None,
        *,
        at: Mapping[str, Any] | None = None,
        weights: Literal["equal", "proportional", "outer", "cells", "flat"] = "equal",
        level: float = 0.95,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
        cov_reduce: str | Callable[..., Any] | Literal[False] | Mapping[str, Any] | None = None,
        infer: bool | tuple[bool, bool] | None = None,
    ) -> Emmeans:
        """
        Estimated marginal means of trends: slopes of the linear predictor in a covariate.

        The slope is a difference quotient around each value of the covariate, which is exact for polynomials
        of up to second degree. A slope that depends on the covariate itself is taken at the covariate's
        mean, or at its values in `at`.

        Parameters
        ----------
        specs : str or sequence of str
            The variables whose combinations are wanted, as for `emmeans`; ``"~ 1"`` for the overall slope.
        var : str
            The covariate.
        by : str or sequence of str, optional
            Variables that define groups.
        at, weights, level, ddf, vcov, cov_reduce, infer : as for `emmeans`, optional
            Values of predictors, weights of averages, confidence level, degrees of freedom, covariance
            matrix, reduction of covariates, and what is shown.

        Returns
        -------
        Emmeans
            The column of estimates is called ``<var>.trend``.

        Raises
        ------
        ArgumentError
            When `var` is not a numeric predictor, and for arguments that `emmeans` refuses.

        Examples
        --------
        >>> from mixedmodels import lmer, load_orthodont
        >>> m = lmer("distance ~ age * Sex + (age | Subject)", load_orthodont())
        >>> m.emtrends("~ Sex", "age")
         Sex     age.trend       SE  df  lower.CL  upper.CL
         Male       0.7844  0.08600  25    0.60726   0.96149
         Female     0.4795  0.10372  25    0.26593   0.69316
        <BLANKLINE>
        Satterthwaite's degrees of freedom
        Confidence level: 0.95
        At age = 11
        """
        return marginal_means.emtrends(
            self._fitted,
            specs,
            var,
            by,
            at=at,
            weights=weights,
            ddf=ddf,
            vcov=vcov,
            level=level,
            cov_reduce=cov_reduce,
            infer=infer,
        )

    @public
    def joint_tests(
        self,
        by: Names | None = None,
        *,
        at: Mapping[str, Any] | None = None,
        weights: Literal["equal", "proportional", "outer", "cells", "flat"] = "equal",
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
        cov_reduce: str | Callable[..., Any] | Literal[False] | Mapping[str, Any] | None = None,
    ) -> MeansTable:
        """
        Joint tests of the main effects and interactions of the marginal means.

        Each test is of all contrasts of contrasts of the marginal means of a set of predictors that interact
        in the model. With equal weights, only factors and no empty cells these are type III tests. A
        covariate takes two values around its mean, so that its test is a test of the slope there.

        Parameters
        ----------
        by : str or sequence of str, optional
            Test the other predictors at each level of these: simple effects.
        at, weights, ddf, vcov, cov_reduce : as for `emmeans`, optional
            Values of predictors, weights of averages, degrees of freedom, covariance matrix, and reduction of
            covariates.

        Returns
        -------
        MeansTable
            Columns: model term, df1, df2, F.ratio, p.value. df2 is infinite for a generalized model, where
            df1 times F.ratio has a χ² distribution. With empty cells the estimable part of an effect is
            tested, and df1 is smaller.

        Raises
        ------
        ArgumentError
            For variables that are not predictors, and a covariance matrix of another model.

        Examples
        --------
        >>> from mixedmodels import lmer, load_cake
        >>> m = lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", load_cake())
        >>> m.joint_tests()
         model term          df1  df2  F.ratio  p.value
         recipe                2   42    0.249   0.7809
         temperature           5  210   20.520   <2e-16
         recipe:temperature   10  210    1.006   0.4393
        <BLANKLINE>
        Satterthwaite's degrees of freedom
        """
        return _joint_tests.joint_tests(
            self._fitted, by, at=at, weights=weights, ddf=ddf, vcov=vcov, cov_reduce=cov_reduce
        )
