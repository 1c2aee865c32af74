"""Figures of coefficients, means, variances and the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

from ..figures import coefficients
from ..fit.state import fitted_of
from ..inference.profiles.profile import profile_of
from ..means import marginal_means
from ..plot.fit_log import fit_log_plot
from ..plot.style import Panels
from ..public import public
from .arguments import DdfName, Names, ShowProgress, Vcov
from .holder import Holder

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class EstimatePlots(Holder):
    """Figures of what a model estimates, drawn with matplotlib."""

    __slots__ = ()

    @public
    def plot_coef(
        self,
        *models: Holder,
        names: Names | None = None,
        parm: Names | None = None,
        intercept: bool = False,
        exponentiate: bool = False,
        level: float = 0.95,
        ddf: DdfName | None = None,
        vcov: Vcov | Sequence[Vcov | None] | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """
        Draw the coefficients of one or several models with confidence intervals.

        Where the models have different links or responses, the legend says on which scale each is. A hollow
        point has no interval. An interaction has one row, in whatever order the models name its factors.

        Parameters
        ----------
        *models : MixedModel
            Other models, drawn beside this one.
        names : sequence of str, optional
            Names of the models; by default ``model 1``, ``model 2``, ...
        parm : str or list of str, optional
            Coefficients by name or pattern, such as ``"Days*"``; by default all but the intercept.
        intercept : bool, default False
            Draw the intercept, too.
        exponentiate : bool, default False
            Draw exponentials on a logarithmic axis: odds ratios (logit link), ratios of means (log) or hazard
            ratios (cloglog).
        level : float, default 0.95
            Confidence level.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom; by default Satterthwaite's, for a generalized model "inf".
        vcov : RobustCovariance or array-like, or sequence of them, optional
            Covariance matrix of the coefficients: one for a single model, or one (or None) for each model.
            A matrix alone gives intervals by the normal distribution, unless ``ddf="residual"``.
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ArgumentError
            Without matplotlib; for unknown coefficients, and `exponentiate` with another link.

        Examples
        --------
        >>> from mixedmodels import lmer, load_orthodont, plot_coef
        >>> m1 = lmer("distance ~ age * Sex + (1 | Subject)", load_orthodont())
        >>> m2 = lmer("distance ~ age * Sex + (age | Subject)", load_orthodont())
        >>> ax = plot_coef(m1, m2, names=["intercepts", "slopes"])
        >>> [text.get_text() for text in ax.get_yticklabels()]
        ['age', 'Sex[T.Female]', 'age:Sex[T.Female]']
        """
        return coefficients.plot_coef(
            [self._fitted, *(fitted_of(model) for model in models)],
            names=names,
            parm=parm,
            intercept=intercept,
            exponentiate=exponentiate,
            level=level,
            ddf=ddf,
            vcov=vcov,
            ax=ax,
        )

    @public
    def plot_emmeans(
        self,
        specs: Names,
        by: Names | None = None,
        ax: Axes | None = None,
        *,
        comparisons: bool = False,
        alpha: float = 0.05,
        at: Mapping[str, Any] | None = None,
        weights: Literal["equal", "proportional", "outer", "cells", "flat"] = "equal",
        type: Literal["link", "response"] = "link",
        level: float = 0.95,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> Axes:
        """
        Draw marginal means with confidence intervals: ``emmeans(...).plot(...)``.

        Parameters
        ----------
        specs : str or sequence of str
            The variables, see `emmeans`.
        by : str or sequence of str, optional
            Variables that define groups, which colours tell apart.
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure, as tall as the rows need.
        comparisons : bool, default False
            Add comparison arrows (Tukey's method), see `Emmeans.plot`.
        alpha : float, default 0.05
            Level of the comparisons.
        at, weights, type, level, ddf, vcov : as for `emmeans`, optional
            By default as for `emmeans`.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ArgumentError
            Without matplotlib, and as `emmeans`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_cake, plot_emmeans
        >>> m = lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", load_cake())
        >>> plot_emmeans(m, "~ temperature | recipe").get_ylabel()
        'temperature'
        """
        means = marginal_means.emmeans(
            self._fitted, specs, by, at=at, weights=weights, type=type, level=level, ddf=ddf, vcov=vcov
        )
        return means.plot(ax, comparisons=comparisons, alpha=alpha)

    @public
    def plot_variances(self, intervals: pd.DataFrame | None = None, ax: Axes | None = None) -> Axes:
        """
        Draw the standard deviations of the random effects and of the residuals.

        Parameters
        ----------
        intervals : DataFrame, optional
            Their confidence limits: a table of `confint` by profile or bootstrap. By default points alone.
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib Axes
            In units of the response (or linear predictor) per unit of the effect's column.

        Raises
        ------
        ArgumentError
            Without matplotlib, and for a table without these rows.

        Examples
        --------
        >>> from mixedmodels import lmer, load_penicillin, plot_variances
        >>> m = lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", load_penicillin())
        >>> ax = plot_variances(m)
        >>> [text.get_text() for text in ax.get_yticklabels()]
        ['plate: (Intercept)', 'sample: (Intercept)', 'residual']
        """
        return coefficients.plot_variances(self._fitted, intervals, ax)

    @public
    def plot_profile(
        self,
        which: Names | None = None,
        kind: Literal["zeta", "density", "pairs"] = "zeta",
        axes: Sequence[Axes] | None = None,
        *,
        REML: bool = False,
        progress: ShowProgress = False,
    ) -> Panels:
        """
        Profile the likelihood of parameters and draw it: ``profile(...).plot(...)``.

        Parameters
        ----------
        which : str or sequence of str, optional
            Names or patterns of parameters, see `profile`; by default all.
        kind : {"zeta", "density", "pairs"}, default "zeta"
            ζ with the limits of intervals, densities, or contours of pairs, see `Profile.plot`.
        axes : sequence of matplotlib Axes, optional
            One for each parameter, for "pairs" a square of them by rows; by default a new figure.
        REML : bool, default False
            Profile the REML criterion, see `profile`.
        progress : bool or callable, default False
            True shows a bar; a function is called with the numbers of parameters done and in all.

        Returns
        -------
        Panels

        Raises
        ------
        ArgumentError
            Without matplotlib, and for unknown parameters.

        Examples
        --------
        >>> from mixedmodels import lmer, load_dyestuff, plot_profile
        >>> m = lmer("Yield ~ 1 + (1 | Batch)", load_dyestuff(), REML=False)
        >>> plot_profile(m, "sigma")[0].get_xlabel()
        'sigma'
        """
        found = profile_of(self._fitted, which, 0.99, REML, progress, type(self))
        return found.plot(kind, axes=axes)

    @public
    def plot_fit_log(self, ax: Axes | None = None) -> Axes:
        """
        Draw the objective at each evaluation of the search, above its minimum.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib Axes
            On a logarithmic axis; differences below 1e-10 are drawn there.

        Raises
        ------
        ArgumentError
            Without matplotlib.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy, plot_fit_log
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> plot_fit_log(m).get_xlabel()
        'evaluation'
        """
        log = self._fitted.convergence.log
        return fit_log_plot(log.objective, self._fitted.criterion, log.second_start, ax)
