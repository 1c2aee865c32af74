"""Responses drawn from a fitted model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd  # pyright: ignore[reportMissingTypeStubs]

from ..prediction import simulate as _simulate
from ..public import public, renamed
from .arguments import Data, Rng, Rows
from .holder import Holder


class Simulations(Holder):
    """Data that might have been."""

    __slots__ = ()

    @renamed(seed="rng")
    @public
    def simulate(
        self,
        nsim: int = 1,
        rng: Rng = None,
        *,
        re_form: Any = "~0",
        newdata: Data | None = None,
        params: Mapping[Any, Any] | None = None,
        use_u: bool = False,
        weights: Rows | None = None,
        offset: Rows | None = None,
    ) -> pd.DataFrame:
        """
        Draw new responses from the model.

        Parameters
        ----------
        nsim : int, default 1
            Number of responses.
        rng : int, Generator or None, optional
            Seed or random number generator, see :func:`numpy.random.default_rng`.
        re_form : str, None, or one of NaN, False, 0, default "~0"
            Which random effects *stay* at their conditional modes, as in lme4; the others are drawn.
            ``"~0"``: none, new levels of every grouping factor; None: all; a formula such as
            ``"~(1 | Subject)"``: these. Of a term of which some effects stay, the others are drawn given
            these.
        newdata : data frame, optional
            Rows to draw responses for, by default those of the fit. The random effects of levels that were
            not in the fit are drawn, whatever `re_form` says; a row that lacks a level has a new level of its
            own.
        params : mapping, optional
            Parameters that replace the estimates, by the names that ``fixed=`` of :func:`mixedmodels.lmer`
            takes: coefficients, ``"sd__(Intercept)"``, ``"cor__(Intercept).Days"``, ``"sigma"`` (or
            ``"dispersion"``), ``"theta"``; ``"beta"`` takes all coefficients, as a list or a mapping. The
            others stay as estimated; standard deviations do so when sigma changes.
        use_u : bool, default False
            True is another way to write ``re_form=None``.
        weights : str or array-like of shape (n_new,), optional
            Replaces the ``weights`` argument of the fit for new data: numbers of trials for the binomial
            family, otherwise prior weights. By default the same column, and trials from the columns of
            ``cbind(a, b)``.
        offset : str or array-like of shape (n_new,), optional
            Replaces the ``offset`` argument of the fit for new data.

        Returns
        -------
        DataFrame
            Columns ``sim_1``, ``sim_2``, ... in the form in which the response was given, so that `refit`
            takes each of them: numbers, labels, or proportions of the same numbers of trials; for
            ``cbind(a, b)`` two columns each, successes and failures (``sims["sim_1"]``). NaN in rows of
            `newdata` that lack a predictor or weight. The first columns do not depend on `nsim`.

        Raises
        ------
        ArgumentError
            For an invalid number of simulations or generator, unknown parameters and parameters out of their
            range, and `re_form` with effects that the model does not have.
        DataError
            For levels of fixed-effects factors that were not in the fit.

        Warns
        -----
        MixedModelsWarning
            For prior weights of counts and of the beta family, which are ignored: they multiply the
            log-likelihood of a row, and no distribution of its response goes with that.

        See Also
        --------
        mixedmodels.simulate_formula : Responses without a fit.

        Examples
        --------
        >>> from mixedmodels import glmer, lmer, load_cbpp, load_sleepstudy
        >>> b = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
        >>> b.simulate(2, rng=1).shape
        (56, 4)
        >>> m = lmer("Reaction ~ Days + (Days | Subject)", load_sleepstudy())
        >>> new = {"Days": [0, 1, 2], "Subject": ["new", "new", "new"]}
        >>> m.simulate(1, rng=1, newdata=new, params={"Days": 0.0, "sigma": 1.0}).round(1)["sim_1"].tolist()
        [238.9, 228.9, 217.6]
        """
        return _simulate.simulate(
            self._fitted,
            nsim,
            rng,
            re_form=re_form,
            newdata=newdata,
            params=params,
            use_u=use_u,
            weights=weights,
            offset=offset,
        )
