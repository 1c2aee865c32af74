"""Figures of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from numpy.typing import ArrayLike

from ..figures import random_effects as _random_effects, residual_plots
from ..plot.style import Panels
from ..public import public
from .arguments import Names, Rng
from .holder import Holder

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ResidualKind = Literal[
    "quantile",
    "pearson",
    "deviance",
    "response",
    "working",
    "standardized",
    "studentized",
    "deletion",
    "whitened",
]


class Plots(Holder):
    """Figures, drawn with matplotlib."""

    __slots__ = ()

    @public
    def plot(
        self,
        axes: Sequence[Axes] | None = None,
        *,
        type: ResidualKind | None = None,
        rng: Rng = None,
    ) -> Panels:
        """
        The four panels of `plot_diagnostics`.

        Parameters
        ----------
        axes : sequence of four matplotlib Axes, optional
            Where to draw; by default a new figure.
        type : str, optional
            The residuals, see `plot_diagnostics`.
        rng : int, Generator or None, optional
            Seed or generator of quantile residuals of counts.

        Returns
        -------
        Panels, shape (2, 2)

        Raises
        ------
        ArgumentError
            Without matplotlib, and as `plot_diagnostics`.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy
        >>> panels = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()).plot()
        >>> panels[1, 0].get_title()
        'Scale-location'
        """
        return residual_plots.plot_diagnostics(self._fitted, axes, type, rng)

    @public
    def plot_diagnostics(
        self,
        axes: Sequence[Axes] | None = None,
        *,
        type: ResidualKind | None = None,
        rng: Rng = None,
    ) -> Panels:
        """
        Draw residuals and random effects in four panels.

        Residuals against fitted values with a smoother; their normal Q-Q plot; the roots of their sizes
        against fitted values (scale-location); the Q-Q plot of the random effects. The bands of Q-Q
        plots are simultaneous: if the points are independent and normal, all of them lie within with a
        probability of 95 %.

        Parameters
        ----------
        axes : sequence of four matplotlib Axes, optional
            Where to draw; by default a new figure.
        type : str, optional
            The residuals: "quantile", "pearson", "deviance", "response", "working", "standardized",
            "studentized" or "deletion", all given the random effects, or "whitened" (marginal) for a linear
            model; see `residuals`. By default Pearson residuals over sigma for a model with normal residuals,
            and "quantile" for others: randomized quantile residuals, which are normal under the model for
            every family, where Pearson and deviance residuals of counts are not.
        rng : int, Generator or None, optional
            Seed or generator of quantile residuals of counts.

        Returns
        -------
        Panels, shape (2, 2)
            An array of the axes; its attribute ``figure`` is the figure.

        Raises
        ------
        ArgumentError
            Without matplotlib; for other axes than four, and an unknown type.

        Notes
        -----
        Residuals given the random effects are those from modes that follow the data of their group. With few
        rows a group, or a level for each row, they vary less than the model says and rise with the fitted
        values although the model is true. `quantile_residuals` with new random effects has no such bias.

        Random effects are divided by the standard deviations that their conditional modes have under the
        model, so that their band is that of standard normal values. More than 20,000 points are thinned, as
        the panel says; the smoother uses all.

        References
        ----------
        Dunn & Smyth (1996), Randomized quantile residuals, J. of Computational and Graphical Statistics 5.
        Aldor-Noiman, Brown, Buja, Rolke & Stine (2013), The power to see: a new graphical test of normality,
        The American Statistician 67. Cleveland (1979), Robust locally weighted regression, JASA 74.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy, plot_diagnostics
        >>> panels = plot_diagnostics(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()))
        >>> [ax.get_title() for ax in panels[:, 1]]
        ['Q-Q plot of residuals', 'Q-Q plot of random effects']
        """
        return residual_plots.plot_diagnostics(self._fitted, axes, type, rng)

    @public
    def plot_residuals(
        self,
        against: str | ArrayLike | None = None,
        ax: Axes | None = None,
        *,
        type: ResidualKind | None = None,
        rng: Rng = None,
    ) -> Axes:
        """
        Draw residuals against fitted values or any variable.

        Parameters
        ----------
        against : str or array-like, optional
            A column of the data, whether the model uses it or not, a grouping factor, or values for each row
            used or each row of the data. Numbers and dates give points with a smoother; factors give boxes,
            and with more than 40 levels quartiles ordered by the median. By default fitted values.
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        type : str, optional
            The residuals, see `plot_diagnostics`.
        rng : int, Generator or None, optional
            Seed or generator of quantile residuals of counts.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ArgumentError
            Without matplotlib, and for values of another length.
        MissingColumnError
            For a column that the data do not have.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy, plot_residuals
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> plot_residuals(m, "Subject").get_xlabel()
        'Subject'
        """
        return residual_plots.plot_residuals(self._fitted, against, ax, type, rng)

    @public
    def plot_binned_residuals(
        self,
        against: str | ArrayLike | None = None,
        ax: Axes | None = None,
        *,
        bins: int | None = None,
    ) -> Axes:
        """
        Draw mean residuals in bins, for binary and count responses.

        Parameters
        ----------
        against : str or array-like, optional
            A column of the data with numbers or dates, or a value for each row; by default fitted means.
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        bins : int, optional
            Number of bins of about the same number of rows; by default the root of the number of rows.

        Returns
        -------
        matplotlib Axes
            Response residuals, with lines at ± 2 standard errors of the mean in each bin.

        Raises
        ------
        ArgumentError
            Without matplotlib, and for a factor.

        Notes
        -----
        Against a predictor about 5 % of the bins of a true model are outside the lines. Against fitted means
        it is more, the fewer rows a group has, as both are given random effects that follow the responses.

        References
        ----------
        Gelman & Hill (2007), Data Analysis Using Regression and Multilevel/Hierarchical Models, section 5.6.

        Examples
        --------
        >>> from mixedmodels import glmer, load_verbagg, plot_binned_residuals
        >>> m = glmer("r2 ~ Anger + btype + (1 | id)", load_verbagg(), "binomial")
        >>> plot_binned_residuals(m, "Anger").get_ylabel()
        'mean residual'
        """
        return residual_plots.plot_binned_residuals(self._fitted, against, bins, ax)

    @public
    def plot_ranef(
        self,
        group: str | None = None,
        axes: Axes | Sequence[Axes] | None = None,
        *,
        effects: Names | None = None,
        level: float = 0.95,
        order_by: str | None = None,
    ) -> Panels:
        """
        Draw the random effects of all levels with intervals, in order (caterpillar plot).

        Parameters
        ----------
        group : str, optional
            A grouping factor; by default all of them.
        axes : Axes or sequence of matplotlib Axes, optional
            One for each effect; by default a new figure.
        effects : str or list of str, optional
            Names of effects, or patterns such as ``"Days*"``; by default all.
        level : float, default 0.95
            Level of the intervals: conditional mode ± normal quantile times conditional standard deviation.
        order_by : str, optional
            The effect that orders the levels; by default the first of each grouping factor.

        Returns
        -------
        Panels, shape (number of effects,)

        Raises
        ------
        ArgumentError
            Without matplotlib; for unknown names, and more than 24 panels.

        Notes
        -----
        Intervals treat coefficients and variances as known, see `ranef`. With more than 60 levels these are
        not named, and of more than 4,000 levels as many are drawn, evenly spaced in the order.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy, plot_ranef
        >>> panels = plot_ranef(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()))
        >>> [ax.get_title() for ax in panels]
        ['(Intercept)', 'Days']
        """
        return _random_effects.plot_ranef(self._fitted, group, effects, level, order_by, axes)

    @public
    def plot_ranef_qq(
        self,
        group: str | None = None,
        axes: Axes | Sequence[Axes] | None = None,
        *,
        effects: Names | None = None,
        level: float = 0.95,
    ) -> Panels:
        """
        Draw the random effects with intervals against normal quantiles.

        Parameters
        ----------
        group : str, optional
            A grouping factor; by default all of them.
        axes : Axes or sequence of matplotlib Axes, optional
            One for each effect; by default a new figure.
        effects : str or list of str, optional
            Names of effects, or patterns such as ``"Days*"``; by default all.
        level : float, default 0.95
            Level of the intervals, see `plot_ranef`.

        Returns
        -------
        Panels, shape (number of effects,)

        Raises
        ------
        ArgumentError
            Without matplotlib; for unknown names, and more than 24 panels.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy, plot_ranef_qq
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> plot_ranef_qq(m, effects="Days")[0].get_xlabel()
        'normal quantile'
        """
        return _random_effects.plot_ranef_qq(self._fitted, group, effects, level, axes)

    @public
    def plot_shrinkage(
        self,
        group: str | None = None,
        axes: Axes | Sequence[Axes] | None = None,
        *,
        effects: Names | None = None,
    ) -> Panels:
        """
        Draw how the model shrinks the estimates of each group.

        Of two effects of a term each group is an arrow from its least-squares estimate, from its own rows
        alone, to its conditional mode. Ellipses contain 50, 80 and 95 % of the estimated distribution of the
        random effects. A single effect is drawn against its estimate.

        Parameters
        ----------
        group : str, optional
            A grouping factor; by default the first.
        axes : Axes or sequence of matplotlib Axes, optional
            One for each pair of effects; by default a new figure.
        effects : str or list of str, optional
            Names of effects, or patterns; by default all.

        Returns
        -------
        Panels, shape (number of pairs,)

        Raises
        ------
        ArgumentError
            Without matplotlib; for unknown names, and more than 24 panels.

        Notes
        -----
        Estimates within groups are offsets from the coefficients, with all other random effects as
        estimated; for a generalized model they are one step of weighted least squares from the modes. Groups
        whose rows do not determine all effects of the term have none.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy, plot_shrinkage
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> ax = plot_shrinkage(m)[0]
        >>> ax.get_xlabel(), ax.get_ylabel()
        ('(Intercept)', 'Days')
        """
        return _random_effects.plot_shrinkage(self._fitted, group, effects, axes)
