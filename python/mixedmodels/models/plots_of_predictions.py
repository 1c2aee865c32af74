"""Figures of what a model predicts: along predictors, for groups, for counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import ArrayLike

from ..checks import several_texts
from ..figures import counts, effects, groups as _groups
from ..plot.style import Panels
from ..public import public
from .arguments import DdfName, Levels, Names, Vcov
from .holder import Holder

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class PredictionPlots(Holder):
    """Figures of what a model predicts, drawn with matplotlib."""

    __slots__ = ()

    @public
    def plot_effects(
        self,
        terms: Names,
        ax: Axes | Sequence[Axes] | None = None,
        *,
        partial: bool = False,
        at: Mapping[str, Any] | None = None,
        weights: Literal["equal", "proportional", "outer", "cells", "flat", "reference"] = "equal",
        type: Literal["link", "response"] = "response",
        marginal: bool = False,
        offset: float | None = None,
        level: float = 0.95,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> Axes | Panels:
        """
        Draw adjusted predictions with confidence bands and, if wanted, partial residuals.

        Parameters
        ----------
        terms : str or sequence of str
            Predictors: the axis, the colours, the panels, see `predict_effects`.
        ax : Axes or sequence of matplotlib Axes, optional
            One for each value of the third term; by default a new figure.
        partial : bool, default False
            Add partial residuals: for each row the prediction at its values of the terms plus its working
            residual given the random effects, which shows curvature and outliers. Of more than 5,000 rows as
            many are drawn.
        at, weights, type, marginal, offset, level, ddf, vcov : as for `predict_effects`, optional
            By default as for `predict_effects`.

        Returns
        -------
        matplotlib Axes, or Panels with three or more terms

        Raises
        ------
        ArgumentError
            Without matplotlib; as `predict_effects`, and for `partial` with `marginal`.

        References
        ----------
        Fox & Weisberg (2018), Visualizing fit and lack of fit in complex regression models with predictor
        effect plots and partial residuals, Journal of Statistical Software 87(9).

        Examples
        --------
        >>> from mixedmodels import lmer, load_orthodont, plot_effects
        >>> m = lmer("distance ~ age * Sex + (age | Subject)", load_orthodont())
        >>> ax = plot_effects(m, ["age", "Sex"], partial=True)
        >>> ax.get_xlabel(), ax.get_ylabel()
        ('age', 'distance')
        """
        return effects.plot_effects(
            self._fitted,
            terms,
            ax,
            partial,
            at=at,
            weights=weights,
            type=type,
            marginal=marginal,
            offset=offset,
            level=level,
            ddf=ddf,
            vcov=vcov,
        )

    @public
    def plot_interaction(
        self,
        x: str,
        trace: str,
        by: Names = (),
        ax: Axes | Sequence[Axes] | None = None,
        *,
        at: Mapping[str, Any] | None = None,
        weights: Literal["equal", "proportional", "outer", "cells", "flat", "reference"] = "equal",
        type: Literal["link", "response"] = "response",
        level: float = 0.95,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> Axes | Panels:
        """
        Draw the means of one variable joined by lines for each level of another.

        A numeric variable is drawn to scale, as lines with bands. Without an interaction the lines are
        parallel (on the scale of the linear predictor).

        Parameters
        ----------
        x : str
            The variable on the axis.
        trace : str
            The variable whose levels have lines of their own.
        by : str or sequence of str, default ()
            Variables whose levels have panels of their own.
        ax : Axes or sequence of matplotlib Axes, optional
            One for each panel; by default a new figure.
        at, weights, type, level, ddf, vcov : as for `predict_effects`, optional
            By default as for `predict_effects`.

        Returns
        -------
        matplotlib Axes, or Panels with `by`

        Raises
        ------
        ArgumentError
            Without matplotlib, and for variables that are not predictors.

        Examples
        --------
        >>> from mixedmodels import lmer, load_cake, plot_interaction
        >>> m = lmer("angle ~ recipe * temperature + (1 | recipe:replicate)", load_cake())
        >>> plot_interaction(m, "temperature", "recipe").get_ylabel()
        'angle'
        """
        groups = several_texts("by", by)
        options: dict[str, Any] = {"at": at, "weights": weights, "type": type}
        options |= {"level": level, "ddf": ddf, "vcov": vcov}
        return effects.plot_effects(self._fitted, [x, trace, *groups], ax, connected=True, **options)

    @public
    def plot_groups(
        self,
        x: str | ArrayLike | None = None,
        group: str | None = None,
        axes: Sequence[Axes] | None = None,
        *,
        levels: Levels | None = None,
        page: int = 1,
        per_page: int = 30,
    ) -> Panels:
        """
        Draw the data and the fitted lines of each group in small panels.

        Parameters
        ----------
        x : str or array-like, optional
            What is on the axis: a column of the data (numbers, dates or a factor), or a value for each row.
            By default a variable with a random slope, else the first predictor.
        group : str, optional
            A grouping factor; by default the first.
        axes : sequence of matplotlib Axes, optional
            One for each level drawn; by default a new figure.
        levels : str, int or list of these, optional
            The levels to draw, by name; by default those of the page.
        page : int, default 1
            Which page of the levels.
        per_page : int, default 30
            Number of levels on a page, at most 60.

        Returns
        -------
        Panels, shape (number of levels drawn,)
            Points: responses. Lines: predictions at the values of x in the group, given its random effects,
            and dashed with all random effects at zero.

        Raises
        ------
        ArgumentError
            Without matplotlib; for unknown levels, and pages beyond the last.

        Notes
        -----
        Along a line the other predictors are the same: each has the value of the group that is nearest to the
        mean of the group, a factor the most frequent one, and the offset its mean. Random effects of other
        factors take part where the whole group has one level of them, and are zero where they vary. A
        predictor that is a function of x, such as its square, goes with it. Where x is no predictor of the
        model, or the data do not determine the lines, dashes at the fitted values are drawn instead of lines.

        Examples
        --------
        >>> from mixedmodels import lmer, load_sleepstudy, plot_groups
        >>> panels = plot_groups(lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy()))
        >>> len(panels), panels[0].get_title()
        (18, '308')
        """
        return _groups.plot_groups(self._fitted, x, group, levels, page, per_page, axes)

    @public
    def plot_rootogram(
        self,
        ax: Axes | None = None,
        *,
        style: Literal["hanging", "suspended", "standing"] = "hanging",
        most: int | None = None,
    ) -> Axes:
        """
        Draw the frequencies of counts beside those that the model expects.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.
        style : {"hanging", "suspended", "standing"}, default "hanging"
            Bars of observed frequencies that hang from the expected ones, differences from zero, or bars that
            stand on zero.
        most : int, optional
            The largest count drawn; by default the largest of the data, up to 400.

        Returns
        -------
        matplotlib Axes
            Square roots of frequencies. The expected ones are sums of probabilities over the rows, given the
            random effects.

        Raises
        ------
        ArgumentError
            Without matplotlib, and for a response that is no count.

        References
        ----------
        Kleiber & Zeileis (2016), Visualizing count data regressions using rootograms, The American
        Statistician 70.

        Examples
        --------
        >>> from mixedmodels import glmer, load_grouseticks, plot_rootogram
        >>> m = glmer("TICKS ~ YEAR + (1 | BROOD) + (1 | LOCATION)", load_grouseticks(), "poisson")
        >>> plot_rootogram(m, most=30).get_ylabel()
        '√frequency'
        """
        return counts.plot_rootogram(self._fitted, style, most, ax)
