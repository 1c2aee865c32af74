"""Adjusted predictions over a grid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ..means import effects as _effects
from ..means.effects import PredictedEffects
from ..public import public
from .arguments import DdfName, Names, Vcov
from .holder import Holder


class Effects(Holder):
    """What the model predicts along its predictors."""

    __slots__ = ()

    @public
    def predict_effects(
        self,
        terms: Names,
        *,
        at: Mapping[str, Any] | None = None,
        weights: Literal["equal", "proportional", "outer", "cells", "flat", "reference"] = "equal",
        type: Literal["link", "response"] = "response",
        marginal: bool = False,
        offset: float | None = None,
        level: float = 0.95,
        ddf: DdfName | None = None,
        vcov: Vcov | None = None,
    ) -> PredictedEffects:
        """
        Adjusted predictions over the values of one or more predictors, with confidence bands.

        Other covariates are held at their means, other factors averaged over; random effects are zero, or
        averaged over, too.

        Parameters
        ----------
        terms : str or sequence of str
            Predictors of the fixed part: the first is the axis of a plot, the second its colours, the third
            its panels. Factors have all their levels. A covariate on the axis has all its values up to 25,
            else 50 between its limits; another one all up to 4, else its mean and one standard deviation
            below and above.
        at : mapping of str to values, optional
            Values of predictors instead of these, or of the means of other covariates.
        weights : {"equal", "proportional", "outer", "cells", "flat", "reference"}, default "equal"
            How to average over other factors, see `emmeans`; "reference" holds them at their first levels.
        type : {"link", "response"}, default "response"
            Show means or linear predictors. Averages over factors are made on the scale of the linear
            predictor.
        marginal : bool, default False
            Average the means over the random effects, which gives population means, instead of setting the
            random effects to zero, which gives those of a typical group. They differ where the link is not
            the identity. The variances of the random effects are taken as known.
        offset : float, optional
            Offset of all predictions; by default the mean offset of the fit.
        level : float, default 0.95
            Confidence level, for each prediction by itself.
        ddf : {"satterthwaite", "kenward-roger", "residual", "inf"}, optional
            Degrees of freedom; by default Satterthwaite's, for a generalized model "inf".
        vcov : RobustCovariance or array-like of shape (rank, rank), optional
            Covariance matrix of the coefficients; by default the model's own.

        Returns
        -------
        PredictedEffects
            With ``plot`` and ``to_frame``.

        Raises
        ------
        ArgumentError
            For terms that are not predictors, unknown levels, grids of more than 10,000 cells, and `marginal`
            with a link for which means over normal random effects do not exist.

        Notes
        -----
        Population means are integrals over the normal distribution of the random part of the linear
        predictor, whose variance z'Gz may change along the grid, by Gauss-Hermite quadrature (Zeger, Liang &
        Albert 1988, Biometrics 44, 1049-1060). Standard errors are by the delta method, and limits are
        transformed from the linear predictor. The R packages ggeffects and effects make such predictions.

        Examples
        --------
        >>> from mixedmodels import glmer, load_cbpp
        >>> b = glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", load_cbpp(), "binomial")
        >>> b.predict_effects("period")
        >>> b.predict_effects("period", marginal=True).to_frame().round(3)
        """
        return _effects.predict_effects(
            self._fitted,
            terms,
            at=at,
            weights=weights,
            type=type,
            marginal=marginal,
            offset=offset,
            level=level,
            ddf=ddf,
            vcov=vcov,
        )
